#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tidegate::telemetry {

enum class MetricType { kGauge, kCounter, kHistogram };
// "gauge", "counter", "histogram".
const char* Name(MetricType type);

// One per exported metric, in the order of the table. The exporter can only export what has an
// entry here.
enum class MetricId : std::size_t {
  // Per pool, one value each (labels namespace, pool).
  kPoolProposed,
  kPoolStabilized,
  kPoolDesired,
  kPoolCurrent,
  kPoolMin,
  kPoolMax,
  kPoolLiveLimit,
  kPoolAvailableFloor,
  kPoolPlannedPeak,
  kPoolPlannedLeastAvailable,
  kPoolPlannedWaves,
  kPoolRolloutComplete,
  kPoolDeadlockForeseen,
  kPoolPendingSteps,
  kPoolFailedStarts,
  kPoolBackoff,
  kPoolPaused,
  kPoolDryRun,
  kPoolFallbackActive,
  kPoolDecisionError,
  // Per pool, with one more label.
  kPoolReplicas,
  kPoolLimitingReason,
  kPoolBudgetUsed,
  kPoolBudgetLimit,
  kPoolDeferred,
  kPoolLastScale,
  kPoolScalings,
  kPoolSteps,
  kPoolStepFailures,
  kPoolFrontUp,
  kPoolInfo,
  // Per signal of a pool.
  kSignalValue,
  kSignalTarget,
  kSignalProposed,
  kSignalAge,
  kSignalSeries,
  kSignalExpectedSeries,
  kSignalQuality,
  // The daemon.
  kPools,
  kDecisions,
  kSteps,
  kStepFailures,
  kTicks,
  kTickDuration,
  kLoopLag,
  kLoopPeriod,
  kLastTick,
  kObserveErrors,
  kQueryDuration,
  kQueryErrors,
  kQueryEmpty,
  kJournalErrors,
  kJournalSize,
  kJournalRecords,
  kConfigReloads,
  kConfigReloadOk,
  kConfigReloadTime,
  kConfigProblems,
  kConfigInfo,
  kLogMessages,
  kBuildInfo,
  // The process, under the names that every client library uses.
  kProcessStart,
  kProcessCpu,
  kProcessMemory,
  kProcessOpenFds,
  kProcessMaxFds,
};
inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(MetricId::kProcessMaxFds) + 1;

// What one metric is. Names are an interface: a metric that is renamed is exported under both names
// for a release.
struct Metric {
  MetricId id = MetricId::kPools;
  std::string_view name;  // of a histogram: without _bucket, _sum, _count
  MetricType type = MetricType::kGauge;
  std::string_view labels;  // comma-separated, in the order of export; empty: none
  std::string_view unit;    // "replicas", "seconds", "bytes", "requests", "bool", "info", ...
  std::string_view help;    // one sentence
};

// Every metric that a daemon exports, and nothing else: what /metrics, the dashboards, the rules
// and the tests all refer to. Entry i has id i.
std::span<const Metric> MetricTable();
const Metric& Describe(MetricId id);

}  // namespace tidegate::telemetry
