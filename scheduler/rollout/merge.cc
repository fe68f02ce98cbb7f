#include "scheduler/rollout/merge.h"

#include <algorithm>

#include "scheduler/rollout/names.h"

// An observation is always somewhat old: a request made a moment ago does not show yet, or was
// lost. Both must be assumed at once. So an unseen start counts as live until it shows or is given
// up after the progress deadline, and a replica whose drain is unseen counts as live for B1, since
// the request may have been lost, and as not serving for B2, since it may have been taken.
// The assumption behind giving up: a request shows within half the progress deadline or never will.
// Observations may be late, but a later one is never older than an earlier one.

namespace tidegate::rollout {
namespace {

using signals::Phase;
using signals::ReplicaView;

class Merger {
 public:
  Merger(const Input& input, const Options& options, const State& state)
      : input_(input), options_(options), state_(state), seen_(state.pending.size()) {
    merged_.next_ordinal = state.next_ordinal;
  }

  Merged Run() {
    for (const ReplicaView& view : input_.replicas) {
      merged_.next_ordinal = NextOrdinal(merged_.next_ordinal, input_.pool, view.name);
      Add(view);
    }
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (!seen_[i]) AddUnseen(state_.pending[i]);
    }
    return std::move(merged_);
  }

 private:
  // The pending drain of a replica that does not show it yet. Forgets a start that now shows, and a
  // drain that can show no more of one that serves: it takes a new one, by the budgets of its time.
  const Pending* DrainRequested(const ReplicaView& view) {
    const auto at = std::ranges::lower_bound(state_.pending, view.name, {}, &Pending::replica);
    if (at == state_.pending.end() || at->replica != view.name) return nullptr;
    seen_[static_cast<std::size_t>(at - state_.pending.begin())] = true;
    if (view.phase == Phase::kReady && input_.now - at->at > options_.progress_deadline) {
      return nullptr;  // lost
    }
    return at->kind == StepKind::kDrain && view.phase != Phase::kDraining ? &*at : nullptr;
  }

  void Add(const ReplicaView& view) {
    if (const Pending* drain = DrainRequested(view)) {
      merged_.pending.push_back(*drain);
      AddLeaving(view);
      if (view.phase == Phase::kReady) merged_.leaving_ready.push_back(&view);
      return;
    }
    switch (view.phase) {
      case Phase::kStarting: AddStarting(view); break;
      case Phase::kReady: AddReady(view); break;
      case Phase::kDraining: ++merged_.census.draining; break;
      case Phase::kFailed: AddFree(view, StepReason::kFailed); break;
    }
  }

  void AddLeaving(const ReplicaView& view) {
    Census& census = merged_.census;
    if (view.phase == Phase::kFailed) ++census.failed;
    if (view.phase == Phase::kStarting) ++census.leaving_starting;
    if (view.phase == Phase::kReady) ++census.leaving_ready;
  }

  void AddFree(const ReplicaView& view, StepReason reason) {
    merged_.free.push_back({&view, reason});
    if (view.phase == Phase::kStarting) ++merged_.census.due_free;
    AddLeaving(view);
  }

  void AddStarting(const ReplicaView& view) {
    const bool target = view.revision == input_.revision;
    if (input_.now - view.since > options_.progress_deadline) {
      AddFree(view, StepReason::kNeverReady);
    } else if (!target && !view.ready_at) {
      AddFree(view, StepReason::kSuperseded);
    } else if (target) {
      ++merged_.census.starting_target;
      merged_.starting_target.push_back(&view);
    } else {
      // It served once and may again in a moment: a fleet that flickers must not lose its pool.
      ++merged_.census.starting_old;
      merged_.starting_old.push_back(&view);
    }
  }

  void AddReady(const ReplicaView& view) {
    const bool target = view.revision == input_.revision;
    ++(target ? merged_.census.ready_target : merged_.census.ready_old);
    (target ? merged_.ready_target : merged_.ready_old).push_back(&view);
  }

  // A drain whose replica is gone is done.
  void AddUnseen(const Pending& pending) {
    if (pending.kind == StepKind::kDrain) return;
    if (input_.now - pending.at > options_.progress_deadline) {
      merged_.given_up.push_back(pending);
      ++merged_.census.due_free;
      ++merged_.census.leaving_starting;  // its drain is due now, like a free one's
      return;
    }
    const bool target = pending.revision == input_.revision;
    ++(target ? merged_.census.unseen_target : merged_.census.unseen_old);
    merged_.pending.push_back(pending);
  }

  const Input& input_;
  const Options& options_;
  const State& state_;
  std::vector<bool> seen_;  // by index into state_.pending
  Merged merged_;
};

}  // namespace

Merged Merge(const Input& input, const Options& options, const State& state) {
  Merged merged = Merger(input, options, state).Run();
  std::ranges::sort(merged.pending, {}, &Pending::replica);
  return merged;
}

}  // namespace tidegate::rollout
