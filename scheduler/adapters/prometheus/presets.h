#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/config/daemon_config.h"
#include "scheduler/config/gateway_scaler.h"

namespace tidegate::adapters {

// What a gateway's metrics are called, and by which labels its series name the pool.
struct Preset {
  std::string_view name;
  std::string_view requests;         // a counter's selector, without braces' end
  std::string_view inflight;         // a gauge's
  std::string_view latency;          // a histogram's, in `latency_unit` seconds; empty: none
  double latency_unit = 1;           // seconds per unit of the histogram
  std::string_view namespace_label;  // empty: the configured one
  std::string_view gateway_label;    // empty: the configured one
  std::string_view gateway_prefix;   // of that label's value, before the pool's name
};

// Null where there is none of that name. The table is in presets.cc.
const Preset* FindPreset(std::string_view name);

// A query that serves every pool of a preset, and how to read its answer.
struct PresetQuery {
  std::string promql;
  std::string namespace_label;
  std::string gateway_label;
  std::string gateway_prefix;
  double unit = 1;           // multiply values by this
  bool raw_samples = false;  // the answer is a matrix for the estimator, else one value a pool
};

// Precondition: the preset offers the metric (config::PresetOffers).
PresetQuery MakePresetQuery(const Preset& preset, config::SignalMetric metric,
                            const config::PrometheusConfig& config);

// The selector of one pool's request counters, braces and all, as range queries over its history
// need it.
std::string RequestsOfPool(const Preset& preset, const PoolId& pool,
                           const config::PrometheusConfig& config);

// A user's expression for one pool: {{namespace}}, {{gateway}} and {{window}} are replaced.
std::string ExpandPromql(std::string_view promql, const PoolId& pool, Duration window);

}  // namespace tidegate::adapters
