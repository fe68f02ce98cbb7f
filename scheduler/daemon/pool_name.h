#pragma once

#include <string>

#include "policies/base/expected.h"
#include "policies/base/units.h"

namespace tidegate::daemon {

// "NAMESPACE/NAME" of a command line.
Expected<PoolId> ParsePoolName(const std::string& text);

}  // namespace tidegate::daemon
