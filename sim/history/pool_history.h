#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/config/compile.h"
#include "scheduler/config/daemon_config.h"
#include "traces/format/trace.h"
#include "traces/history/counters.h"

namespace tidegate::sim {

// What is wanted of a live pool's past.
struct HistoryQuery {
  Instant begin{};
  Instant end{};       // > begin
  Duration step{0};    // of queries; 0: the scrape interval
  std::string promql;  // gives the pool's request rate; {{namespace}}, {{gateway}} and {{window}}
                       // are replaced. Empty: the counters of the pool's requests signal
  double most_guessed = 0.1;  // share of bins without data past which a history is refused
};

// What a pool went through.
struct PoolHistory {
  PoolId pool;
  Instant begin{};
  traces::Trace demand;
  std::string demand_source;  // a preset's name, or "promql"
  std::size_t guessed = 0;    // bins without data, filled from their neighbours
  Duration longest_guess{0};
  std::size_t old_counters = 0;                 // as in traces::ObservedLoad
  std::vector<traces::ScrapedReplica> scraped;  // as in traces::ObservedLoad
  std::vector<Replicas> ready;    // in each bin, carried on where unknown; empty: nobody knows
  std::vector<Replicas> running;  // starting, ready and draining
  std::string replicas_source;    // the metric that says so; empty: nobody knows
};

// Is told what is being read, and how much of it: 0 .. 1.
using HistoryProgress = std::function<void(const std::string& what, double share)>;

// Reads a pool's demand and replicas from Prometheus. Replicas are those of the first source that
// has any: tidegate_pool_replicas, kube_deployment_status_replicas (a Deployment called like the
// gateway, or "istio-" and its name), the replicas that were scraped.
//
// The bins of demand are a fifth of the step, in whole seconds, where it comes from counters: those
// of several replicas, scraped at different moments, say more than one scrape interval does. From
// an expression they are as long as the step.
//
// Demand is what the gateways counted. What clients never got through to is in no counter, so in a
// past overload true demand was higher.
//
// Errors: as of traces::RangeReader; kInvalid where the pool has no signal that counts requests
// and no expression is given; kNotFound where Prometheus has nothing of the pool, or too little
// (`most_guessed`).
Expected<PoolHistory> ReadPoolHistory(const config::PrometheusConfig& prometheus,
                                      const PoolId& pool, const config::PoolManifest& manifest,
                                      const HistoryQuery& query, const HistoryProgress& progress);

// The time of day, for "the last six hours". No decision depends on it.
Instant TimeOfDay();

}  // namespace tidegate::sim
