#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/units.h"
#include "tests/demo/parts.h"

namespace tidegate::demo {

// One run of the demo, and the same run simulated request by request with its measured start-up
// delay and the moment of its rollout.
struct Fidelity {
  double startup_seconds = 0;   // from a start to ready, the median of the run
  double ready_difference = 0;  // of ready replicas, absolute, second by second, on average
  double live_p99_ms = 0;
  double simulated_p99_ms = 0;
  Replicas live_peak = 0;  // ready replicas
  Replicas simulated_peak = 0;
};

// Compares the run that left `dir`: its journal and its replay's report. `trace` is what was
// replayed; `seed` is the simulation's. Writes the simulation's scenario into `dir`.
Expected<Fidelity> MeasureFidelity(const std::filesystem::path& dir, const Programs& programs,
                                   const std::filesystem::path& trace, std::uint64_t seed);

// Prints a line for each run and what they have in common. True if each run's ready replicas differ
// by one at most on average and its peaks by one, and if the mean of the 99th percentiles differs
// by a quarter at most. (One run's percentile says little: when Prometheus happens to scrape while
// the crowd arrives moves it between 60 and 290 ms, live and simulated.)
bool PrintFidelity(const std::vector<std::filesystem::path>& dirs, const Programs& programs,
                   const std::filesystem::path& trace);

}  // namespace tidegate::demo
