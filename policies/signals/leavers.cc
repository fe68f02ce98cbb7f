#include "policies/signals/leavers.h"

#include <algorithm>

namespace tidegate::signals {

std::vector<ReplicaView> Leavers::With(Instant now, std::span<const ReplicaView> replicas,
                                       Duration keep) {
  std::erase_if(left_, [&](const ReplicaView& one) {
    return one.since < now - keep ||
           std::ranges::find(replicas, one.name, &ReplicaView::name) != replicas.end();
  });
  std::vector<ReplicaView> all(replicas.begin(), replicas.end());
  all.insert(all.end(), left_.begin(), left_.end());
  for (const ReplicaView& one : replicas) {
    if (one.phase == Phase::kDraining || one.phase == Phase::kFailed) left_.push_back(one);
  }
  return all;
}

}  // namespace tidegate::signals
