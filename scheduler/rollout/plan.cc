#include "scheduler/rollout/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "scheduler/rollout/amounts.h"
#include "scheduler/rollout/failures.h"
#include "scheduler/rollout/merge.h"
#include "scheduler/rollout/names.h"

// The rollout planner: from what the fleet shows to the steps that are due now.
//
// There is no script of a rollout that is started and followed. Each tick the whole plan is made
// anew from the replicas that exist, the size and revision that are wanted, and a small state, so a
// crash, a lost request, a failed replica or a changed target need no case of their own. Scaling
// and template rollouts are one problem: replicas of the target revision are wanted, all others
// and any surplus are not, and both budgets bound what may be done about it at once.
//
//   merge     what the fleet shows + requests that it does not show yet     merge.h
//   failures  which starts failed, and how long to wait                     failures.h
//   amounts   how many starts and drains are due, and what limits them      amounts.h
//   choose    which replicas                                                here
//   foresee   the rest of the way, as counts                                amounts.h
//
// The state must be stored before the steps are requested. Then after a crash at any point each
// step of the stored plan is a pending request that was made or was not; it counts as both until
// the fleet shows which, and what is still unseen after a few seconds is requested again under
// the same name. Names are given by an ordinal in the state, so that planning again from an older
// state gives the same names and starts nothing twice.
//
// What it costs: a pool with nothing to do is recognised by one pass over its replicas and
// allocates nothing; otherwise a tick is linear in replicas, apart from sorting those that may go.
//
// Where it fails: it believes that observations don't go back in time and that a request shows
// within half the progress deadline or never.

namespace tidegate::rollout {
namespace {

using signals::Phase;
using signals::ReplicaView;

bool Settled(const Input& input, const Options& options, const State& state) {
  const auto size = static_cast<Replicas>(input.replicas.size());
  const bool quiet = state.pending.empty() && state.counted_failures.empty() &&
                     state.failed_starts == 0 && size == input.desired && size == state.size;
  return quiet && (!options.quota || *options.quota >= size) &&
         std::ranges::all_of(input.replicas, [&](const ReplicaView& view) {
           return view.phase == Phase::kReady && view.revision == input.revision;
         });
}

Planned PlanNothing(const Input& input, const Options& options, State state) {
  Planned planned{{}, std::move(state), {input.desired, input.desired, input.desired, {}}};
  planned.plan.complete = true;
  for (const ReplicaView& view : input.replicas) {
    planned.state.next_ordinal = NextOrdinal(planned.state.next_ordinal, input.pool, view.name);
  }
  const ResolvedBudget budget = Resolve(options.budget, input.desired);
  BudgetUse& use = planned.plan.use;
  use.surge_limit = budget.surge;
  use.unavailable_limit = budget.unavailable;
  use.live_limit = input.desired + budget.surge;
  use.available_floor = std::max<Replicas>(0, input.desired - budget.unavailable);
  planned.plan.foresight = {input.desired, input.desired, 0, ""};
  return planned;
}

// The pool's first tick: what runs already is its size.
bool NeverPlanned(const State& state) { return state == State{}; }

// The one that costs least comes first: never ready before ready, then the youngest.
void SortForDrain(std::vector<const ReplicaView*>& candidates) {
  std::ranges::sort(candidates, [](const ReplicaView* a, const ReplicaView* b) {
    if (a->ready_at.has_value() != b->ready_at.has_value()) return b->ready_at.has_value();
    if (a->started != b->started) return a->started > b->started;
    return a->name < b->name;
  });
}

// What a step, once requested, adds to the replicas that make up the size; one that failed made up
// none of it.
Replicas Adds(const Step& step) {
  if (step.reason == StepReason::kRepeat || step.reason == StepReason::kFailed) return 0;
  return step.kind == StepKind::kStart ? 1 : -1;
}

class Planner {
 public:
  Planner(const Input& input, const Options& options, State state)
      : input_(input), options_(options), merged_(Merge(input, options, state)) {
    const Replicas quota = options.quota.value_or(input.desired);
    terms_.goal = std::min(input.desired, quota);
    // What this plan drains free of charge still makes up the size: it may be requested last.
    const Replicas held = merged_.census.staying() + merged_.census.due_free;
    terms_.size = NeverPlanned(state) ? held : state.size;
    terms_.size = SizeReached(terms_.size, held, terms_.goal);
    terms_.budget = options.budget;
    terms_.up = options.up;
    terms_.down = options.down;
    terms_.quota = options.quota;
    planned_.state = std::move(state);
  }

