#include "scheduler/decision/stand_in.h"

#include <utility>

#include <fmt/format.h>

namespace tidegate::decision {

using signals::Phase;
using signals::ReplicaView;

Duration UsualAge(Phase phase) {
  return phase == Phase::kStarting ? Duration(0) : std::chrono::hours(1);
}

ReplicaView StandIn(std::string name, Revision revision, Phase phase, Instant since) {
  ReplicaView view{std::move(name), std::move(revision), phase, since, since, std::nullopt};
  if (phase == Phase::kReady || phase == Phase::kDraining) view.ready_at = since;
  return view;
}

std::vector<ReplicaView> StandIns(const PoolId& pool, const Revision& revision,
                                  const signals::PhaseCounts& counts, Instant now) {
  std::vector<ReplicaView> replicas;
  const auto add = [&](Phase phase, Replicas count) {
    for (Replicas number = 1; number <= count; ++number) {
      replicas.push_back(
          StandIn(fmt::format("{}.{}.{:06}", pool.name, signals::Name(phase), number), revision,
                  phase, now - UsualAge(phase)));
    }
  };
  // In the order of the names.
  add(Phase::kDraining, counts.draining);
  add(Phase::kFailed, counts.failed);
  add(Phase::kReady, counts.ready);
  add(Phase::kStarting, counts.starting);
  return replicas;
}

}  // namespace tidegate::decision
