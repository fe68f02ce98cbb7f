#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"
#include "sim/checks/budget_check.h"

namespace tidegate::sim {

// What a Deployment promises of its pods.
struct DeploymentPromise {
  IntOrPercent surge;
  IntOrPercent unavailable;
  Duration min_ready{0};
  std::optional<Replicas> quota;
  std::optional<Duration> drain_deadline;  // unset: B5's deadline is not checked
};

// Watches one pool that a Deployment owns, from outside: by its pods and its size alone, sharing no
// code with the model of it. Budgets B1 to B3 are promises of our planner that a Deployment doesn't
// make: a change of its size is throttled by nothing. In their place stand its own:
//
//   D1  pods that don't terminate, of all revisions, grow to no more than replicas + surge
//   D2  a rollout deletes no available pod that takes the available ones below
//       replicas - unavailable; what a change of size deletes in that instant is not judged
//   B4  replicas that exist grow to no more than the quota
//   B5  a draining pod never serves again, and is gone by its deadline
//
// Percentages of replicas: surge up, unavailable down; both 0 makes unavailable 1.
class DeploymentCheck {
 public:
  explicit DeploymentCheck(const DeploymentPromise& promise) : promise_(promise) {}

  // What there is, after each time the controller did something; other times do no harm. The first
  // call is taken as it is.
  void See(Instant at, Replicas replicas, std::span<const signals::ReplicaView> pods);

  const std::vector<BudgetBreach>& breaches() const { return breaches_; }

 private:
  bool IsAvailable(Instant at, const signals::ReplicaView& pod) const;
  void CheckDrains(Instant at, std::span<const signals::ReplicaView> pods);
  void Breach(Instant at, const char* rule, std::string what);

  DeploymentPromise promise_;
  bool seen_ = false;
  Replicas replicas_ = 0;   // at the last call
  Replicas pods_ = 0;       // that did not terminate
  Replicas available_ = 0;  // now
  Replicas exist_ = 0;
  std::vector<std::string> draining_;  // sorted
  std::vector<std::string> late_;      // told already; sorted
  std::vector<BudgetBreach> breaches_;
};

}  // namespace tidegate::sim
