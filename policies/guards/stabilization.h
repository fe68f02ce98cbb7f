#pragma once

#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/guards/guarded.h"

namespace tidegate::guards {

// The HPA's stabilization: growth goes no further than the lowest recommendation of the up window,
// a shrink no further than the highest of the down window, both including `proposed`:
//   up = min(proposed, recommendations newer than now - up window), down = max(... down window),
//   result = current, raised to `up`, then lowered to `down`.
// "Newer" is strict: a recommendation made exactly one window ago has left it.
Guarded Stabilize(Replicas proposed, Replicas current, const Behavior& behavior,
                  const std::vector<Recommendation>& recommendations, Instant now);

// Adds `proposed` (unstabilised) and drops what no later tick can ask for: recommendations that
// have left both windows, and those that a later one makes irrelevant in every window that still
// holds them (an earlier one is neither the minimum of a window with a later one that is at most as
// large, nor the maximum of one with a later one that is at least as large). The results are those
// of the full list; what is kept is at most two monotone sequences.
std::vector<Recommendation> Remember(std::vector<Recommendation> recommendations, Replicas proposed,
                                     const Behavior& behavior, Instant now);

}  // namespace tidegate::guards
