#pragma once

#include <vector>

#include "policies/base/instant.h"
#include "scheduler/config/fields.h"
#include "sim/world/deployment_controller.h"
#include "sim/world/placed_pool.h"

namespace tidegate::sim {

// Who starts and drains a pool's replicas.
enum class Owner {
  kManaged,     // our planner, step by step
  kDeployment,  // a Kubernetes Deployment: it is told a size and a template and does the rest
};

// A scenario's replicas: whose they are, where they may be, and when their template changes. The
// same for each pool.
struct FleetModel {
  Owner owner = Owner::kManaged;
  DeploymentOptions deployment;    // surge and unavailable are the gateway's, not the scenario's
  Placement placement;             // losses count from the trace's start
  std::vector<Duration> rollouts;  // each pool gets another template then; rising
};

// Reads these fields of a scenario's spec.
void ReadFleet(config::Fields& fields, FleetModel* fleet);

}  // namespace tidegate::sim
