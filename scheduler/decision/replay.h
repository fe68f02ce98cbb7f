#pragma once

#include <optional>

#include "policies/base/instant.h"
#include "policies/signals/history.h"
#include "scheduler/decision/decision.h"

namespace tidegate::decision {

// Decides again on what recorded decisions saw: their readings and how many replicas there were in
// which phase, one decision after the other. Each finds the size and the memory that the one before
// left, as in the loop, so that a spec other than the recorded one goes its own way. What a load
// would have read with other sizes is not known: readings are taken as they were.
//
// What is not in a record is not there: ages of replicas and most names (StandIns), and the memory
// from before the first of them. Plans are of no use but for their counts.
class Replay {
 public:
  explicit Replay(PoolSpec spec);

  // In order of time. Precondition: recorded.pool is the spec's.
  Decision Next(const Decision& recorded);

  // From here on by this spec, with the memory that the other left. Precondition: the same pool.
  void Become(PoolSpec spec);

 private:
  // The rates of the past with the recorded one appended; null where no signal counts requests.
  const signals::History* Remember(const Decision& recorded);

  PoolSpec spec_;
  PoolState state_;
  signals::History history_;
};

// How long before a moment a replay has to begin to know then what the loop knew: the longest
// window, or all that histories keep, for policies that learn from it.
Duration WarmUp(const PoolSpec& spec);

}  // namespace tidegate::decision
