#pragma once

#include <vector>

#include "policies/base/expected.h"
#include "scheduler/config/compile.h"
#include "scheduler/decision/decision.h"
#include "sim/report/table.h"
#include "sim/runner/scenario.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

struct RunResult {
  RunSummary summary;
  std::vector<decision::Decision> decisions;  // as a journal would hold them
};

// Runs the control loop over the trace, every pool of `manifests` under the same load. Pools begin
// with their declared size ready. kInvalid where a scenario and the manifests contradict each
// other.
Expected<RunResult> Simulate(const Scenario& scenario, const config::CompiledConfig& manifests,
                             const traces::Trace& trace);

}  // namespace tidegate::sim
