#pragma once

#include "traces/generate/generator.h"

namespace tidegate::traces {

// Unannounced: quiet, a straight climb within seconds, a plateau, then a decay that halves what is
// above the base again and again. News, an outage elsewhere, a link that goes round.
struct FlashCrowdOptions {
  double base_rps = 60;
  double peak_multiple = 6;  // the plateau's rate over the base
  double start_s = 20;       // when the climb begins
  double ramp_s = 10;        // how long it takes; 0 is a jump
  double hold_s = 15;        // length of the plateau
  double half_life_s = 20;   // of the decay
};

// Announced for a fixed time: early visitors gather before it, at the time itself the rate jumps, a
// plateau follows, then a decay.
struct PromotionOptions {
  double base_rps = 60;
  double start_s = 600;       // the announced time
  double early_s = 120;       // how long before it early visitors gather
  double early_multiple = 2;  // the rate that they have reached just before it, over the base
  double peak_multiple = 8;   // the plateau's rate over the base
  double hold_s = 300;
  double half_life_s = 180;
};

// Lessons that begin together at every whole hour: a sharp jump, most of which is over in minutes.
// Jumps differ in size, lesson by lesson.
struct ClassStartOptions {
  double base_rps = 30;
  double peak_multiple = 10;  // at the top of an average jump, over the base
  double spread = 0.2;        // standard deviation of the jump's size over its mean
  double period_s = 3600;
  double first_s = 1800;  // when the first lesson begins
  double ramp_s = 15;
  double half_life_s = 120;
};

// A match: spectators gather before kick-off, most of them watch, and in the break and after the
// final whistle, when all of them do something else at once, the rate is at its peak.
struct MatchOptions {
  double base_rps = 60;
  double kick_off_s = 1800;
  double gather_s = 1500;    // how long before kick-off the straight climb begins
  double play_multiple = 3;  // rate while they play, over the base
  double peak_multiple = 8;  // rate in the break and at the end, over the base
  double half_s = 2700;      // length of each half
  double break_s = 900;      // between the halves
  double ramp_s = 20;        // from play to the peak and back
  double half_life_s = 300;  // of the decay after the final whistle
};

Generator FlashCrowd();
Generator Promotion();
Generator ClassStart();
Generator Match();

}  // namespace tidegate::traces
