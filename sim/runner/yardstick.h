#pragma once

#include "scheduler/config/compile.h"
#include "sim/report/table.h"
#include "sim/runner/scenario.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// Fills in the yardstick of each pool of a run of this scenario, these manifests and this load: of
// those that the load goes to, so not of the later ones of a chain.
// Not part of Simulate(): a week of seconds takes a few tenths of a second, twice where `bounds`
// asks for Yardstick::same_loss too and the objective was missed.
enum class Bounds { kOracle, kSameLossToo };
void AddYardsticks(RunSummary& run, const Scenario& scenario,
                   const config::CompiledConfig& manifests, const traces::Trace& load,
                   Bounds bounds = Bounds::kSameLossToo);

}  // namespace tidegate::sim
