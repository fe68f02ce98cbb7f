#pragma once

#include <filesystem>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/units.h"
#include "tests/demo/parts.h"

namespace tidegate::demo {

// One run of the demo, and the same run simulated request by request with what is measured of it:
// its start-up delay, the moment of its rollout, when Prometheus found and scraped its replicas and
// when the daemon ticked, since both decide how late the crowd is seen, and what its proxies add to
// the upstream's time. Requests come when the replay sent them. What is left to the seed, which
// request takes how long, is averaged over several.
struct Fidelity {
  double startup_seconds = 0;   // from a start to ready, the median of the run
  double overhead_ms = 0;       // of proxies and client, beside the upstream's time; the median
  double ready_difference = 0;  // of ready replicas, absolute, second by second, on average
  double live_p99_ms = 0;
  double simulated_p99_ms = 0;  // mean of all seeds
  double least_p99_ms = 0;      // of any seed
  double most_p99_ms = 0;
  Replicas live_peak = 0;     // ready replicas
  double simulated_peak = 0;  // mean of all seeds
};

// Compares the run that left `dir`, its journal and its replay's report, with `seeds` simulations,
// seeds from 1 on. `trace` is what was replayed. Writes the simulation's scenario into `dir`.
// Precondition: seeds >= 1.
Expected<Fidelity> MeasureFidelity(const std::filesystem::path& dir, const Programs& programs,
                                   const std::filesystem::path& trace, int seeds);

// Prints a line for each run and what they have in common. True if each run's ready replicas differ
// by one at most on average and its peak by one, and if the mean of the 99th percentiles of all
// runs differs by a quarter at most from that of all their simulations; of how many runs that holds
// by themselves is printed too.
bool PrintFidelity(const std::vector<std::filesystem::path>& dirs, const Programs& programs,
                   const std::filesystem::path& trace);

}  // namespace tidegate::demo
