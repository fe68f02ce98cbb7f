#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "sim/engine/calendar.h"
#include "sim/world/deployment.h"
#include "sim/world/placed_pool.h"

namespace tidegate::sim {

struct DeploymentOptions {
  IntOrPercent surge{25, true};
  IntOrPercent unavailable{25, true};
  Duration min_ready{0};  // ready for this long is available (minReadySeconds)
  Duration watch{1'000};  // how often it learns of its pods; >= 1 ms
  // How long a pod that failed with its zone counts as one of its set's, before it is deleted and
  // replaced: Kubernetes's default toleration of nodes that don't answer. A zone that comes back
  // earlier has its pods replaced then.
  Duration eviction{300'000};
};

// What one look of the controller did.
struct DeploymentLook {
  Instant at{};
  std::vector<Resize> resizes;       // in order, of all its syncs
  std::vector<std::string> started;  // pods
  std::vector<std::string> drained;
  std::string refusal;  // not empty: pods are missing, and why
};

// Owns the replicas of one pool as a Deployment, its ReplicaSets and node eviction do. It looks
// each `watch`, and when it is told something: pods are counted, then syncs and what ReplicaSets do
// about them follow each other without delay, until nothing changes. Pods that can't be created are
// tried again at the next look.
//
// A ReplicaSet deletes those that are not ready first, then the youngest; it does not mind zones.
class DeploymentController {
 public:
  // `calendar` and `pool`, which must be `calendar`'s, must outlive this object. Pods are named
  // NAME-REVISION-NUMBER.
  DeploymentController(Calendar& calendar, PlacedPool& pool, std::string name,
                       const DeploymentOptions& options);

  // Begins with a rolled out Deployment that has what the pool has. Call once, before anything
  // else. Precondition: all replicas are of `revision`, and numbered to at most `replicas`.
  void Adopt(const Revision& revision, Replicas replicas);
  // Is told each look that did something, after it.
  void Tell(std::function<void(const DeploymentLook&)> told) { told_ = std::move(told); }

  // spec.replicas and spec.template; no effect where they are so.
  void Scale(Replicas replicas);
  void SetRevision(const Revision& revision);

  const Deployment& deployment() const { return deployment_; }
  // Pods that are being deleted: in no count of the Deployment's.
  Replicas terminating() const;

 private:
  void Watch();
  void Look();
  void Evict(DeploymentLook& look);
  void Count();
  bool IsAvailable(const signals::ReplicaView& view) const;
  void Reconcile(DeploymentLook& look);
  void Create(const ReplicaSet& set, Replicas count, DeploymentLook& look);
  void Delete(const ReplicaSet& set, Replicas count, DeploymentLook& look);

  Calendar& calendar_;
  PlacedPool& pool_;
  std::string name_;
  DeploymentOptions options_;
  Deployment deployment_;
  std::int64_t next_ = 1;  // number of the next pod
  std::function<void(const DeploymentLook&)> told_;
};

}  // namespace tidegate::sim
