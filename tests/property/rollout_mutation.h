#pragma once

#include "policies/base/units.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::testing {

// A planner that is wrong on purpose, for the checker's own proof.
enum class Mutation {
  kNone,
  kSurgePlusOne,
  kUnavailablePlusOne,
  kQuotaPlusOne,
  kGrowsAtOnce,
  kShrinksAtOnce,
  kForgetsPending,
};

// The plan that the wrong planner makes; `options` and `state` are what a right one is given.
rollout::Planned MakeMutatedPlan(Mutation mutation, const rollout::Input& input,
                                 rollout::Options options, rollout::State state);

}  // namespace tidegate::testing
