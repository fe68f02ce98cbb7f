#pragma once

#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/guards/guarded.h"

namespace tidegate::guards {

// The HPA's scaling policies. Each policy counts from the size at the start of its period,
//   start = current - added + removed      (by the events strictly newer than now - period),
// and allows start + pods or ceil(start * (1 + percent / 100)) upwards, start - pods or
// trunc(start * (1 - percent / 100)) downwards. Max takes the policy that allows the largest
// change, Min the one that allows the smallest, Disabled allows none. Upwards the rounding must
// not stop growth (1 + 10 % is 2); downwards 3 - 10 % is 2.
// The arithmetic is that of the Kubernetes controller to the last bit, doubles included.
// Rules without policies don't limit; manifests are checked to have one.
Guarded LimitRate(Replicas proposed, Replicas current, const Behavior& behavior,
                  const std::vector<ScaleEvent>& events, Instant now);

// Adds a change of size (0: none) and drops the events that have left every policy's period. The
// HPA keeps growth for the longest "up" period only, shrinks for the longest "down" period, though
// both directions read both lists; we keep either for as long as any policy can ask for it.
std::vector<ScaleEvent> RememberChange(std::vector<ScaleEvent> events, Replicas change,
                                       const Behavior& behavior, Instant now);

}  // namespace tidegate::guards
