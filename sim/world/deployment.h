#pragma once

#include <optional>
#include <vector>

#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"

namespace tidegate::sim {

// The arithmetic of the Kubernetes Deployment controller with strategy RollingUpdate, as values and
// functions: which ReplicaSet is told to have how many pods. Written from the behaviour of
// pkg/controller/deployment (rolling.go, sync.go, util) up to Kubernetes 1.36.
//
// Not modelled: strategy Recreate, podReplacementPolicy (alpha in 1.36), and
// progressDeadlineSeconds, which sets a condition and changes no pod.

// The pods of one revision of the template.
struct ReplicaSet {
  Revision revision;
  Replicas spec = 0;       // pods that it is told to have; active where > 0
  Replicas pods = 0;       // that it has; terminating ones don't count (status.replicas)
  Replicas available = 0;  // of them, ready for minReadySeconds; <= pods
  // The Deployment's replicas, and replicas + surge, when this set was last scaled: annotations
  // deployment.kubernetes.io/desired-replicas and max-replicas. Unset: it never was.
  std::optional<Replicas> desired_then = std::nullopt;
  std::optional<Replicas> max_then = std::nullopt;
  bool operator==(const ReplicaSet&) const = default;
};

struct Deployment {
  Replicas replicas = 1;  // spec.replicas
  Revision revision;      // of spec.template
  IntOrPercent surge{25, true};
  IntOrPercent unavailable{25, true};
  bool paused = false;             // scales, and rolls nothing out
  std::size_t history_limit = 10;  // revisionHistoryLimit: old empty sets that are kept
  std::vector<ReplicaSet> sets;    // oldest first, by creation; one of each revision
  bool operator==(const Deployment&) const = default;
};

// The budgets of a Deployment of its present size, in pods.
struct Fenceposts {
  Replicas surge = 0;
  Replicas unavailable = 0;  // <= replicas
  Replicas most = 0;         // replicas + surge: non-terminating pods
  Replicas least = 0;        // replicas - unavailable: available pods
};
// Percentages of spec.replicas, surge up and unavailable down; where both come out as 0,
// unavailable is 1.
Fenceposts Resolve(const Deployment& deployment);

// status, summed over all sets; terminating pods are in none of it.
struct DeploymentStatus {
  Replicas replicas = 0;
  Replicas updated = 0;  // of the present revision
  Replicas available = 0;
  Replicas unavailable = 0;
};
DeploymentStatus StatusOf(const Deployment& deployment);
// Exactly `replicas` pods, all of the present revision and available.
bool IsComplete(const Deployment& deployment);

enum class ResizeReason {
  kOnlySet,       // the only active set takes the Deployment's size at once
  kSaturated,     // the new set has all that is wanted: the old ones go
  kProportional,  // several sets are active: each takes its share of a change of size
  kCreated,       // the new revision's set came to be
  kNewSet,        // a rollout's new set grows into the room under `most`, or shrinks to replicas
  kUnhealthy,     // a rollout's old set loses what is not available
  kOldSet,        // a rollout's old set shrinks as far as `least` allows
};
const char* Name(ResizeReason reason);

struct Resize {
  Revision revision;
  Replicas from = 0;
  Replicas to = 0;
  ResizeReason reason = ResizeReason::kOnlySet;
  bool operator==(const Resize&) const = default;
};

struct Synced {
  Deployment deployment;  // with the new sizes and annotations
  std::vector<Resize> resizes;
};

// One sync. It takes one step at most: a change of size (spec.replicas differs from what an active
// set was scaled for, or the Deployment is paused), or else growth of the new set, or else
// shrinking of the old ones; a set that is created in it may be followed by a shrink. The
// controller is level-triggered: sync again until nothing changes, and after that whenever a set's
// pods do.
//
// Changes of size are not throttled by the budgets. Like the original, this can get stuck: where
// the only active set happens to have the wanted size already, its annotation is not renewed, and
// each sync takes the rollout for a change of size (kubernetes/kubernetes#138036); IsStuck() tells.
Synced Sync(Deployment deployment);
bool IsStuck(const Deployment& deployment);

}  // namespace tidegate::sim
