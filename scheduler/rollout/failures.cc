#include "scheduler/rollout/failures.h"

#include <algorithm>

// A start has failed when its replica fails, or is not ready by the progress deadline, or never
// shows at all, before it served for min_ready. The wait before the next one doubles with each
// failure in a row. Replicas of one wave that fail together are one failure: while the wait lasts
// nothing is started, so whatever fails meanwhile was started before it, and a bad template must
// not cost five minutes because ten replicas tried it at once.
// The row ends when the target revision changes, or when a replica that became ready after the last
// failure has served for min_ready. Replicas that were ready before it prove nothing: a pool of
// good replicas may well be unable to start another one.

namespace tidegate::rollout {
namespace {

using signals::Phase;
using signals::ReplicaView;

bool Served(const ReplicaView& view, const Options& options) {
  return view.ready_at && view.since - *view.ready_at >= options.min_ready;
}

bool FailedStart(const FreeDrain& drain, const Input& input, const Options& options) {
  const bool failed =
      drain.reason == StepReason::kFailed || drain.reason == StepReason::kNeverReady;
  return failed && drain.view->revision == input.revision && !Served(*drain.view, options);
}

void ForgetWhatIsGone(const Input& input, State& state) {
  std::vector<std::string> visible;
  for (const ReplicaView& view : input.replicas) {
    if (std::ranges::binary_search(state.counted_failures, view.name)) {
      visible.push_back(view.name);
    }
  }
  std::ranges::sort(visible);
  state.counted_failures = std::move(visible);
}

bool Recovered(const Input& input, const Options& options, const State& state) {
  const Instant last_failure = state.retry_at - Backoff(state.failed_starts, options);
  return std::ranges::any_of(input.replicas, [&](const ReplicaView& view) {
    return view.phase == Phase::kReady && view.revision == input.revision && view.ready_at &&
           *view.ready_at > last_failure && input.now - *view.ready_at >= options.min_ready;
  });
}

int NewFailures(const Input& input, const Options& options, const Merged& merged, State& state) {
  int failures = 0;
  for (const FreeDrain& drain : merged.free) {
    if (!FailedStart(drain, input, options)) continue;
    const auto at = std::ranges::lower_bound(state.counted_failures, drain.view->name);
    if (at != state.counted_failures.end() && *at == drain.view->name) continue;
    state.counted_failures.insert(at, drain.view->name);
    ++failures;
  }
  const bool wanted = merged.census.target_live() < input.desired;
  for (const Pending& pending : merged.given_up) {
    if (pending.revision == input.revision && wanted) ++failures;
  }
  return failures;
}

}  // namespace

Duration Backoff(int failed_starts, const Options& options) {
  if (failed_starts <= 0) return Duration(0);
  Duration wait = options.backoff_min;
  for (int i = 1; i < failed_starts && wait < options.backoff_max; ++i) wait *= 2;
  return std::min(wait, options.backoff_max);
}

void CountFailures(const Input& input, const Options& options, const Merged& merged, State& state) {
  if (!state.counted_failures.empty()) ForgetWhatIsGone(input, state);
  if (state.failed_starts > 0 &&
      (state.failing != input.revision || Recovered(input, options, state))) {
    state.failed_starts = 0;
    state.failing.clear();
    state.retry_at = Instant{};
  }
  if (NewFailures(input, options, merged, state) == 0) return;
  if (state.failed_starts > 0 && input.now < state.retry_at) return;
  state.failing = input.revision;
  ++state.failed_starts;
  state.retry_at = input.now + Backoff(state.failed_starts, options);
}

}  // namespace tidegate::rollout
