#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scheduler/rollout/plan.h"

namespace tidegate::rollout {

// Ordinals beyond this one are not ours and are passed over: a pool that starts a replica each
// millisecond takes 30,000 years to get there.
constexpr std::int64_t kLargestOrdinal = 1'000'000'000'000'000;

// "<pool>-<revision>-<ordinal>".
std::string ReplicaName(const PoolId& pool, const Revision& revision, std::int64_t ordinal);

// The larger of `next` and the ordinal after the one in the replica's name, if the name is of the
// form above. Fast where it is `next`, which it is for all replicas that the planner knows.
std::int64_t NextOrdinal(std::int64_t next, const PoolId& pool, std::string_view replica);

}  // namespace tidegate::rollout
