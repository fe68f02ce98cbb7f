#include "sim/world/deployment.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>

namespace tidegate::sim {
namespace {

constexpr std::array<const char*, 7> kNames{"only set", "saturated", "proportional", "created",
                                            "new set",  "unhealthy", "old set"};

bool IsActive(const ReplicaSet& set) { return set.spec > 0; }

Replicas SumOfSpecs(const Deployment& deployment) {
  Replicas sum = 0;
  for (const ReplicaSet& set : deployment.sets) sum += set.spec;
  return sum;
}

ReplicaSet* FindNew(Deployment& deployment) {
  const auto at = std::ranges::find(deployment.sets, deployment.revision, &ReplicaSet::revision);
  return at == deployment.sets.end() ? nullptr : &*at;
}

const ReplicaSet* FindNew(const Deployment& deployment) {
  const auto at = std::ranges::find(deployment.sets, deployment.revision, &ReplicaSet::revision);
  return at == deployment.sets.end() ? nullptr : &*at;
}

// The one active set; the newest where none is; nobody where several are.
ReplicaSet* OnlyActiveOrLatest(Deployment& deployment) {
  const auto active = std::ranges::count_if(deployment.sets, IsActive);
  if (active > 1 || deployment.sets.empty()) return nullptr;
  if (active == 1) return &*std::ranges::find_if(deployment.sets, IsActive);
  ReplicaSet* const latest = FindNew(deployment);
  return latest != nullptr ? latest : &deployment.sets.back();
}

bool IsSaturated(const Deployment& deployment) {
  const ReplicaSet* const latest = FindNew(deployment);
  return latest != nullptr && latest->desired_then == deployment.replicas &&
         latest->spec == deployment.replicas && latest->available == deployment.replicas;
}

bool SizeHasChanged(const Deployment& deployment) {
  return std::ranges::any_of(deployment.sets, [&](const ReplicaSet& set) {
    return IsActive(set) && set.desired_then && *set.desired_then != deployment.replicas;
  });
}

// a / b to the nearest whole number, halves up. Precondition: a >= 0, b > 0.
Replicas Rounded(long long a, long long b) { return static_cast<Replicas>((2 * a + b) / (2 * b)); }

// What a set gains, or loses where it is negative, to keep its share of the whole.
Replicas ShareOf(const ReplicaSet& set, const Deployment& deployment, Replicas most) {
  if (deployment.replicas == 0) return -set.spec;
  Replicas before = set.max_then.value_or(0);
  if (before == 0) before = StatusOf(deployment).replicas;
  if (before == 0) return 0;
  return Rounded(static_cast<long long>(set.spec) * most, before) - set.spec;
}

class Syncing {
 public:
  explicit Syncing(Deployment deployment)
      : deployment_(std::move(deployment)), posts_(Resolve(deployment_)) {}

  Synced Run() {
    if (deployment_.paused || SizeHasChanged(deployment_)) {
      Scale();
    } else {
      RollOut();
    }
    return {std::move(deployment_), std::move(resizes_)};
  }

 private:
  void Set(ReplicaSet& set, Replicas to, ResizeReason reason) {
    if (set.spec != to) resizes_.push_back({set.revision, set.spec, to, reason});
    set.spec = to;
    set.desired_then = deployment_.replicas;
    set.max_then = posts_.most;
  }
  // As the rollout does it: a set that has the size already keeps its annotations.
  bool SetIfOther(ReplicaSet& set, Replicas to, ResizeReason reason) {
    if (set.spec == to) return false;
    Set(set, to, reason);
    return true;
  }

  void Scale() {
    if (ReplicaSet* const only = OnlyActiveOrLatest(deployment_)) {
      SetIfOther(*only, deployment_.replicas, ResizeReason::kOnlySet);
    } else if (IsSaturated(deployment_)) {
      for (ReplicaSet& set : deployment_.sets) {
        if (set.revision != deployment_.revision) SetIfOther(set, 0, ResizeReason::kSaturated);
      }
    } else if (!deployment_.sets.empty()) {
      ScaleInProportion();
    }
  }

  // Active sets, the larger first; of equal ones the newer first to grow, the older first to
  // shrink.
  std::vector<ReplicaSet*> BySize(bool growing) {
    std::vector<ReplicaSet*> sets;
    for (ReplicaSet& set : deployment_.sets) {
      if (IsActive(set)) sets.push_back(&set);
    }
    if (growing) std::ranges::reverse(sets);
    std::ranges::stable_sort(sets, std::ranges::greater{}, &ReplicaSet::spec);
    return sets;
  }

