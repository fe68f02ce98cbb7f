#include "sim/checks/deployment_check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

using signals::Phase;
using signals::ReplicaView;

Replicas Part(const IntOrPercent& budget, Replicas size, bool up) {
  if (!budget.percent) return budget.value;
  const long long hundredths = static_cast<long long>(budget.value) * size;
  return static_cast<Replicas>((hundredths + (up ? 99 : 0)) / 100);
}

Replicas CountOf(std::span<const ReplicaView> pods, Phase phase) {
  return static_cast<Replicas>(std::ranges::count(pods, phase, &ReplicaView::phase));
}

}  // namespace

void DeploymentCheck::Breach(Instant at, const char* rule, std::string what) {
  breaches_.push_back({at, rule, std::move(what)});
}

bool DeploymentCheck::IsAvailable(Instant at, const ReplicaView& pod) const {
  return pod.phase == Phase::kReady && at - pod.since >= promise_.min_ready;
}

void DeploymentCheck::See(Instant at, Replicas replicas, std::span<const ReplicaView> pods) {
  const auto exist = static_cast<Replicas>(pods.size());
  const Replicas running = exist - CountOf(pods, Phase::kDraining);
  const Replicas surge = Part(promise_.surge, replicas, true);
  Replicas unavailable = Part(promise_.unavailable, replicas, false);
  if (surge == 0 && unavailable == 0) unavailable = 1;
  const Replicas most = replicas + surge;
  const Replicas least = std::max(0, replicas - unavailable);
  available_ = static_cast<Replicas>(
      std::ranges::count_if(pods, [&](const ReplicaView& pod) { return IsAvailable(at, pod); }));
  if (seen_ && running > std::max(most, pods_)) {
    Breach(at, "D1", fmt::format("{} pods of at most {}", running, most));
  }
  if (seen_ && promise_.quota && exist > std::max(*promise_.quota, exist_)) {
    Breach(at, "B4", fmt::format("{} exist of at most {}", exist, *promise_.quota));
  }
  const auto deleted = std::ranges::count_if(pods, [&](const ReplicaView& pod) {
    return pod.phase == Phase::kDraining && pod.since == at && pod.ready_at &&
           at - *pod.ready_at >= promise_.min_ready &&
           !std::ranges::binary_search(draining_, pod.name);
  });
  if (seen_ && replicas == replicas_ && deleted > 0 && available_ < least) {
    Breach(at, "D2",
           fmt::format("{} available of at least {} after {} were deleted", available_, least,
                       deleted));
  }
  CheckDrains(at, pods);
  seen_ = true;
  replicas_ = replicas;
  pods_ = running;
  exist_ = exist;
}

void DeploymentCheck::CheckDrains(Instant at, std::span<const ReplicaView> pods) {
  std::vector<std::string> draining;
  for (const ReplicaView& pod : pods) {
    if (pod.phase == Phase::kDraining) draining.push_back(pod.name);
    if (pod.phase == Phase::kReady && std::ranges::binary_search(draining_, pod.name)) {
      Breach(at, "B5", fmt::format("{} serves again after draining", pod.name));
    }
    const bool late = pod.phase == Phase::kDraining && promise_.drain_deadline &&
                      at - pod.since > *promise_.drain_deadline;
    const auto told = std::ranges::lower_bound(late_, pod.name);
    if (!late || (told != late_.end() && *told == pod.name)) continue;
    late_.insert(told, pod.name);
    Breach(at, "B5", fmt::format("{} drains past its deadline", pod.name));
  }
  std::ranges::sort(draining);
  draining_ = std::move(draining);
}

}  // namespace tidegate::sim
