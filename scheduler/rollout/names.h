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

// The ordinal in a replica's name; 0 where the name is not of the form above.
std::int64_t OrdinalOf(const PoolId& pool, std::string_view replica);

}  // namespace tidegate::rollout
