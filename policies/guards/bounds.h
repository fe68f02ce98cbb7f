#pragma once

#include "policies/base/units.h"
#include "policies/guards/guarded.h"

namespace tidegate::guards {

// minReplicas and maxReplicas; the larger wins should they cross.
struct Bounds {
  Replicas min = 0;
  Replicas max = 0;
};
Guarded Bound(Replicas proposed, const Bounds& bounds);

}  // namespace tidegate::guards
