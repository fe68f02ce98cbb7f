#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/decision/decision.h"
#include "sim/report/time_line.h"
#include "sim/world/pool_model.h"

namespace tidegate::sim {

// When a request is good, and when a minute is. A request is bad if it is lost, or if it arrives
// while requests wait longer than `wait_seconds` for a replica, or, where single requests are
// known, if it counts as slow (Flow::slow). A minute, counted from the beginning of what is judged,
// is bad if more than `bad_fraction` of its requests are.
struct MinuteObjective {
  double wait_seconds = 1;     // >= 0
  double bad_fraction = 0.01;  // 0 .. 1
};

// What a run may cost and break; unset: anything.
struct Limits {
  std::optional<double> bad_minutes = std::nullopt;  // at most
  std::optional<Replicas> replicas = std::nullopt;  // starting, ready and draining at once, at most
  std::optional<double> replica_hours = std::nullopt;  // of all of them, at most
  // At most so many times what a clairvoyant oracle pays; judged by whoever knows that.
  std::optional<double> cost_multiple = std::nullopt;
};

enum class LimitKind { kBadMinutes, kReplicas, kReplicaHours, kCostMultiple };
// "bad minutes", "replicas", "replica-hours", "cost multiple".
const char* Name(LimitKind kind);

// A limit that was passed.
struct LimitBreach {
  LimitKind kind = LimitKind::kBadMinutes;
  double allowed = 0;
  double reached = 0;    // in the end; of replicas the most
  Instant at{};          // when it was passed; for bad minutes the first bad request of the minute
                         // that was one too many
  std::string why;       // the pool at that time, one line
  std::string decision;  // the last decision before, as `tidegate explain` prints it
};

// What came of the judged time.
struct Verdict {
  int bad_minutes = 0;
  Replicas peak_replicas = 0;
  double replica_hours = 0;
  double arrived = 0;  // requests
  double bad = 0;
  std::vector<LimitBreach> breaches;  // in the order of LimitKind
};

// Judges one pool's run while it goes on. Only what happens from `from` on counts, so that a run
// can warm up.
class LimitCheck {
 public:
  LimitCheck(const Limits& limits, const MinuteObjective& objective, Instant from, Instant until)
      : limits_(limits), objective_(objective), from_(from), until_(until) {}

  // The pool's decisions and looks at it, in order of time. `total` counts since the run's start; a
  // look stands for the time since the one before it.
  void Decide(const decision::Decision& decision) { last_ = decision; }
  void Look(Instant at, const Moment& moment, const Flow& total);

  Verdict Finish();

 private:
  struct Minute {
    double arrived = 0;
    double bad = 0;
    std::optional<LimitBreach> first_bad;  // what a breach of this minute would say
  };

  LimitBreach Describe(LimitKind kind, double allowed, Instant at, const Moment& moment) const;
  void Pass(LimitKind kind, double allowed, Instant at, const Moment& moment);
  void LookAtRequests(Instant at, const Moment& moment, double arrived, double known_bad);
  void EndMinute();

  Limits limits_;
  MinuteObjective objective_;
  Instant from_;
  Instant until_;
  std::optional<decision::Decision> last_;
  std::optional<Instant> looked_;
  Flow before_;
  Minute minute_;
  Verdict verdict_;
};

}  // namespace tidegate::sim
