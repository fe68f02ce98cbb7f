#pragma once

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::ports {

// Where the control loop's steps go.
class Actuator {
 public:
  virtual ~Actuator() = default;
  // Success means "accepted", no more: whether a replica serves is learned from a later
  // observation. Idempotent by the step's replica name. An error means that the step was not and
  // will not be taken.
  virtual Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) = 0;
};

}  // namespace tidegate::ports
