#pragma once

#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/guards/guarded.h"

namespace tidegate::guards {

// Leaves the pool at its current size where the change is at most `tolerance` of it, by the rules
// of the change's direction.
//
// The HPA compares the metric's ratio to its target; we compare replicas. The two agree for large
// pools; in small ones the ratio hides an overload (5 replicas that need 5.5 stay at 5 for the HPA
// and become 6 here). A change from 0 is never within tolerance.
Guarded Tolerate(Replicas proposed, Replicas current, const Behavior& behavior);

}  // namespace tidegate::guards
