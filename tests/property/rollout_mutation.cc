#include "tests/property/rollout_mutation.h"

#include <algorithm>

namespace tidegate::testing {
namespace {

IntOrPercent PlusOne(const IntOrPercent& value, Replicas size, bool up) {
  return {1 + (up ? ResolveUp(value, size) : ResolveDown(value, size)), false};
}

}  // namespace

rollout::Planned MakeMutatedPlan(Mutation mutation, const rollout::Input& input,
                                 rollout::Options options, rollout::State state) {
  const Replicas size = std::max(input.desired, state.size);
  switch (mutation) {
    case Mutation::kNone: break;
    case Mutation::kSurgePlusOne:
      options.budget.surge = PlusOne(options.budget.surge, size, true);
      break;
    case Mutation::kUnavailablePlusOne:
      options.budget.unavailable = PlusOne(options.budget.unavailable, size, false);
      break;
    case Mutation::kQuotaPlusOne:
      if (options.quota) options.quota = *options.quota + 1;
      break;
    case Mutation::kGrowsAtOnce: options.up = rollout::Pace::kImmediate; break;
    case Mutation::kShrinksAtOnce: options.down = rollout::Pace::kImmediate; break;
    case Mutation::kForgetsPending: state.pending.clear(); break;
  }
  return rollout::MakePlan(input, options, state);
}

}  // namespace tidegate::testing
