#include "scheduler/adapters/prometheus/query_plan.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/signals/estimator.h"

namespace tidegate::adapters {
namespace {

using traces::Response;
using traces::ResponseSeries;
using traces::ResponseType;

using signals::Quality;
using signals::Reading;

// Where in PlannedQuery::labels.
enum LabelIndex : std::size_t { kNamespace, kGateway, kReplica, kPod, kInstance };

std::vector<std::string> LabelsOf(const PresetQuery& query,
                                  const config::PrometheusConfig& config) {
  return {query.namespace_label, query.gateway_label, config.labels.replica, "pod", "instance"};
}

const std::string& ReplicaOf(const ResponseSeries& series) {
  for (const std::size_t index : {kReplica, kPod}) {
    if (!series.labels[index].empty()) return series.labels[index];
  }
  return series.labels[kInstance];
}

PlannedQuery PlanPromql(const PoolQuery& pool, const config::SignalDefinition& signal,
                        const config::PrometheusConfig& config) {
  PlannedQuery planned;
  planned.name = "promql";
  planned.query.promql = ExpandPromql(signal.promql, pool.pool, config.window);
  planned.query.namespace_label = config.labels.ns;
  planned.query.gateway_label = config.labels.gateway;
  planned.labels = LabelsOf(planned.query, config);
  return planned;
}

PlannedQuery PlanPreset(const config::SignalDefinition& signal,
                        const config::PrometheusConfig& config) {
  PlannedQuery planned;
  planned.name = signal.preset;
  planned.preset = true;
  planned.metric = signal.metric;
  planned.query = MakePresetQuery(*FindPreset(signal.preset), signal.metric, config);
  planned.labels = LabelsOf(planned.query, config);
  return planned;
}

Reading Bad(Quality quality, std::string detail) {
  Reading reading;
  reading.quality = quality;
  reading.detail = std::move(detail);
  return reading;
}

// A reading from values that Prometheus has computed: their sum.
Reading FromValues(const std::vector<const ResponseSeries*>& series, double unit) {
  if (series.empty()) return Bad(Quality::kEmpty, "the query gives no series for this pool");
  Reading reading;
  for (const ResponseSeries* one : series) reading.value += one->samples.back().value * unit;
  reading.series = static_cast<int>(series.size());
  if (!std::isfinite(reading.value) || reading.value < 0) {
    return Bad(Quality::kNaN, fmt::format("the query gives {}", reading.value));
  }
  reading.quality = Quality::kOk;
  return reading;
}

// The same by replica, where the series name theirs; several of one replica add up.
std::vector<signals::ReplicaValue> EachOf(const std::vector<const ResponseSeries*>& series,
                                          double unit) {
  std::map<std::string, double> sums;
  for (const ResponseSeries* one : series) {
    const double value = one->samples.back().value * unit;
    if (!ReplicaOf(*one).empty() && std::isfinite(value)) sums[ReplicaOf(*one)] += value;
  }
  std::vector<signals::ReplicaValue> each;
  for (const auto& [replica, value] : sums) each.push_back({replica, value, Duration(0)});
  return each;
}

Reading FromSamples(Instant now, const std::vector<const ResponseSeries*>& series,
                    const PlannedQuery& query, const PoolQuery& pool, bool each_replica,
                    const config::PrometheusConfig& config) {
  std::vector<signals::SampleSeries> samples;
  samples.reserve(series.size());
  for (const ResponseSeries* one : series) samples.push_back({ReplicaOf(*one), one->samples});
  const signals::EstimateOptions options{config.window, config.scrape_interval, config.stale_after,
                                         each_replica};
  return query.metric == config::SignalMetric::kInflight
             ? signals::EstimateGauge(now, samples, *pool.replicas, options)
             : signals::EstimateRate(now, samples, *pool.replicas, options);
}

using SeriesByPool = std::map<PoolId, std::vector<const ResponseSeries*>>;

SeriesByPool Group(const Response& response, const std::string& prefix) {
  SeriesByPool groups;
  for (const ResponseSeries& series : response.series) {
    const std::string& gateway = series.labels[kGateway];
    if (series.samples.empty() || !gateway.starts_with(prefix)) continue;
    groups[{series.labels[kNamespace], gateway.substr(prefix.size())}].push_back(&series);
  }
  return groups;
}

// A user's expression: series that name the pool, or the only series there is.
Reading FromExpression(const Response& response, const SeriesByPool& groups,
                       const PoolQuery& pool) {
  if (response.type == ResponseType::kMatrix) {
    return Bad(Quality::kError, "the expression gives a range; expected one value");
  }
  if (const auto named = groups.find(pool.pool); named != groups.end())
    return FromValues(named->second, 1);
  if (response.series.size() > 1) {
    return Bad(Quality::kError,
               fmt::format("the expression gives {} series and none has this pool's labels; "
                           "sum them, or keep the namespace and gateway labels",
                           response.series.size()));
  }
  if (response.series.empty()) return FromValues({}, 1);
  if (!response.series[0].labels[kGateway].empty()) {
    return Bad(Quality::kEmpty, "the expression gives a series of another pool only");
  }
  return FromValues({&response.series[0]}, 1);
}

}  // namespace

std::vector<PlannedQuery> PlanQueries(std::span<const PoolQuery> pools,
                                      const config::PrometheusConfig& config) {
  std::vector<PlannedQuery> queries;
  std::map<std::string, std::size_t> known;
  for (std::size_t p = 0; p < pools.size(); ++p) {
    for (std::size_t s = 0; s < pools[p].signals->size(); ++s) {
      const config::SignalDefinition& signal = (*pools[p].signals)[s];
      // Presets are looked up by name first: making the text of 10,000 equal queries would cost
      // more than asking.
      const std::string key = signal.preset.empty()
                                  ? "=" + ExpandPromql(signal.promql, pools[p].pool, config.window)
                                  : signal.preset + " " + config::Name(signal.metric);
      const auto [at, fresh] = known.try_emplace(key, queries.size());
      if (fresh) {
        queries.push_back(signal.preset.empty() ? PlanPromql(pools[p], signal, config)
                                                : PlanPreset(signal, config));
      }
      queries[at->second].destinations.push_back({p, s});
    }
  }
  return queries;
}

void FillReadings(Instant now, const PlannedQuery& query, const Expected<Response>& answer,
                  const config::PrometheusConfig& config, std::span<const PoolQuery> pools,
                  std::vector<std::vector<signals::Reading>>& readings) {
  const SeriesByPool groups = answer ? Group(*answer, query.query.gateway_prefix) : SeriesByPool{};
  for (const Destination& to : query.destinations) {
    Reading& reading = readings[to.pool][to.signal];
    const PoolQuery& pool = pools[to.pool];
    const config::SignalDefinition& signal = (*pool.signals)[to.signal];
    const auto mine = groups.find(pool.pool);
    const std::vector<const ResponseSeries*> none;
    const auto& series = mine == groups.end() ? none : mine->second;
    if (!answer) {
      reading = Bad(Quality::kError, answer.error().message);
    } else if (!query.preset) {
      reading = FromExpression(*answer, groups, pool);
      if (signal.each_replica) reading.each = EachOf(series, 1);
    } else if (query.query.raw_samples) {
      reading = FromSamples(now, series, query, pool, signal.each_replica, config);
    } else {
      reading = FromValues(series, query.query.unit);
      if (signal.each_replica) reading.each = EachOf(series, query.query.unit);
    }
    reading.signal = signal.name;
  }
}

}  // namespace tidegate::adapters
