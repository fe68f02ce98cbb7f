#include <algorithm>

#include <fmt/format.h>

#include "scheduler/rollout/amounts.h"

// The way to the goal, foreseen: the amounts that are due are taken, drains finish, and when
// nothing more is due everything that starts becomes ready. No names are involved, so a wave costs
// a few dozen additions. Where nothing is due, nothing starts and the goal is not reached, it never
// will be: a deadlock.

namespace tidegate::rollout {
namespace {

constexpr int kMaxWaves = 64;      // of starts
constexpr int kMaxRounds = 4'096;  // of steps; a large pool that shrinks one by one needs many

void Take(const Amounts& due, Census& census, Terms& terms) {
  census.starting_target += due.starts - due.cancels;
  census.starting_old -= due.old_unready_drains;
  census.ready_old -= due.old_drains;
  census.ready_target -= due.target_drains;
  terms.size = SizeReached(terms.size, census.staying(), terms.goal);
}

bool Reached(const Census& census, const Terms& terms) {
  return census.ready_target == terms.goal && census.staying() == terms.goal;
}

std::string DescribeDeadlock(const Census& census, const Terms& terms) {
  const ResolvedBudget budget = Resolve(terms.budget, terms.goal);
  return fmt::format(
      "{} of {} replicas are of an old revision and can't be replaced: {} live of {} that surge "
      "allows and {} that the quota allows leave no room for a start, and unavailable {} of {} is "
      "{}, so none may go first; raise the quota to {} or allow 1 unavailable",
      census.ready_old, census.staying(), census.live(), terms.goal + budget.surge,
      terms.quota.value_or(kMaxReplicas), ToString(terms.budget.unavailable), terms.goal,
      budget.unavailable, census.live() + 1);
}

}  // namespace

Foresight Foresee(Census census, Terms terms) {
  Foresight ahead{census.live(), census.available(), 0, ""};
  terms.failing = terms.backing_off = false;
  census.draining = census.failed = 0;
  census.leaving_starting = census.leaving_ready = census.due_free = 0;
  terms.size = SizeReached(terms.size, census.staying(), terms.goal);
  for (int round = 0; round < kMaxRounds && ahead.waves < kMaxWaves; ++round) {
    const Amounts due = DueAmounts(census, terms);
    ahead.peak_live = std::max(ahead.peak_live, census.live() + due.starts);
    Take(due, census, terms);
    ahead.least_available = std::min(ahead.least_available, census.available());
    if (due.starts + due.drains() > 0) continue;
    if (Reached(census, terms)) return ahead;
    if (census.starting() == 0) {
      ahead.deadlock = DescribeDeadlock(census, terms);
      return ahead;
    }
    ++ahead.waves;
    census.ready_target += census.starting_target + census.unseen_target;
    census.ready_old += census.starting_old + census.unseen_old;
    census.starting_target = census.unseen_target = 0;
    census.starting_old = census.unseen_old = 0;
  }
  return ahead;
}

}  // namespace tidegate::rollout
