#pragma once

#include <string_view>
#include <vector>

#include "policies/base/units.h"
#include "policies/sizing/policy.h"

namespace tidegate::sizing {

// Fewest replicas that serve `value` at no more than `per_replica` each: ceil(value / per_replica),
// at most kMaxReplicas. Rounds up because 7.01 replicas' worth of demand on 7 is an overload, while
// 8 is merely generous.
// Preconditions: value is finite and >= 0, per_replica > 0.
Replicas ReplicasFor(double value, double per_replica);

// Target tracking: one proposal for each signal with a target, in the order of the targets. A
// reading that is not usable, or that is missing, gives a proposal without replicas and a note that
// says why. A partial reading is a lower bound of the truth: its proposal may grow the pool, and
// the guards keep it from shrinking it.
std::vector<Proposal> TrackTarget(const Input& input);

struct Target {
  static constexpr std::string_view kName = "target";
  static constexpr std::string_view kDescription =
      "replicas = ceil(value / target per replica); the largest of all signals";
  static constexpr Guarding kGuarding{};
  static constexpr bool kHistory = false;
  using Options = NoFields;
  using Memory = NoFields;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

}  // namespace tidegate::sizing
