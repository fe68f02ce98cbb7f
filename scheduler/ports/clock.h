#pragma once

#include "policies/base/instant.h"

namespace tidegate::ports {

// Where the control loop learns the time. Real: scheduler/adapters/system_clock; simulated:
// sim/engine.
class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes backwards between two calls on one object.
  virtual Instant Now() = 0;
};

}  // namespace tidegate::ports
