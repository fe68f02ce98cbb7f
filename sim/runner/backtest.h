#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/history/pool_history.h"
#include "sim/report/limits.h"
#include "sim/runner/candidate.h"

namespace tidegate::sim {

// A stretch of time: most demand, backlog, running and desired, least ready.
struct BacktestRow {
  Rate demand = 0;
  Replicas really_ready = 0;
  Replicas really_running = 0;
  Replicas ready = 0;
  Replicas running = 0;
  Replicas desired = 0;
  double backlog = 0;
};

// What replicas were used.
struct ReplicaUse {
  double replica_hours = 0;  // starting, ready and draining
  double mean = 0;
  Replicas peak = 0;
  Replicas least_ready = 0;
  Duration short_of_capacity{0};  // demand above what the ready ones serve by the service model
};

// What a configuration would have done, beside what really ran.
struct Backtest {
  PoolHistory history;
  std::optional<ReplicaUse> real;  // unset: no metric says it
  ReplicaUse candidate;
  Verdict verdict;
  double lost = 0;  // requests
  double longest_wait_seconds = 0;
  int starts = 0;
  int drains = 0;
  // All of the run's cost, warm-up included, over the clairvoyant oracle's; unset where no policy
  // keeps the scenario's objective.
  std::optional<double> cost_multiple;
  Duration row{0};  // that each row stands for
  std::vector<BacktestRow> rows;
};

// Simulates the candidate under the demand of the history. Before it, the pool lives through
// `warm_up` at the demand of the history's first bin, which is not counted. Errors as of
// Simulate().
Expected<Backtest> RunBacktest(const Candidate& candidate, PoolHistory history, Duration warm_up,
                               const MinuteObjective& objective);

// A table for people.
std::string ToText(const Backtest& backtest);
// One JSON object; at most 7,200 rows.
std::string ToJson(const Backtest& backtest);

}  // namespace tidegate::sim
