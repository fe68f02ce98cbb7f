#pragma once

#include <array>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/guards/guarded.h"

// What the Kubernetes HPA does where it has no `behavior`: one window, for shrinks, and one cap, on
// growth (horizontal.go, stabilizeRecommendation and convertDesiredReplicasWithRules).
namespace tidegate::guards {

// --horizontal-pod-autoscaler-downscale-stabilization.
inline constexpr Duration kClassicWindow{300'000};

// The largest of `proposed` and the recommendations of the window. It may be more than the current
// size: what was recommended, and not reached for the cap or for a bound, still is. Unlike with a
// `behavior` a recommendation made exactly one window ago counts.
Guarded StabilizeClassic(Replicas proposed, const std::vector<Recommendation>& recommendations,
                         Instant now);

// Adds `proposed` (unstabilised) and drops what can't be the largest of any window to come.
std::vector<Recommendation> RememberClassic(std::vector<Recommendation> recommendations,
                                            Replicas proposed, Instant now);

// At most max(2 * current, 4).
Guarded LimitClassicGrowth(Replicas proposed, Replicas current);

// That as scaling policies, for an HPA that looks every 15 s; from fewer than two replicas they
// allow a little less.
inline constexpr std::array<ScalingPolicy, 2> kClassicGrowth{
    {{PolicyType::kPercent, 100, Duration(15'000)}, {PolicyType::kPods, 2, Duration(15'000)}}};

}  // namespace tidegate::guards
