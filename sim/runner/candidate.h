#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/units.h"
#include "scheduler/config/compile.h"
#include "scheduler/config/daemon_config.h"
#include "sim/runner/scenario.h"
#include "traces/history/counters.h"

namespace tidegate::sim {

// Where a configuration that is to be tried comes from. At least one of the first three is given.
struct CandidateOptions {
  std::vector<std::string> manifests;  // files and folders, as the daemon reads them
  std::string scenario;                // a scenario file; its manifests, where none are given above
  std::string config;  // the daemon's configuration; its manifests, where there are no others
  std::vector<std::string> pools;  // "namespace/name"; empty: all that the manifests declare
};

// A configuration, and how replicas and metrics behave around it.
struct Candidate {
  Scenario scenario;  // defaults where none is given; its trace is of use only if one is
  config::CompiledConfig config;
  std::optional<config::PrometheusConfig> prometheus;  // of the daemon's configuration, if any
  std::vector<PoolId> pools;                           // that are wanted; not empty
};

// Without a scenario, tick and scrapes are those of the daemon's configuration. kInvalid with all
// problems, a line each.
Expected<Candidate> LoadCandidate(const CandidateOptions& options);

// The scenario for one pool alone, from `start` on. Its objective is that nobody waits longer than
// `wait` (or than clients are patient), and of single requests that none takes longer than that and
// a mean service time.
Scenario Alone(const Scenario& scenario, const PoolId& pool, Instant start, Duration wait);

// Lets replicas be scraped when those of a live pool were, unless the scenario says when: how soon
// a rise is seen depends on it. `scraped` in the order of first scrapes; those that were gone by
// the scenario's start are left out.
void ScrapeAsSeen(std::span<const traces::ScrapedReplica> scraped, Scenario& scenario);

// What the manifests say of one pool alone. Precondition: they declare it.
config::CompiledConfig OnlyPool(const config::CompiledConfig& config, const PoolId& pool);

}  // namespace tidegate::sim
