#pragma once

#include <filesystem>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::demo {

// What tidesim makes of a live run's metrics once it is over.
struct Hindsight {
  int real_peak = 0;       // replicas, by the daemon's metrics
  int candidate_peak = 0;  // of the same configuration, simulated under the demand there was
  double real_hours = 0;
  double candidate_hours = 0;
  int good_status = 0;  // of the gate for that configuration; 0: it passes
  int bad_status = 0;   // for one that may have two replicas at most; 1: a limit is passed
  std::string bad_why;  // which limit, when and why: lines of the gate's answer
};

// Backtests and gates the configuration below `dir` (tidegate.yaml, scenario.yaml, manifests)
// against its Prometheus, over the last `last`.
Expected<Hindsight> LookBack(const std::filesystem::path& dir, const std::filesystem::path& tidesim,
                             Duration last);

}  // namespace tidegate::demo
