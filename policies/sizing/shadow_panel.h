#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/sizing/load_trend.h"

namespace tidegate::sizing {

// A panel of simple rules that all size the same pool in its shadow. Each is scored on what it
// would have had ready by now, had it been followed, and the pool follows the mean of what they ask
// for, in which a rule counts by how well it would have done. So headroom is learned from the
// pool's own volatility over its own lead time, and no target is set by anybody.
//
// A rule asks for   need = headroom x max(highest rate of its window, where the load will be),
// which is where it is, and its trend one wave of new replicas later times the rule's reach, and
// keeps it for one lead time. Most rules ask, in a burst, at least for what that will be. A short
// window with little headroom is right for a smooth day, a long one with much for flash crowds, no
// reach and no bursts for noise; shrinking only with confidence is what the windows do.
constexpr std::array<double, 12> kHeadrooms{1, 1.1, 1.25, 1.5, 2, 2.4, 3.0, 4.0, 5.5, 8.0, 12, 18};

// The panel looks and judges once a step, however often the pool is decided.
constexpr Duration kPanelStep{5'000};
// The longest lead time that is told apart, in steps: five minutes.
constexpr int kMostLag = 60;
// Steps that a rise is taken over, at most.
constexpr int kMostRise = 10;
// After a pause of more steps than that nothing is judged, and short windows begin anew.
constexpr int kMostPause = 60;

struct RuleBase {
  Duration window;
  double reach;  // waves of new replicas that a trend is taken to go on for
  bool bursts;   // whether it asks for what a burst will be
};
// Windows of one reading up to an hour and a half, each with no reach and no bursts, and with two
// reaches and bursts. 180 rules in all.
constexpr std::size_t kWindows = 5;
constexpr std::size_t kReaches = 3;
constexpr std::size_t kBases = kWindows * kReaches;
constexpr std::size_t kRules = kBases * kHeadrooms.size();
RuleBase BaseOf(std::size_t rule);
double HeadroomOf(std::size_t rule);

// How the pool turns rates into replicas, and decisions into capacity.
struct PanelPool {
  // n replicas serve `per_replica` x (n - spare) requests per second within the objective: what
  // small pools need more is nearly constant, see capacity.h.
  Rate per_replica = 0;    // > 0
  double spare = 0;        // 0 .. 1
  Rate most_each = 0;      // requests per second of one replica beyond which they pile up; > 0
  Duration lead{45'000};   // from a change of load until replicas that it calls for are ready
  Duration apart{15'000};  // samples of one replica, > 0; rises over up to 50 s are told apart
  double growth = 2;       // replicas that serve grow at most by this factor ..
  Duration wave{25'000};   // .. in such a time; > 0
  Replicas min = 0;
  Replicas max = kMaxReplicas;
};

// What is remembered; bounded. All sums fade with the half-life.
struct PanelMemory {
  std::int64_t step = 0;          // the newest one, since 1970; 0: nothing was seen
  std::vector<double> newest;     // rates of the newest steps
  std::vector<double> levels;     // where the load was at the newest steps
  std::vector<double> slopes;     // by which that grew each second
  std::vector<double> minutes;    // highest rates of minutes, the newest last
  std::vector<double> stretches;  // highest rates of six minutes each, the newest last
  std::vector<double> asked;      // the most that was asked for in each of the newest steps
  std::vector<double> waiting;    // what rules saw, of steps that are not judged yet
  std::vector<double> late;       // requests that each rule would not have served in time
  std::vector<double> cost;       // replica-seconds that each rule would have cost
  std::vector<double> serving;    // replicas that each rule would have now
  double requests = 0;            // that were judged
  double need = 0;                // replica-seconds that they needed
  double seconds = 0;             // that were judged
  // The rule that counted most at the last look: for who reads a state, nothing depends on it.
  std::int32_t chosen = -1;
  bool operator==(const PanelMemory&) const = default;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    constexpr double kHuge = 1e18;
    visit(Field{"step", "the newest one, of five seconds since 1970", 0, 1e15}, self.step);
    visit(Field{.name = "newest",
                .help = "rates of the newest steps",
                .least = 0,
                .most = kHuge,
                .most_items = kMostLag + 2 + kMostRise},
          self.newest);
    visit(Field{.name = "levels",
                .help = "where the load was at the newest steps",
                .least = 0,
                .most = kHuge,
                .most_items = kMostLag + 1},
          self.levels);
    visit(Field{.name = "slopes",
                .help = "by which that grew each second",
                .least = -kHuge,
                .most = kHuge,
                .most_items = kMostLag + 1},
          self.slopes);
    visit(Field{"minutes", "highest rates of the newest minutes", 0, kHuge}, self.minutes);
    visit(Field{"stretches", "highest rates of six minutes each", 0, kHuge}, self.stretches);
    visit(Field{"asked", "the most that was asked for in each of the newest steps", 0, kHuge},
          self.asked);
    visit(Field{.name = "waiting",
                .help = "what rules saw at steps that are not judged yet",
                .least = 0,
                .most = kHuge,
                .most_items = (kMostLag + 1) * (kWindows + 3)},
          self.waiting);
    visit(Field{.name = "late",
                .help = "requests that each rule would have failed, faded",
                .least = 0,
                .most = kHuge,
                .most_items = kRules},
          self.late);
    visit(Field{.name = "cost",
                .help = "replica-seconds that each rule would have cost, faded",
                .least = 0,
                .most = kHuge,
                .most_items = kRules},
          self.cost);
    visit(Field{.name = "serving",
                .help = "replicas that each rule would have now",
                .least = 0,
                .most = kMaxReplicas,
                .most_items = kRules},
          self.serving);
    visit(Field{"requests", "that were judged, faded", 0, kHuge}, self.requests);
    visit(Field{"need", "replica-seconds that they needed, faded", 0, kHuge}, self.need);
    visit(Field{"seconds", "that were judged, faded", 0, kHuge}, self.seconds);
    visit(Field{"chosen", "the rule that counted most at the last look; -1: none", -1,
                static_cast<double>(kRules) - 1},
          self.chosen);
  }
};

// One more look at a load.
struct PanelLook {
  Instant now{};  // looks may come at any pace; one before the last one counts as that, if near
  Rate rate = 0;  // >= 0 and finite
  // Where the load is and goes; without it the rate is taken for the level, and what it gained
  // since one interval between samples ago for the slope.
  std::optional<Trend> trend{};
  Duration half_life{86'400'000};  // what was judged so long ago counts half; > 0
  double allowed = 1e-3;           // share of requests that may be late; 0 < .. < 1
};

// What the rules ask for.
struct PanelChoice {
  Rate asked = 0;  // with headroom
  // The highest of those of one lead time: what was asked for must have come before it is given up,
  // however the rules count by now.
  Rate load = 0;
  std::size_t rule = 0;   // that counts most
  double weight = 0;      // that it has; all of them have 1
  double late_share = 0;  // of requests that it would have failed, by what was seen
  double cost = 0;        // that it would have had, over what was needed
};
// How much a rule counts follows from what was judged before this look, so that more load never
// makes them ask for less.
PanelChoice AskPanel(const PanelPool& pool, const PanelLook& look, PanelMemory& memory);

}  // namespace tidegate::sizing
