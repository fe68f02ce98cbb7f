#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/scaling_policy.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/sizing/proposal.h"

namespace tidegate::guards {

// sizing::Sizing::at_once and why.
struct AtOnce {
  Replicas replicas = 0;
  std::string why;
};

struct Applied {
  Desired desired;
  Memory memory;  // for the next tick
};

// From proposals to the pool's size: what the Kubernetes HPA does with its `behavior`, and what it
// lacks for bad samples. In this order:
//   paused           the pool stays as it is;
//   bounds           a current size outside [min, max] goes to the nearer bound at once, before
//                    any reading is asked (as the HPA does; without Guarding::bounds_first only
//                    where the size is held);
//   hold, fallback   what unusable readings may do (hold.h); a hold ends here and records nothing;
//   tolerance        changes too small to act on;
//   stabilization    the windows; the number before it is remembered;
//   floors           raise the number, also where it is held (sizing::Proposal::floor);
//   bounds           min, max;
//   (classic         where it stands in for windows and rate limits: guards/classic.h)
//   rate limit       scaling policies. Last, as in the HPA: so ScaleUpLimit is the reason only
//                    where it is stricter than maxReplicas.
// `current` is the pool's declared size. Where windows act and no recommendation is remembered (a
// pool that is seen for the first time, or one whose policies had no windows before), the pool is
// taken to have been recommended its current size just now, so that it does not shrink for one
// window.
//
// A size that a policy sets at once (where it is at least as large as all usable proposals) skips
// all of that but the pause and the bounds. Where a policy leaves the pool alone
// (sizing::Sizing::leave_alone) its size and its memory stay as they are, unless it is paused.
Applied Apply(const std::vector<sizing::Proposal>& proposals, Replicas current,
              const Options& options, Memory memory, Instant now,
              const std::optional<AtOnce>& at_once = std::nullopt,
              const std::string& leave_alone = {});

// How fast Apply() lets a pool grow; by nothing where growth is disabled, as no lead helps then.
GrowthLimits GrowthLimitsOf(const Options& options);

// What to remember of a pool whose size is not ours to choose (paused, or without a scaler): the
// size that is held counts as recommended, so that nothing jumps when it becomes ours.
Memory Follow(Replicas size, const Options& options, Memory memory, Instant now);

}  // namespace tidegate::guards
