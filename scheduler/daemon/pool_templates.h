#pragma once

#include <string>
#include <vector>

#include "scheduler/adapters/process/pool_template.h"
#include "scheduler/config/compile.h"

namespace tidegate::daemon {

// What the process fleet needs to run the configured pools.
std::vector<adapters::PoolTemplate> PoolTemplates(const config::CompiledConfig& config);

// The fleet's own options; kNotFound where HAProxy isn't installed under that name.
Expected<adapters::ProcessFleetOptions> FleetOptions(const config::DaemonConfig& config);

}  // namespace tidegate::daemon
