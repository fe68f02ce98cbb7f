#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/signals/estimator.h"
#include "scheduler/metrics/pool_records.h"
#include "scheduler/metrics/tick_record.h"

namespace tidegate::sim {

// What a Prometheus that scraped a simulated daemon and its replicas would hold: the metrics of
// scheduler/metrics that a simulated daemon has, under the daemon's own names, with job "tidegate",
// and each replica's request counter, with job "gateways". Written as OpenMetrics 1.0 with times,
// to be loaded with `promtool tsdb create-blocks-from openmetrics`. The form has no stale markers:
// a series that ends is seen by instant selectors for the lookback (5 m) after its last sample.
//
// Memory: 16 bytes a sample, about 45 series a pool.
class OpenMetrics {
 public:
  // Name of the replicas' counter, as their gateway calls it; ends in "_total".
  explicit OpenMetrics(std::string request_counter);

  // What a scrape of the daemon just after this tick shows. Ticks in time order. Every tick must be
  // added, or counters count too little.
  void AddTick(const telemetry::TickRecord& record) { AddTick(record, true); }
  // Counts a tick without a scrape after it.
  void AddUnseenTick(const telemetry::TickRecord& record) { AddTick(record, false); }
  // Adds the samples that are newer than those of an earlier call. Stale markers are left out.
  void AddRequests(const PoolId& pool, std::span<const signals::SampleSeries> series);

  // All of it; ends with "# EOF".
  void Write(std::ostream& out) const;

 private:
  // Samples by the text of their labels: `{a="b",c="d"}`.
  using Family = std::map<std::string, std::vector<signals::Sample>, std::less<>>;
  class Sink;

  void AddTick(const telemetry::TickRecord& record, bool seen);
  void AddDaemon(const telemetry::TickRecord& record);

  std::string requests_;
  std::vector<telemetry::PoolRecord> pools_;
  telemetry::TickTotals totals_;
  std::int64_t ticks_ = 0;
  std::array<Family, telemetry::kMetricCount> families_;  // index: telemetry::MetricId
  Family replicas_;
};

}  // namespace tidegate::sim