  Planned Run() {
    State& state = planned_.state;
    CountFailures(input_, options_, merged_, state);
    terms_.failing = state.failed_starts > 0;
    terms_.backing_off = terms_.failing && input_.now < state.retry_at;
    due_ = DueAmounts(merged_.census, terms_);

    state.pending = std::move(merged_.pending);
    state.next_ordinal = merged_.next_ordinal;
    Repeat();
    GiveUp();
    DrainFree();
    Start();
    Drain();
    if (!planned_.plan.steps.empty()) std::ranges::sort(state.pending, {}, &Pending::replica);
    const Census& census = merged_.census;
    planned_.basis.size = terms_.size;
    planned_.basis.held = census.staying() + census.due_free;
    planned_.basis.goal = terms_.goal;
    const Replicas staying = census.staying() + due_.starts - due_.drains();
    state.size = SizeReached(terms_.size, staying, terms_.goal);
    Defer();
    Report();
    return std::move(planned_);
  }

 private:
  void Add(StepKind kind, const std::string& replica, const Revision& revision, StepReason reason) {
    planned_.plan.steps.push_back({kind, replica, revision, reason});
    if (reason == StepReason::kRepeat) return;
    planned_.state.pending.push_back({kind, replica, revision, input_.now});
  }

  void Repeat() {
    RepeatStarts();
    RepeatDrains();
  }

  bool IsLate(const Pending& pending) const { return input_.now - pending.at >= kRepeatAfter; }

  // Unseen starts that are no longer wanted are not asked for again; if they show, they are
  // drained.
  void RepeatStarts() {
    Replicas surplus = merged_.census.target_live() - terms_.goal;
    for (const Pending& pending : planned_.state.pending) {
      if (pending.kind != StepKind::kStart) continue;
      if (pending.revision != input_.revision || terms_.backing_off || surplus-- > 0) continue;
      if (input_.now - pending.at >= options_.progress_deadline / 2 || !IsLate(pending)) continue;
      Add(pending.kind, pending.replica, pending.revision, StepReason::kRepeat);
    }
  }

  // A drain that was lost would be a new one: one that serves goes only where B2 allows it now.
  // Where it does not, the replica counts as one that serves once the request can show no more.
  void RepeatDrains() {
    const Replicas floor = terms_.goal - Resolve(terms_.budget, terms_.goal).unavailable;
    const Census& census = merged_.census;
    const bool allowed = census.available() - due_.old_drains - due_.target_drains >= floor;
    for (Pending& pending : planned_.state.pending) {
      if (pending.kind != StepKind::kDrain) continue;
      const bool serves = std::ranges::any_of(merged_.leaving_ready, [&](const ReplicaView* view) {
        return view->name == pending.replica;
      });
      if ((serves && !allowed) || !IsLate(pending)) continue;
      planned_.basis.repeated.push_back(pending);
      pending.at = input_.now;
      Add(pending.kind, pending.replica, pending.revision, StepReason::kRepeat);
    }
  }

  // It was requested and never seen; should it exist all the same, it goes.
  void GiveUp() {
    for (const Pending& pending : merged_.given_up) {
      Add(StepKind::kDrain, pending.replica, pending.revision, StepReason::kNeverReady);
    }
  }

  void DrainFree() {
    for (const FreeDrain& drain : merged_.free) {
      Add(StepKind::kDrain, drain.view->name, drain.view->revision, drain.reason);
    }
  }

  StepReason ReasonToStart(Replicas staying) const {
    const Census& census = merged_.census;
    const bool rolls_out = census.ready_old + census.starting_old > 0;
    if (staying >= terms_.goal) return StepReason::kRollout;
    if (staying >= terms_.size) return StepReason::kGrow;
    return rolls_out ? StepReason::kRollout : StepReason::kReplace;
  }

  void Start() {
    for (Replicas i = 0; i < due_.starts; ++i) {
      const std::int64_t ordinal = planned_.state.next_ordinal++;
      Add(StepKind::kStart, ReplicaName(input_.pool, input_.revision, ordinal), input_.revision,
          ReasonToStart(merged_.census.staying() + i));
    }
  }

  void DrainFirst(std::vector<const ReplicaView*>& candidates, Replicas count, StepReason reason) {
    if (count == 0) return;
    SortForDrain(candidates);
    for (Replicas i = 0; i < count; ++i) {
      const ReplicaView& view = *candidates[static_cast<std::size_t>(i)];
      Add(StepKind::kDrain, view.name, view.revision, reason);
    }
  }

  void Drain() {
    const bool shrinks = terms_.size > terms_.goal;
    const StepReason old = shrinks ? StepReason::kShrink : StepReason::kRollout;
    DrainFirst(merged_.starting_target, due_.cancels, StepReason::kShrink);
    DrainFirst(merged_.starting_old, due_.old_unready_drains, old);
    DrainFirst(merged_.ready_old, due_.old_drains, old);
    DrainFirst(merged_.ready_target, due_.target_drains, StepReason::kShrink);
  }

