#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// A configuration that can be simulated.
struct Case {
  Scenario scenario;
  config::CompiledConfig manifests;
};

// A scenario, its manifests, and everything that is wrong with them.
struct LoadedCase {
  Case value;
  config::Problems problems;  // `value` is of use only where this is empty
};
LoadedCase LoadCase(const std::string& scenario);

// Traces by file, each read once and shared by all runs.
class TraceShelf {
 public:
  // The whole file's trace.
  Expected<std::shared_ptr<const traces::Trace>> Get(const std::string& file);

 private:
  std::map<std::string, std::shared_ptr<const traces::Trace>> traces_;
};

// The load of a scenario: `trace` itself where it is not scaled, else a copy.
std::shared_ptr<const traces::Trace> LoadOf(const Scenario& scenario,
                                            std::shared_ptr<const traces::Trace> trace);

// One run with this seed in place of the scenario's, with its yardsticks. Errors as of Simulate().
Expected<RunResult> RunWithSeed(const Case& input, const traces::Trace& load, std::uint64_t seed,
                                Bounds bounds, const Recorder& recorder = {});

}  // namespace tidegate::sim
