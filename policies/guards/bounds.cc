#include "policies/guards/bounds.h"

#include <fmt/format.h>

namespace tidegate::guards {

Guarded Bound(Replicas proposed, const Bounds& bounds) {
  if (proposed < bounds.min) {
    return Acted(Stage::kBounds, Reason::kTooFewReplicas, proposed, bounds.min,
                 fmt::format("minReplicas is {}", bounds.min));
  }
  if (proposed > bounds.max && bounds.max >= bounds.min) {
    return Acted(Stage::kBounds, Reason::kTooManyReplicas, proposed, bounds.max,
                 fmt::format("maxReplicas is {}", bounds.max));
  }
  return Untouched(proposed);
}

}  // namespace tidegate::guards
