#pragma once

#include <vector>

#include "scheduler/rollout/amounts.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::rollout {

// A request that the fleet has not shown for this long is made again; a start only during the first
// half of the progress deadline, so that none is still on its way when it is given up.
constexpr Duration kRepeatAfter{3'000};

// A replica that goes at once and free of charge: it serves nothing.
struct FreeDrain {
  const signals::ReplicaView* view = nullptr;
  StepReason reason = StepReason::kFailed;
};

// What the fleet shows, put together with what was requested and is not shown yet. Points into the
// input.
struct Merged {
  Census census;
  // By what the amounts choose from; none of them has a drain requested.
  std::vector<const signals::ReplicaView*> starting_target;
  std::vector<const signals::ReplicaView*> ready_target;
  std::vector<const signals::ReplicaView*> starting_old;
  std::vector<const signals::ReplicaView*> ready_old;
  std::vector<FreeDrain> free;  // in the input's order
  // Shown as ready, drain requested; in the input's order.
  std::vector<const signals::ReplicaView*> leaving_ready;
  std::vector<Pending> pending;   // requests that are still unseen; sorted by replica
  std::vector<Pending> given_up;  // starts that were unseen for the progress deadline
  std::int64_t next_ordinal = 1;
};

Merged Merge(const Input& input, const Options& options, const State& state);

}  // namespace tidegate::rollout
