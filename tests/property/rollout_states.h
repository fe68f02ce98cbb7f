#pragma once

#include <cstdint>
#include <string>

#include "policies/base/units.h"
#include "scheduler/rollout/plan.h"
#include "tests/property/rollout_mutation.h"

namespace tidegate::testing {

// One pool that settled at `from` replicas of revision "a" and is now to have `desired` replicas of
// revision "a" or "b".
struct SmallPool {
  Replicas from = 0;
  Replicas desired = 0;
  bool new_revision = false;
  rollout::Options options;  // with the quota
  Mutation mutation = Mutation::kNone;
  int faults = 1;    // on any one way: a replica that fails, a start that hangs
  bool lag = false;  // a tick may see any earlier instant that is not before the last one it saw
};

struct Exploration {
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t settled = 0;  // of the states: the way to the goal was followed, faults off
  std::string breach;         // of the first state where something is wrong; empty: nothing is
};

// Visits every state that the pool can reach: after each tick of the planner its requests are on
// their way; between ticks any of them may be taken (in any order, so that every subset and prefix
// of every plan is taken), a starting replica may become ready, a draining one may go, time may
// pass until requests are repeated or a backoff ends, and, as often as `faults` says, a replica may
// fail or a start may hang with everything on its way lost. States are equal where their replicas
// are the same but for names and ages (with `lag`, also as last observed); they are told apart by a
// hash of 64 bits. In every state the checker's account is without breach, and with faults off a
// fair schedule leads to the goal or to a deadlock that the planner announced.
Exploration Explore(const SmallPool& pool);

}  // namespace tidegate::testing