  void Defer() {
    std::vector<Deferred>& deferred = planned_.plan.deferred;
    if (terms_.goal < input_.desired) {
      deferred.push_back(
          {StepKind::kStart, input_.desired - terms_.goal,
           fmt::format("B4: the quota allows {} of {} desired", terms_.goal, input_.desired)});
    }
    if (due_.starts < due_.starts_wanted) {
      deferred.push_back({StepKind::kStart, due_.starts_wanted - due_.starts, WhyNoStart()});
    }
    if (due_.drains() < due_.drains_wanted) {
      deferred.push_back({StepKind::kDrain, due_.drains_wanted - due_.drains(), WhyNoDrain()});
    }
  }

  std::string BackoffText() const {
    const State& state = planned_.state;
    return fmt::format("backoff: {} failed start{} in a row, next at {}", state.failed_starts,
                       state.failed_starts == 1 ? "" : "s", FormatInstant(state.retry_at));
  }

  std::string WhyNoStart() const {
    const Census& census = merged_.census;
    switch (due_.start_limit) {
      case Limit::kSurge:
        return fmt::format("B1: {} live of at most {}", census.live() + due_.starts,
                           terms_.goal + Resolve(terms_.budget, terms_.goal).surge);
      case Limit::kQuota:
        return fmt::format("B4: {} exist of at most {}", census.occupied() + due_.starts,
                           terms_.quota.value_or(0));
      case Limit::kBackoff: return BackoffText();
      case Limit::kShrinkFirst:
        return fmt::format("shrinks from {} to {} first", terms_.size, terms_.goal);
      default:
        return fmt::format("B3: {} starting of at most {}", census.starting() + due_.starts,
                           GrowthLimit(census, terms_));
    }
  }

  std::string WhyNoDrain() const {
    const Census& census = merged_.census;
    switch (due_.drain_limit) {
      case Limit::kBackoff: return BackoffText();
      case Limit::kWave:
        return fmt::format("B3: {} draining of at most {}",
                           census.draining + census.leaving() + due_.drains(),
                           ShrinkLimit(census, terms_));
      default:
        return fmt::format("B2: {} available, {} must remain",
                           census.available() - due_.old_drains - due_.target_drains, due_.floor);
    }
  }

  void Report() {
    const Census& census = merged_.census;
    const Replicas declared = std::max(terms_.size, terms_.goal);
    const ResolvedBudget budget = Resolve(terms_.budget, terms_.goal);
    const Replicas available = census.available() - due_.old_drains - due_.target_drains;
    BudgetUse& use = planned_.plan.use;
    use.live_limit = LiveLimit(terms_);
    use.surge_limit = use.live_limit - declared;
    use.surge = std::max<Replicas>(0, census.live() + due_.starts - declared);
    use.unavailable_limit = budget.unavailable;
    use.unavailable = std::max<Replicas>(0, terms_.goal - available);
    use.available_floor = std::max<Replicas>(0, terms_.goal - budget.unavailable);
    planned_.plan.foresight = Foresee(census, terms_);
    planned_.plan.complete = census.ready_target == input_.desired &&
                             census.occupied() == input_.desired &&
                             planned_.state.size == input_.desired &&
                             planned_.state.pending.empty() && planned_.plan.steps.empty();
  }

  const Input& input_;
  const Options& options_;
  Merged merged_;
  Terms terms_;
  Amounts due_;
  Planned planned_;
};

}  // namespace

Planned MakePlan(const Input& input, const Options& options, State state) {
  if (Settled(input, options, state)) return PlanNothing(input, options, std::move(state));
  return Planner(input, options, std::move(state)).Run();
}

namespace {

// Were a refused repeat to make its request younger, a drain that is refused again and again would
// never be known to be lost.
void Restore(const std::vector<Pending>& repeated, const Step& step,
             std::vector<Pending>& pending) {
  if (step.kind != StepKind::kDrain) return;
  const auto before = std::ranges::find(repeated, step.replica, &Pending::replica);
  const auto at = std::ranges::lower_bound(pending, step.replica, {}, &Pending::replica);
  if (before == repeated.end() || at == pending.end() || at->replica != step.replica) return;
  at->at = before->at;
}

}  // namespace

void TakeBack(const Plan& plan, const std::vector<Step>& refused, const StepBasis& basis,
              State& state) {
  Replicas staying = basis.held;
  for (const Step& step : plan.steps) staying += Adds(step);
  for (const Step& step : refused) {
    if (step.reason == StepReason::kRepeat) {
      Restore(basis.repeated, step, state.pending);
      continue;
    }
    staying -= Adds(step);
    std::erase_if(state.pending, [&](const Pending& pending) {
      return pending.replica == step.replica && pending.kind == step.kind;
    });
  }
  state.size = SizeReached(basis.size, staying, basis.goal);
}

}  // namespace tidegate::rollout
