#pragma once

#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/decision/counterfactual.h"

namespace tidegate::daemon {

// What is asked to be otherwise, as command lines say it.
struct CounterfactualNames {
  std::vector<std::string> without;   // stages, as in a decision's limits
  std::vector<std::string> policies;  // of the catalog; instead of the pool's
};

// kInvalid with every name that is none, and the names that there are.
Expected<decision::Counterfactual> ParseCounterfactual(const CounterfactualNames& names);

// "sizing, hold, ..." and "forecast, kpa, ...": for help texts.
std::string StageNames();
std::string PolicyNames();

}  // namespace tidegate::daemon
