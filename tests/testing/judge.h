#pragma once

#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/rollout/plan.h"
#include "tests/testing/front_watcher.h"

namespace tidegate::testing {

// The size that the pool was to have from `at` on: the promise is about this number, so it is the
// one thing taken from the daemon's record.
struct DesiredAt {
  Instant at{};
  Replicas desired = 0;
};

struct JudgeOptions {
  rollout::Budget budget;
  Replicas declared = 1;  // replicaCount of the manifest
  Duration drain_deadline{30'000};
  // How far the two clocks of seeing and deciding may be apart: one look, and the time that a
  // request takes.
  Duration slack{1'000};
};

struct Judgement {
  std::vector<std::string> breaches;  // "12:00:03.250 B1: 9 live of at most 8 (desired 4, surge 4)"
  Replicas highest_live = 0;
  Replicas highest_available = 0;
  Replicas lowest_available = 0;  // since the pool first had its declared size
  Replicas last_available = 0;
  std::vector<std::string> path;  // "+12.5 s 4": the number of serving replicas whenever it changed
  int starts = 0;
  int drains = 0;
};

// Holds what was seen against B1, B2 and B5. Knows nothing of the planner.
Judgement Judge(const std::vector<PoolSight>& sights, const std::vector<DesiredAt>& desired,
                const JudgeOptions& options);

}  // namespace tidegate::testing
