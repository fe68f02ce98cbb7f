#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/catalog.h"
#include "policies/guards/desired.h"
#include "scheduler/decision/decision.h"

namespace tidegate::decision {

// What is to be otherwise in a decision, to ask what it would have been then.
struct Counterfactual {
  guards::Stages without;                    // guards that are left out
  std::vector<const PolicyEntry*> policies;  // instead of the pool's; empty: its own
  bool empty() const { return without.empty() && policies.empty(); }
};

// The pool with that. A policy that the pool has keeps its options, another one comes with its
// defaults. The guards that act are those that the new policies want, with the pool's `behavior` or
// without one. What is altered has no config_version.
PoolSpec Altered(PoolSpec spec, const Counterfactual& counterfactual);

// "without rateLimit, sized by kpa".
std::string ToText(const Counterfactual& counterfactual);
// The decision that came of it, below a line that sets it against what it is without that.
std::string ToText(const Counterfactual& counterfactual, const Decision& altered,
                   const Decision& as_it_is);

// The names of the stages that are left out, in the order in which they act.
std::vector<std::string_view> NamesOf(const guards::Stages& stages);

}  // namespace tidegate::decision
