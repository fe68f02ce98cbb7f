#pragma once

#include <span>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"
#include "scheduler/decision/decision.h"

namespace tidegate::ports {

// Where the control loop learns what is: replicas and readings of all pools.
class SignalSource {
 public:
  virtual ~SignalSource() = default;
  // One PoolSnapshot per spec, in their order. What can't be had of one pool is data
  // (Reading::quality, PoolSnapshot::fleet_error); an error means that nothing is known, and the
  // loop holds every pool.
  virtual Expected<signals::Snapshot> Observe(Instant now,
                                              std::span<const decision::PoolSpec> pools) = 0;
};

}  // namespace tidegate::ports
