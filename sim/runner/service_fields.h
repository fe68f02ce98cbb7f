#pragma once

#include "scheduler/config/fields.h"
#include "sim/world/service_model.h"

namespace tidegate::sim {

// The scenario's `service`: what replicas are like in both modes.
void ReadService(const config::Value& value, ServiceModel* service);

// The scenario's `requests`: what only mode requests looks at. Empirical service times set the mean
// in `service`, so they are to be read after it.
void ReadRequests(const config::Value& value, ServiceModel* service);

}  // namespace tidegate::sim
