#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/rollout/plan.h"
#include "sim/checks/budget_check.h"
#include "tests/property/rollout_mutation.h"
#include "tests/testing/rollout_world.h"

namespace tidegate::testing {

// One random life of one pool. Everything else follows from the seed.
struct HistoryOptions {
  std::uint64_t seed = 0;
  int faulty_ticks = 40;    // then faults and changes stop, and the pool must settle
  int largest = 8;          // desired
  int observation_lag = 3;  // ticks, at most
  int crashes = 3;          // percent of ticks
  int refusals = 10;        // percent of requests
  int changes = 8;          // percent of ticks: of desired, of the revision, of the quota
  RolloutFaults faults;
};

struct HistoryResult {
  std::vector<sim::BudgetBreach> breaches;
  bool settled = false;
  std::string how_it_ended;  // where it is not settled
  int steps = 0;
  int ticks = 0;
};

HistoryResult RunHistory(const HistoryOptions& options, Mutation mutation);

}  // namespace tidegate::testing
