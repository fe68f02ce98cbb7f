#include "policies/base/scaling_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidegate {

std::int64_t MostAllowed(const ScalingPolicy& policy, std::int64_t start) {
  if (policy.type == ScalingPolicyType::kPods) return start + policy.value;
  constexpr auto kLimit = static_cast<double>(std::numeric_limits<Replicas>::max());
  const double most = std::ceil(static_cast<double>(start) * (1 + double{1} * policy.value / 100));
  return static_cast<std::int64_t>(std::clamp(most, -kLimit, kLimit));
}

}  // namespace tidegate
