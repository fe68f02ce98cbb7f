#include "scheduler/rollout/amounts.h"

#include <algorithm>

// The rules of the budgets, as arithmetic on counts.
//
// Starts. The pool wants as many replicas of the target revision as its goal. It may start them
// while live replicas stay within goal + surge (B1) and all that exist within the quota (B4). B1
// would allow more while the pool is still larger than its goal, but a replica started then is one
// to be drained soon after, so a pool that shrinks first shrinks: it drains old revisions first,
// and every one of them needs no replacement any more. While the pool grows, starting replicas are
// held to the surge of what serves already (B3), except for those that replace failed ones.
//
// Drains. Ready replicas go while the rest is at least a floor. The floor is the goal itself where
// a shrink or growth is under way, and where the surge covers every replacement that is left: the
// unavailable budget would be spent before the new replicas serve, and buy nothing. Only when the
// surge falls short does the floor go down, by no more than what falls short and never below
// goal - unavailable (B2). So 10 replicas at 100 %/25 % start 10, wait, and drain 10, while at
// 25 %/25 % they go through Kubernetes's waves: start 3, drain 2, start 2, wait, and so on.
//
// A revision whose last start failed gets no more of the old replicas' capacity, unless its retry
// has no room otherwise. A shrink goes on: what it drains is not wanted of any revision.
//
// Nothing here looks at a drain of the same plan when it counts starts, nor the other way round:
// that is what makes every subset of a plan safe, in every order.

namespace tidegate::rollout {
namespace {

Replicas NotNegative(Replicas value) { return std::max<Replicas>(0, value); }

void LimitStarts(Amounts& due, Replicas room, Limit limit) {
  if (due.starts <= room) return;
  due.starts = NotNegative(room);
  due.start_limit = limit;
}

Replicas RoomForStarts(const Census& census, const Terms& terms) {
  const Replicas room = terms.goal + Resolve(terms.budget, terms.goal).surge - census.live();
  return NotNegative(terms.quota ? std::min(room, *terms.quota - census.occupied()) : room);
}

void CountStarts(const Census& census, const Terms& terms, Amounts& due) {
  due.starts_wanted = NotNegative(terms.goal - census.target_live());
  due.starts = due.starts_wanted;
  if (terms.size > terms.goal) {
    const Replicas short_of_goal =
        terms.goal - census.available() - census.starting_target - census.unseen_target;
    LimitStarts(due, NotNegative(short_of_goal), Limit::kShrinkFirst);
  }
  const Replicas surge = Resolve(terms.budget, terms.goal).surge;
  LimitStarts(due, terms.goal + surge - census.live(), Limit::kSurge);
  if (terms.quota) LimitStarts(due, *terms.quota - census.occupied(), Limit::kQuota);
  if (terms.size < terms.goal && terms.up == Pace::kRolling) {
    // One that leaves in this very plan is not lost yet: its replacement must not be started first.
    const Replicas lost = NotNegative(terms.size - census.staying() - census.leaving());
    const Replicas wave = GrowthLimit(census, terms) - census.starting();
    LimitStarts(due, std::max(lost, wave), Limit::kWave);
  }
  if (terms.backing_off) LimitStarts(due, 0, Limit::kBackoff);
}

// How many old ready replicas may go for a revision whose last start failed.
Replicas DrainsWhileFailing(const Census& census, const Terms& terms) {
  if (census.ready_target >= terms.goal) return census.ready_old;
  const bool trying = terms.backing_off || census.starting() > 0;
  return trying || RoomForStarts(census, terms) > 0 ? 0 : 1;
}

Replicas AvailableFloor(const Census& census, const Terms& terms, const Amounts& due) {
  if (terms.size != terms.goal || census.ready_old == 0) return terms.goal;
  const Replicas uncovered =
      due.starts_wanted - std::min(due.starts_wanted, RoomForStarts(census, terms));
  const Replicas unavailable = Resolve(terms.budget, terms.goal).unavailable;
  return NotNegative(terms.goal - std::min(unavailable, uncovered));
}

// Keeps the sum of the drains within `room`, those that cost least first.
void CapDrains(Amounts& due, Replicas room) {
  for (Replicas* part :
       {&due.cancels, &due.old_unready_drains, &due.old_drains, &due.target_drains}) {
    const Replicas taken = std::min(*part, NotNegative(room));
    if (taken < *part) due.drain_limit = Limit::kWave;
    *part = taken;
    room -= taken;
  }
}

void CountDrains(const Census& census, const Terms& terms, Amounts& due) {
  const Replicas surplus = NotNegative(census.target_live() - terms.goal - census.unseen_target);
  due.cancels = std::min(census.starting_target, surplus);
  const Replicas too_many = std::min(census.ready_target, surplus - due.cancels);
  due.drains_wanted = due.cancels + too_many + census.ready_old + census.starting_old;
  if (census.available() >= terms.goal) due.old_unready_drains = census.starting_old;

  due.floor = AvailableFloor(census, terms, due);
  due.old_drains = std::min(census.ready_old, NotNegative(census.available() - due.floor));
  if (due.old_drains < census.ready_old) due.drain_limit = Limit::kAvailable;
  if (terms.failing && terms.size <= terms.goal) {
    const Replicas most = DrainsWhileFailing(census, terms);
    if (most < due.old_drains) due.drain_limit = Limit::kBackoff;
    due.old_drains = std::min(due.old_drains, most);
  }
  const Replicas spare = NotNegative(census.available() - terms.goal - due.old_drains);
  due.target_drains = std::min(too_many, spare);
  if (due.target_drains < too_many) due.drain_limit = Limit::kAvailable;

  const bool shrinks = terms.size > terms.goal || surplus > 0;
  if (shrinks && terms.down == Pace::kRolling) {
    CapDrains(due, ShrinkLimit(census, terms) - census.draining - census.leaving());
  }
}

}  // namespace

Replicas LiveLimit(const Terms& terms) {
  const Replicas declared = std::max(terms.size, terms.goal);
  return declared + Resolve(terms.budget, declared).surge;
}

Replicas GrowthLimit(const Census& census, const Terms& terms) {
  return std::max<Replicas>(1, ResolveUp(terms.budget.surge, census.available()));
}

Replicas ShrinkLimit(const Census& census, const Terms& terms) {
  // Unseen starts may never come to be, so they don't widen the limit.
  const Replicas size = census.staying() - census.unseen();
  return std::max<Replicas>(1, ResolveDown(terms.budget.unavailable, size));
}

Replicas SizeReached(Replicas size, Replicas staying, Replicas goal) {
  return size <= goal ? std::max(size, std::min(goal, staying))
                      : std::max(goal, std::min(size, staying));
}

Amounts DueAmounts(const Census& census, const Terms& terms) {
  Amounts due;
  CountStarts(census, terms, due);
  CountDrains(census, terms, due);
  return due;
}

}  // namespace tidegate::rollout
