#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "sim/ports/world_ports.h"
#include "sim/runner/fleet_model.h"

namespace tidegate::sim {

// A fleet and the pools' manifests contradict each other, or an event lies after the run's end.
Expected<void> Validate(const FleetModel& fleet, const std::vector<decision::PoolSpec>& specs,
                        Duration length);

// How pools are decided about in such a fleet. Managed ones are planned within the quota, as
// allocation would grant it. A Deployment's are in dry run: their size is decided, and the steps
// are what our own planner would do.
std::vector<decision::PoolSpec> SpecsFor(const FleetModel& fleet,
                                         std::vector<decision::PoolSpec> specs);

// The template's hash after a pool's rollout number `count`, from 1.
Revision NextRevision(const Revision& revision, std::size_t count);

// The replicas of a run's pools: keeps them in their place, and drives Deployments.
class Fleet {
 public:
  // What a Deployment did to a pool.
  using Looked =
      std::function<void(const PoolId&, const DeploymentController&, const DeploymentLook&)>;

  // All must outlive this object. `specs` as the manifests have them.
  Fleet(Calendar& calendar, World& world, const FleetModel& model,
        const std::vector<decision::PoolSpec>& specs);

  // The pool as this fleet lets it be. Call once for each spec, at the trace's start.
  std::unique_ptr<PoolModel> Place(const PoolId& pool, std::unique_ptr<PoolModel> inner);
  // Deployments take over what pools hold now, their declared replicas. Call once, after all pools
  // are in the world.
  void Begin(Looked looked);

  // Where the control loop's steps go: refused where there is no room.
  ports::Actuator& actuator() { return *actuator_; }
  // Each pool's size goes to its Deployment, if it has one and isn't in dry run by its manifest.
  void Decided(const std::vector<decision::Decision>& decisions);
  // A pool has another template.
  void Changed(const PoolId& pool, const Revision& revision);
  // Null for managed pools.
  const DeploymentController* FindDeployment(const PoolId& pool) const;

 private:
  Calendar& calendar_;
  World& world_;
  const FleetModel& model_;
  std::map<PoolId, const decision::PoolSpec*> specs_;
  std::map<PoolId, PlacedPool*> placed_;  // owned by world_
  std::map<PoolId, std::unique_ptr<DeploymentController>> deployments_;
  std::unique_ptr<ports::Actuator> actuator_;
};

}  // namespace tidegate::sim
