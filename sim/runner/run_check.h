#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/signals/snapshot.h"
#include "scheduler/decision/decision.h"
#include "scheduler/loop/control_loop.h"
#include "sim/checks/budget_check.h"
#include "sim/checks/deployment_check.h"
#include "sim/runner/scenario.h"
#include "sim/world/deployment.h"

namespace tidegate::sim {

struct PoolBreach {
  PoolId pool;
  BudgetBreach breach;
};
// One line each: "istio-system/edge 2026-01-01T00:00:30Z B1: 9 live of at most 8 ...".
std::string ToText(const std::vector<PoolBreach>& breaches);

// Holds a run's pools to what is promised of them: managed ones to B1-B5 at each tick, those of a
// Deployment to D1, D2, B4 and B5 each time it did something. A pool in dry run, whose replicas
// nobody moves, is not checked.
class RunCheck {
 public:
  // `specs` as they are decided by.
  RunCheck(const std::vector<decision::PoolSpec>& specs, const Scenario& scenario);

  // One tick: what was observed, and then what was decided from it. Steps that were refused count
  // for nothing, as for the control loop.
  void Observed(const signals::Snapshot& snapshot);
  void Decided(const loop::Tick& tick);
  // What a Deployment made of its pods.
  void Looked(const PoolId& pool, Instant at, const Deployment& deployment,
              std::span<const signals::ReplicaView> pods);

  std::vector<PoolBreach> breaches() const;

 private:
  struct Managed {
    BudgetCheck check;
    std::optional<Replicas> quota;
    std::vector<signals::ReplicaView> seen = {};
    Instant seen_at{};
    bool news = true;  // since the last decision
    Replicas desired = 0;
    Revision revision = {};
  };
  void Decided(const decision::Decision& decision, const loop::Tick& tick);
  void SeeChanges(Managed& managed, std::span<const signals::ReplicaView> now);

  std::map<PoolId, Managed> managed_;
  std::map<PoolId, DeploymentCheck> deployments_;
};

}  // namespace tidegate::sim
