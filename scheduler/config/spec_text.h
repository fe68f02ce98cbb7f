#pragma once

#include <string>
#include <vector>

#include "scheduler/config/gateway_scaler.h"
#include "scheduler/decision/decision.h"

namespace tidegate::config {

// All that a decision depends on, as text to be hashed into PoolSpec::config_version: equal texts
// for equal manifests, in whatever order and form they were written.
std::string SpecText(const decision::PoolSpec& spec, const std::vector<SignalDefinition>& signals);

}  // namespace tidegate::config
