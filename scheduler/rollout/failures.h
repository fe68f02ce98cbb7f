#pragma once

#include "scheduler/rollout/merge.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::rollout {

// The wait after `failed_starts` in a row: doubles each time, within the options' bounds; 0 for
// none.
Duration Backoff(int failed_starts, const Options& options);

// Brings the state's account of failures up to date: counted_failures, failing, failed_starts,
// retry_at.
void CountFailures(const Input& input, const Options& options, const Merged& merged, State& state);

}  // namespace tidegate::rollout
