#pragma once

#include <functional>
#include <string>
#include <vector>

#include "scheduler/daemon/api.h"
#include "scheduler/daemon/published.h"

namespace tidegate::daemon {

// The body of GET /api/v1/pools: the configuration's standing, and for each pool what it is, what
// it should be and why. Documented in scheduler/daemon/README.md.
std::string StatusJson(const Shown& shown, const ApiContext& context);

}  // namespace tidegate::daemon
