#pragma once

#include "policies/base/expected.h"
#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"

namespace tidegate::sim {

// kInvalid where a scenario names pools that the manifests don't declare, or one in two ways that
// exclude each other.
Expected<void> CheckNames(const Scenario& scenario, const config::CompiledConfig& manifests);

}  // namespace tidegate::sim
