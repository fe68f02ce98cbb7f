#pragma once

#include <optional>
#include <string>
#include <utility>

#include "policies/base/units.h"
#include "policies/guards/desired.h"

namespace tidegate::guards {

// What one guard makes of a number: the number after it, and where it acted, what it did and why.
struct Guarded {
  Replicas replicas = 0;
  std::optional<Limit> limit;
};

inline Guarded Untouched(Replicas replicas) { return Guarded{replicas, std::nullopt}; }

inline Guarded Acted(Stage stage, Reason reason, Replicas before, Replicas after,
                     std::string detail) {
  return Guarded{after, Limit{stage, reason, before, after, std::move(detail)}};
}

}  // namespace tidegate::guards
