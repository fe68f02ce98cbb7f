#pragma once

#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/units.h"

namespace tidegate {

// Kubernetes's IntOrString for budgets: "25%", "1" or 1. Percentages may exceed 100 (surge).
struct IntOrPercent {
  Replicas value = 0;  // >= 0; replicas, or whole percent
  bool percent = false;
  bool operator==(const IntOrPercent&) const = default;
};

// Accepts "25%", "25 %" is an error; at most kMaxReplicas, or 100,000 %.
Expected<IntOrPercent> ParseIntOrPercent(std::string_view text);
std::string ToString(const IntOrPercent& value);

// Against a pool of `size` replicas. Surge rounds up (7 * 25 % = 2), unavailable rounds down (7 *
// 25 % = 1), as Kubernetes's ResolveFenceposts does.
Replicas ResolveUp(const IntOrPercent& value, Replicas size);
Replicas ResolveDown(const IntOrPercent& value, Replicas size);

}  // namespace tidegate
