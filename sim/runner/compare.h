#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "sim/report/comparison.h"
#include "sim/runner/command.h"

namespace tidegate::sim {

struct CompareOptions {
  std::vector<std::string> scenarios;  // files; the first is what the others are compared with
  int replications = 5;                // >= 1
  std::uint64_t seed = 1;              // of the first run of each; the next has the next one
  double confidence = 0.95;
  WarmUpRule warm_up;
  int threads = 0;  // 0: one for each processor
  bool json = false;
  std::string report;  // file for a page with the first runs of two scenarios; empty: none
};

// Runs every scenario as often as asked, run i of each with the same seed, and prints the
// comparison. Returns the exit status.
int RunCompare(const CompareOptions& options, Streams streams);

}  // namespace tidegate::sim
