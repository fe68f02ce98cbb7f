#pragma once

#include "policies/sizing/stated_capacity.h"
#include "scheduler/config/fields.h"

namespace tidegate::config {

struct GatewayScaler;

// `capacity` of a GatewayScaler. Complains about everything that is wrong, contradictions included:
// a service that takes longer than the objective allows, a rate that so many workers can't serve.
sizing::Capacity ReadCapacity(const Value& value);

// True where a policy sizes the pool by a latency objective and finds all that it needs for that in
// `capacity` and `signals`. Complains where `queueing`, which can't do without, does not.
bool CheckObjective(const Value& spec, const GatewayScaler& scaler);

}  // namespace tidegate::config
