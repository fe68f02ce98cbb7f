#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/report/limits.h"
#include "sim/runner/candidate.h"
#include "traces/format/trace.h"
#include "traces/history/counters.h"
#include "traces/history/spikes.h"

namespace tidegate::sim {

// A load to look for spikes in.
struct SpikeSource {
  PoolId pool;
  std::string name;  // of the file, or of the Prometheus
  traces::Trace trace;
  Instant start{};                                   // of the trace, by the clock
  std::vector<traces::ScrapedReplica> scraped = {};  // of a live pool, as in traces::ObservedLoad
};

struct GateOptions {
  traces::SpikeRule rule = {};
  std::size_t last = 5;  // spikes of each pool that are replayed
  int replications = 1;  // of each spike, seed by seed from the scenario's on
  bool whole = false;    // each source is replayed as it is, as if it were one spike
  // Before a spike the pool lives through this much of the source, or of the spike's baseline where
  // the source begins later. Not judged.
  Duration lead = std::chrono::minutes(10);
  Duration after = std::chrono::minutes(5);  // of the source; judged
  Limits limits = {};                        // hold for each spike
  MinuteObjective objective = {};
};

// One spike with the candidate in charge. Of several runs the worst is shown: that which passes
// most limits, then with most bad requests, then the dearest.
struct ReplayedSpike {
  PoolId pool;
  std::string source;
  Instant source_start{};
  traces::Spike spike;  // times since the source's start
  Duration judged_until{0};
  int runs = 0;
  int failed_runs = 0;     // that passed a limit
  std::uint64_t seed = 0;  // of the run that is shown
  Verdict verdict;
  // What all of the replay cost, its lead included, over what the clairvoyant oracle pays to keep
  // the scenario's objective; unset where no policy can keep it.
  std::optional<double> cost_multiple;
};

struct GateResult {
  std::vector<ReplayedSpike> spikes;  // by pool, then as they follow in the sources
  Limits limits;
  MinuteObjective objective = {};
  bool passed() const;           // no limit was passed
  std::size_t unjudged() const;  // spikes whose cost has a limit and nothing to measure it by
};

using GateProgress = std::function<void(std::size_t done, std::size_t all)>;

// Replays the last spikes of the sources. kNotFound where there is no spike: nothing was tried
// then, and that must not pass for a success. Other errors as of Simulate().
Expected<GateResult> RunGate(const Candidate& candidate, const std::vector<SpikeSource>& sources,
                             const GateOptions& options, const GateProgress& progress);

// For people: a line for each spike, and for each limit that was passed when and why.
std::string ToText(const GateResult& result);
// The same as one JSON object.
std::string ToJson(const GateResult& result);

}  // namespace tidegate::sim
