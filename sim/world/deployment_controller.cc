#include "sim/world/deployment_controller.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

using signals::Phase;
using signals::ReplicaView;

// A rollout takes a few syncs for each set; far more means that they go round in circles.
constexpr int kMostSyncs = 10'000;

bool IsPod(const ReplicaView& view) { return view.phase != Phase::kDraining; }

}  // namespace

DeploymentController::DeploymentController(Calendar& calendar, PlacedPool& pool, std::string name,
                                           const DeploymentOptions& options)
    : calendar_(calendar), pool_(pool), name_(std::move(name)), options_(options) {
  TIDEGATE_CHECK(options_.watch > Duration(0), "time passes between two looks");
}

void DeploymentController::Adopt(const Revision& revision, Replicas replicas) {
  deployment_.replicas = replicas;
  deployment_.revision = revision;
  deployment_.surge = options_.surge;
  deployment_.unavailable = options_.unavailable;
  deployment_.sets = {{.revision = revision,
                       .spec = replicas,
                       .desired_then = replicas,
                       .max_then = Resolve(deployment_).most}};
  next_ = replicas + 1;
  Watch();
}

void DeploymentController::Scale(Replicas replicas) {
  if (deployment_.replicas == replicas) return;
  deployment_.replicas = replicas;
  Look();
}

void DeploymentController::SetRevision(const Revision& revision) {
  if (deployment_.revision == revision) return;
  deployment_.revision = revision;
  Look();
}

Replicas DeploymentController::terminating() const {
  return signals::Count(pool_.Views()).draining;
}

void DeploymentController::Watch() {
  Look();
  calendar_.At(calendar_.Now() + options_.watch, [this] { Watch(); });
}

void DeploymentController::Look() {
  DeploymentLook look;
  look.at = calendar_.Now();
  Evict(look);
  for (int syncs = 0;; ++syncs) {
    TIDEGATE_CHECK(syncs < kMostSyncs, "a Deployment's syncs come to an end");
    Count();
    Reconcile(look);
    Count();
    Synced synced = Sync(deployment_);
    if (synced.deployment == deployment_) break;
    deployment_ = std::move(synced.deployment);
    look.resizes.insert(look.resizes.end(), synced.resizes.begin(), synced.resizes.end());
  }
  // What drains in no time has made room for others.
  if (!look.drained.empty()) calendar_.At(look.at, [this] { Look(); });
  const bool idle = look.resizes.empty() && look.started.empty() && look.drained.empty();
  if (told_ && (!idle || !look.refusal.empty())) told_(look);
}

void DeploymentController::Evict(DeploymentLook& look) {
  for (const ReplicaView& view : pool_.Views()) {
    if (view.phase != Phase::kFailed) continue;
    if (look.at - view.since < options_.eviction && pool_.IsCutOff(view.name)) continue;
    look.drained.push_back(view.name);
  }
  for (const std::string& pod : look.drained) pool_.Drain(pod);
}

bool DeploymentController::IsAvailable(const ReplicaView& view) const {
  return view.phase == Phase::kReady && calendar_.Now() - view.since >= options_.min_ready;
}

void DeploymentController::Count() {
  for (ReplicaSet& set : deployment_.sets) set.pods = set.available = 0;
  for (const ReplicaView& view : pool_.Views()) {
    if (!IsPod(view)) continue;
    const auto set = std::ranges::find(deployment_.sets, view.revision, &ReplicaSet::revision);
    TIDEGATE_CHECK(set != deployment_.sets.end(), "a pod is of a set");
    ++set->pods;
    if (IsAvailable(view)) ++set->available;
  }
}

void DeploymentController::Reconcile(DeploymentLook& look) {
  look.refusal.clear();
  for (const ReplicaSet& set : deployment_.sets) {
    if (set.pods > set.spec) Delete(set, set.pods - set.spec, look);
  }
  for (const ReplicaSet& set : deployment_.sets) {
    if (set.pods < set.spec) Create(set, set.spec - set.pods, look);
  }
}

void DeploymentController::Create(const ReplicaSet& set, Replicas count, DeploymentLook& look) {
  for (Replicas i = 0; i < count; ++i) {
    if (const auto room = pool_.HasRoom(); !room) {
      look.refusal =
          fmt::format("{} pods of {}: {}", count - i, set.revision, room.error().message);
      return;
    }
    look.started.push_back(fmt::format("{}-{}-{}", name_, set.revision, next_++));
    pool_.Start(look.started.back(), set.revision);
  }
}

void DeploymentController::Delete(const ReplicaSet& set, Replicas count, DeploymentLook& look) {
  std::vector<ReplicaView> pods;
  for (const ReplicaView& view : pool_.Views()) {
    if (IsPod(view) && view.revision == set.revision) pods.push_back(view);
  }
  const auto rank = [](const ReplicaView& view) {
    return std::tuple(view.phase == Phase::kReady, -view.since.time_since_epoch(),
                      -view.started.time_since_epoch());
  };
  std::ranges::stable_sort(pods, {}, rank);
  for (Replicas i = 0; i < count; ++i) {
    const std::string& pod = pods[static_cast<std::size_t>(i)].name;
    look.drained.push_back(pod);
    pool_.Drain(pod);
  }
}

}  // namespace tidegate::sim
