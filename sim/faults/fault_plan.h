#pragma once

#include <string>

#include "policies/base/instant.h"
#include "sim/faults/chance.h"

namespace tidegate::sim {

// Which faults there are, and how often: per mille of what the comment names. 0: never.
struct FaultPlan {
  Instant until{};  // no fault begins at or after this

  int start_slow = 0;    // of starts: much longer than the pool's start-up delay
  int start_hangs = 0;   // of starts: never ready
  int start_fails = 0;   // of starts: dies before it is ready
  int crash = 0;         // of ready replicas, each second
  int zone_loss = 0;     // of seconds: all replicas of one zone of three crash at once
  Duration slow_max{0};  // of a slow start, on top

  int refused = 0;     // of requests: the actuator answers with an error
  int lost = 0;        // of requests: accepted and forgotten
  int delayed = 0;     // of requests
  int duplicated = 0;  // of requests: taken at once and once more later
  Duration delay_max{0};

  int scrape_lost = 0;   // of samples
  int scrape_nan = 0;    // of samples
  int query_empty = 0;   // of ticks: the answer holds no series
  int query_frozen = 0;  // of ticks: answers stay what they are for up to frozen_max
  Duration frozen_max{0};
  int observe_fails = 0;     // of ticks: nothing is known
  int fleet_fails = 0;       // of ticks: the fleet can't say what runs
  int view_lag = 0;          // ticks, at most, by which the fleet's answer is old
  Duration view_age_max{0};  // and in time, however late ticks are

  int journal_fails = 0;  // of ticks
  int daemon_dies = 0;    // of ticks, at any instant between its observation and its last request
  int second_daemon = 0;  // of ticks: the daemon stands still, another takes the pool, both go on
  int overrun = 0;        // of ticks: the next one is late
  int rollouts = 0;       // of ticks: the template changes
};

// Whether a fault of each kind exists at all is drawn before how often it happens, so that lives
// with one kind of fault and lives with many are both common. A failing journal excludes a dying
// daemon and a second one: what could not be written down can't be found by the next, and nothing
// is promised for that.
FaultPlan DrawFaults(const Chance& chance, Instant until);

// The faults that exist, on one line: "crash 4, lost 130"; "none".
std::string ToText(const FaultPlan& plan);

}  // namespace tidegate::sim
