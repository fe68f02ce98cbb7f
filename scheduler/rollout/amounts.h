#pragma once

#include <optional>

#include "scheduler/rollout/plan.h"

namespace tidegate::rollout {

// A pool as the budgets see it. A request that the fleet has accepted but does not show yet counts
// against us both ways: an unseen start is live and serves nothing, a replica whose drain is unseen
// is live and serves nothing.
struct Census {
  Replicas ready_target = 0;     // of the target revision; no drain requested
  Replicas ready_old = 0;        // of any other revision; no drain requested
  Replicas starting_target = 0;  // likewise
  Replicas starting_old = 0;     // of an old revision; were ready once
  Replicas unseen_target = 0;    // starts requested and not shown yet
  Replicas unseen_old = 0;
  Replicas leaving_starting = 0;  // shown as starting, drain requested or due now; or given up
  Replicas due_free = 0;          // the part of leaving_starting that is drained by this plan
  Replicas leaving_ready = 0;     // shown as ready, drain requested
  Replicas draining = 0;
  Replicas failed = 0;

  Replicas available() const { return ready_target + ready_old; }
  Replicas unseen() const { return unseen_target + unseen_old; }
  Replicas leaving() const { return leaving_starting + leaving_ready; }
  // Those that nobody asked to leave.
  Replicas staying() const { return available() + starting_target + starting_old + unseen(); }
  // B1: at most this many are live in truth.
  Replicas live() const { return staying() + leaving(); }
  // B3: at most this many are starting in truth.
  Replicas starting() const { return starting_target + starting_old + unseen() + leaving_starting; }
  // B4: at most this many exist in truth.
  Replicas occupied() const { return live() + draining + failed; }
  Replicas target_live() const { return ready_target + starting_target + unseen_target; }
};

// What the amounts depend on besides the census.
struct Terms {
  Replicas goal = 0;  // desired, or the quota where that is less
  Replicas size = 0;  // State::size
  Budget budget;
  Pace up = Pace::kRolling;
  Pace down = Pace::kRolling;
  std::optional<Replicas> quota;
  bool failing = false;      // the last start of the target revision failed
  bool backing_off = false;  // and the wait after it is not over
};

enum class Limit { kNone, kSurge, kAvailable, kWave, kQuota, kBackoff, kShrinkFirst };

// How many steps of each kind are due, and what holds back the rest.
struct Amounts {
  Replicas starts = 0;
  Replicas starts_wanted = 0;
  Limit start_limit = Limit::kNone;  // that holds back starts_wanted - starts
  Replicas cancels = 0;              // drains of the target revision's starting replicas
  Replicas old_unready_drains = 0;
  Replicas old_drains = 0;     // of ready replicas of old revisions
  Replicas target_drains = 0;  // of ready replicas of the target revision
  Replicas drains_wanted = 0;  // all four
  Limit drain_limit = Limit::kNone;
  Replicas floor = 0;  // available replicas that must remain
  Replicas drains() const { return cancels + old_unready_drains + old_drains + target_drains; }
};

// Pure arithmetic: the budgets' rules are here and nowhere else.
Amounts DueAmounts(const Census& census, const Terms& terms);

// The size that the pool stands at. While it grows, that is what requested starts have reached, at
// most the goal; while it shrinks, what requested drains and losses have left, at least the goal.
Replicas SizeReached(Replicas size, Replicas staying, Replicas goal);

// B1's bound and B3's two, in replicas.
Replicas LiveLimit(const Terms& terms);
Replicas GrowthLimit(const Census& census, const Terms& terms);
Replicas ShrinkLimit(const Census& census, const Terms& terms);

// Follows the amounts to the goal, as if every start became ready.
Foresight Foresee(Census census, Terms terms);

}  // namespace tidegate::rollout