  void ScaleInProportion() {
    const Replicas allowed = deployment_.replicas > 0 ? posts_.most : 0;
    const Replicas add = allowed - SumOfSpecs(deployment_);
    Replicas added = 0;
    const auto sets = BySize(add > 0);
    std::vector<Replicas> sizes;
    for (const ReplicaSet* set : sets) {
      Replicas share = 0;
      if (add != added) {
        share = ShareOf(*set, deployment_, posts_.most);
        share = add > 0 ? std::min(share, add - added) : std::max(share, add - added);
      }
      added += share;
      sizes.push_back(set->spec + share);
    }
    sizes.front() = std::max(0, sizes.front() + add - added);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      Set(*sets[i], sizes[i], ResizeReason::kProportional);
    }
  }

  void RollOut() {
    Create();
    if (GrowNew()) return;
    if (ShrinkOld()) return;
    if (IsComplete(deployment_)) ForgetHistory();
  }

  // What the new set may grow to under `most`.
  Replicas Room(Replicas spec) const {
    const Replicas room = std::max(0, posts_.most - SumOfSpecs(deployment_));
    return spec + std::min(room, deployment_.replicas - spec);
  }

  void Create() {
    if (FindNew(deployment_) != nullptr) return;
    const Replicas size = Room(0);
    deployment_.sets.push_back({.revision = deployment_.revision});
    Set(deployment_.sets.back(), size, ResizeReason::kCreated);
  }

  bool GrowNew() {
    ReplicaSet& set = *FindNew(deployment_);
    const Replicas to = set.spec > deployment_.replicas ? deployment_.replicas : Room(set.spec);
    return SetIfOther(set, to, ResizeReason::kNewSet);
  }

  bool ShrinkOld() {
    const ReplicaSet& latest = *FindNew(deployment_);
    const Replicas all = SumOfSpecs(deployment_);
    const Replicas spare = all - posts_.least - (latest.spec - latest.available);
    if (all == latest.spec || spare <= 0) return false;
    const bool cleaned = CleanUp(spare);
    return ShrinkAvailable() || cleaned;
  }

  // Pods that serve nobody cost nothing to lose.
  bool CleanUp(Replicas spare) {
    Replicas done = 0;
    for (ReplicaSet& set : deployment_.sets) {
      if (set.revision == deployment_.revision || !IsActive(set)) continue;
      const Replicas gone = std::min(spare - done, set.spec - set.available);
      if (gone <= 0) continue;
      Set(set, set.spec - gone, ResizeReason::kUnhealthy);
      done += gone;
    }
    return done > 0;
  }

  bool ShrinkAvailable() {
    const Replicas budget = StatusOf(deployment_).available - posts_.least;
    Replicas done = 0;
    for (ReplicaSet& set : deployment_.sets) {
      if (set.revision == deployment_.revision) continue;
      const Replicas gone = std::min(set.spec, budget - done);
      if (gone <= 0) continue;
      Set(set, set.spec - gone, ResizeReason::kOldSet);
      done += gone;
    }
    return done > 0;
  }

  // The oldest empty sets go.
  void ForgetHistory() {
    const auto forgettable = [&](const ReplicaSet& set) {
      return set.revision != deployment_.revision && set.spec == 0 && set.pods == 0;
    };
    auto count = static_cast<std::size_t>(std::ranges::count_if(deployment_.sets, forgettable));
    std::erase_if(deployment_.sets, [&](const ReplicaSet& set) {
      return forgettable(set) && count > deployment_.history_limit && count-- > 0;
    });
  }

  Deployment deployment_;
  Fenceposts posts_;
  std::vector<Resize> resizes_;
};

}  // namespace

const char* Name(ResizeReason reason) { return kNames[static_cast<std::size_t>(reason)]; }

Fenceposts Resolve(const Deployment& deployment) {
  Fenceposts posts;
  posts.surge = ResolveUp(deployment.surge, deployment.replicas);
  posts.unavailable = ResolveDown(deployment.unavailable, deployment.replicas);
  if (posts.surge == 0 && posts.unavailable == 0) posts.unavailable = 1;
  posts.unavailable = std::min(posts.unavailable, deployment.replicas);
  posts.most = deployment.replicas + posts.surge;
  posts.least = deployment.replicas - posts.unavailable;
  return posts;
}

DeploymentStatus StatusOf(const Deployment& deployment) {
  DeploymentStatus status;
  for (const ReplicaSet& set : deployment.sets) {
    status.replicas += set.pods;
    status.available += set.available;
    if (set.revision == deployment.revision) status.updated += set.pods;
  }
  status.unavailable = std::max(0, status.replicas - status.available);
  return status;
}

bool IsComplete(const Deployment& deployment) {
  const DeploymentStatus status = StatusOf(deployment);
  return status.updated == deployment.replicas && status.replicas == deployment.replicas &&
         status.available == deployment.replicas;
}

Synced Sync(Deployment deployment) { return Syncing(std::move(deployment)).Run(); }

bool IsStuck(const Deployment& deployment) {
  return !deployment.paused && SizeHasChanged(deployment) &&
         Sync(deployment).deployment == deployment;
}

}  // namespace tidegate::sim
