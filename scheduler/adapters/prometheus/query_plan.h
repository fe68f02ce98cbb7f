#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "scheduler/adapters/prometheus/presets.h"
#include "scheduler/adapters/prometheus/prometheus_source.h"
#include "traces/format/prometheus_response.h"

namespace tidegate::adapters {

// Which reading of which pool an answer serves.
struct Destination {
  std::size_t pool = 0;    // index into the call's pools
  std::size_t signal = 0;  // index into its signals
};

// One query of a tick.
struct PlannedQuery {
  std::string name;  // for statistics
  PresetQuery query;
  bool preset = false;
  config::SignalMetric metric = config::SignalMetric::kRequests;
  std::vector<std::string>
      labels;  // that its answer is to be read with: namespace, gateway, replica's
  std::vector<Destination> destinations;
};

// The queries that serve all signals of all pools: one for each preset and metric, one for each
// expression.
std::vector<PlannedQuery> PlanQueries(std::span<const PoolQuery> pools,
                                      const config::PrometheusConfig& config);

// Fills the readings that an answer serves.
void FillReadings(Instant now, const PlannedQuery& query, const Expected<traces::Response>& answer,
                  const config::PrometheusConfig& config, std::span<const PoolQuery> pools,
                  std::vector<std::vector<signals::Reading>>& readings);

}  // namespace tidegate::adapters
