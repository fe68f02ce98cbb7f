#pragma once

#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/report/time_line.h"

namespace tidegate::sim {

// What happened to one pool.
struct PoolResult {
  PoolId id;
  double arrived = 0;  // requests
  double served = 0;
  double lost = 0;
  double longest_wait_seconds = 0;  // backlog over capacity, at its worst
  double replica_seconds = 0;       // starting, ready and draining
  Replicas peak_live = 0;
  Replicas least_ready = 0;
  Replicas peak_desired = 0;
  int starts = 0;
  int drains = 0;
  Duration short_of_capacity{0};  // demand above the capacity of ready replicas
  TimeLine time_line;
};

// One run of a scenario.
struct RunSummary {
  std::string scenario;
  Duration length{0};
  std::vector<PoolResult> pools;  // sorted by id
  std::string digest;             // of the final decision state; equal for equal runs
};

// A table for people: totals of each pool, and demand and replicas as bars over time.
std::string ToTable(const RunSummary& run);
// The same and the time line as one JSON object.
std::string ToJson(const RunSummary& run);

}  // namespace tidegate::sim
