#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/report/oracle.h"
#include "sim/report/time_line.h"

namespace tidegate::sim {

// What a pool's cost is measured against.
struct Yardstick {
  double objective = 0;  // the share of requests that may wait longer than this, or be lost
  Duration wait{0};
  bool of_answers = false;  // `wait` is from arrival to answer, not to a worker only
  double bad_fraction = 0;  // that did, at the least: see DeadlineQueue
  OracleBound oracle;       // of policies that keep the objective
  // The same for policies with no more bad requests than this run, where those are more than the
  // objective allows, and somebody asked; else equal to `oracle`.
  OracleBound same_loss;
  bool kept() const { return bad_fraction <= objective; }
};

// What is known of single requests. Seconds from arrival to answer, of those that were accepted.
struct RequestResult {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double longest = 0;
  double mean = 0;
  Flow flow;
};

// What happened to one pool.
struct PoolResult {
  PoolId id;
  double arrived = 0;  // requests
  double served = 0;
  double lost = 0;
  double longest_wait_seconds = 0;  // backlog over capacity, at its worst
  double replica_seconds = 0;       // starting, ready and draining; exact
  double counted_arrived = 0;       // requests by the trace, from RunSummary::counted_from on
  double counted_bad = 0;           // of those, as a DeadlineQueue has it
  // The largest share of bad requests in a minute, as a WorstMinute has it: of counted_bad, or of
  // single requests those that were lost or slow; 0 .. 1.
  double worst_minute = 0;
  Replicas peak_live = 0;
  Replicas least_ready = 0;
  Replicas least_paid = 0;  // starting, ready and draining
  Replicas peak_desired = 0;
  int starts = 0;
  int drains = 0;
  Duration short_of_capacity{0};          // demand above the capacity of ready replicas
  std::optional<RequestResult> requests;  // in mode requests
  std::optional<Yardstick> yardstick;     // once somebody has asked for it
  TimeLine time_line;
};

// One run of a scenario.
struct RunSummary {
  std::string scenario;
  Duration length{0};
  Duration counted_from{0};       // the first replicas are ready; objectives count from here
  std::vector<PoolResult> pools;  // sorted by id
  std::string digest;             // of the final decision state; equal for equal runs
};

// A table for people: totals of each pool, and demand and replicas as bars over time.
std::string ToTable(const RunSummary& run);
// The same and the time line as one JSON object.
std::string ToJson(const RunSummary& run);

}  // namespace tidegate::sim
