#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "scheduler/decision/decision.h"
#include "scheduler/decision/replay.h"

namespace tidegate::decision {

struct SizeRange {
  Replicas least = 0;
  Replicas most = 0;
  bool operator==(const SizeRange&) const = default;
};

// What was recorded and what a replay said over the same time.
struct Compared {
  std::int64_t decisions = 0;
  SizeRange recorded;
  SizeRange replayed;
  double recorded_hours = 0;  // replica-hours of the sizes that were decided
  double replayed_hours = 0;
};

// Decisions one after the other whose size would have been another.
struct Stretch : Compared {
  Instant begin{};  // the first of them
  Instant end{};    // the first after them; the last of the record where there is none
  guards::Reason recorded_reason = guards::Reason::kDesiredWithinRange;  // of the first
  guards::Reason replayed_reason = guards::Reason::kDesiredWithinRange;
};

// One pool's record under another configuration.
struct PoolDiff : Compared {
  PoolId pool;
  Instant begin{};  // the first and the last decision that were compared
  Instant end{};
  std::int64_t differing = 0;
  // Of decisions that were made under the very configuration of the replay, those that came out
  // otherwise: what a replay can't know, not what the configuration changes.
  std::int64_t unexplained = 0;
  std::vector<std::string> missing;  // signals with a target that were never recorded
  std::vector<Stretch> stretches;    // in order of time, the first kMostStretches
  std::int64_t more_stretches = 0;
};
inline constexpr std::size_t kMostStretches = 10'000;

// Replays a pool's decisions under `spec` and compares the sizes.
class Differ {
 public:
  // Decisions before `since` only teach the replay what came before.
  Differ(PoolSpec spec, Instant since);

  // In order of time. Precondition: the decision is of the spec's pool.
  void Take(const Decision& recorded);

  PoolDiff Finish() &&;

 private:
  void Pass(Instant at);
  void Close(Instant at);
  void Open(const Decision& recorded, const Decision& replayed);

  PoolSpec spec_;
  Instant since_;
  Replay replay_;
  PoolDiff diff_;
  std::vector<bool> seen_;          // of the spec's targets: whether a reading was recorded
  std::optional<Stretch> stretch_;  // that is not over
  Instant at_{};                    // of the last decision that was compared
  Replicas recorded_ = 0;           // its sizes
  Replicas replayed_ = 0;
};

// As lines of plain text, equal for equal differences; at most 20 stretches.
std::string ToText(const PoolDiff& diff);

}  // namespace tidegate::decision
