#include "scheduler/metrics/metric_table.h"

#include <array>

namespace tidegate::telemetry {
namespace {

using enum MetricId;
constexpr auto kGauge = MetricType::kGauge;
constexpr auto kCounter = MetricType::kCounter;
constexpr auto kHistogram = MetricType::kHistogram;

constexpr std::array<Metric, kMetricCount> kTable{{
    {kPoolProposed, "tidegate_pool_proposed_replicas", kGauge, "namespace,pool", "replicas",
     "Replicas that the signals ask for, before any guard."},
    {kPoolStabilized, "tidegate_pool_stabilized_replicas", kGauge, "namespace,pool", "replicas",
     "Replicas after the stabilization windows, before rate limits and bounds."},
    {kPoolDesired, "tidegate_pool_desired_replicas", kGauge, "namespace,pool", "replicas",
     "Replicas that the pool should have, after all guards."},
    {kPoolCurrent, "tidegate_pool_current_replicas", kGauge, "namespace,pool", "replicas",
     "Size that the last decision started from: what the one before it desired."},
    {kPoolMin, "tidegate_pool_min_replicas", kGauge, "namespace,pool", "replicas",
     "minReplicas of the pool's scaler."},
    {kPoolMax, "tidegate_pool_max_replicas", kGauge, "namespace,pool", "replicas",
     "maxReplicas of the pool's scaler."},
    {kPoolLiveLimit, "tidegate_pool_live_limit_replicas", kGauge, "namespace,pool", "replicas",
     "Most replicas that may be starting or ready now: size plus surge budget (B1)."},
    {kPoolAvailableFloor, "tidegate_pool_available_floor_replicas", kGauge, "namespace,pool",
     "replicas",
     "Ready replicas below which no step takes the pool: desired less unavailable budget (B2)."},
    {kPoolPlannedPeak, "tidegate_pool_planned_peak_replicas", kGauge, "namespace,pool", "replicas",
     "Most live replicas on the planned way to the goal."},
    {kPoolPlannedLeastAvailable, "tidegate_pool_planned_least_available_replicas", kGauge,
     "namespace,pool", "replicas", "Fewest ready replicas on the planned way to the goal."},
    {kPoolPlannedWaves, "tidegate_pool_planned_waves", kGauge, "namespace,pool", "waves",
     "Waves of starts left to the goal, each waiting for the readiness of the one before."},
    {kPoolRolloutComplete, "tidegate_pool_rollout_complete", kGauge, "namespace,pool", "bool",
     "1 while size and template are what they should be and nothing starts or drains."},
    {kPoolDeadlockForeseen, "tidegate_pool_deadlock_foreseen", kGauge, "namespace,pool", "bool",
     "1 while the budgets and the quota leave no way to the goal."},
    {kPoolPendingSteps, "tidegate_pool_pending_steps", kGauge, "namespace,pool", "steps",
     "Steps that the fleet accepted and does not show yet."},
    {kPoolFailedStarts, "tidegate_pool_failed_starts", kGauge, "namespace,pool", "replicas",
     "Starts of the present template that failed in a row."},
    {kPoolBackoff, "tidegate_pool_backoff_seconds", kGauge, "namespace,pool", "seconds",
     "Time until the next start may be tried after failed ones; 0 when none is held back."},
    {kPoolPaused, "tidegate_pool_paused", kGauge, "namespace,pool", "bool",
     "1 while the pool's scaler is paused."},
    {kPoolDryRun, "tidegate_pool_dry_run", kGauge, "namespace,pool", "bool",
     "1 while decisions are recorded and no step is taken."},
    {kPoolFallbackActive, "tidegate_pool_fallback_active", kGauge, "namespace,pool", "bool",
     "1 while the fallback size acts because every signal has been unusable for too long."},
    {kPoolDecisionError, "tidegate_pool_decision_error", kGauge, "namespace,pool", "bool",
     "1 while the pool is left alone because its fleet can't say what runs."},

    {kPoolReplicas, "tidegate_pool_replicas", kGauge, "namespace,pool,phase", "replicas",
     "Replicas that run, by phase (starting, ready, draining, failed)."},
    {kPoolLimitingReason, "tidegate_pool_limiting_reason", kGauge, "namespace,pool,reason", "bool",
     "1 for the reason of the present size, 0 for reasons of earlier ones."},
    {kPoolBudgetUsed, "tidegate_pool_budget_used_replicas", kGauge, "namespace,pool,budget",
     "replicas", "Replicas of the budget (surge, unavailable) that are in use."},
    {kPoolBudgetLimit, "tidegate_pool_budget_limit_replicas", kGauge, "namespace,pool,budget",
     "replicas", "Size of the budget (surge, unavailable) for the pool as it is now."},
    {kPoolDeferred, "tidegate_pool_deferred_replicas", kGauge, "namespace,pool,kind", "replicas",
     "Starts and drains that ought to happen and wait for room in a budget or for a backoff."},
    {kPoolLastScale, "tidegate_pool_last_scale_timestamp_seconds", kGauge,
     "namespace,pool,direction", "seconds",
     "When the desired size last grew or shrank; absent until it did."},
    {kPoolScalings, "tidegate_pool_scalings_total", kCounter, "namespace,pool,direction",
     "decisions", "Decisions that changed the desired size, by direction (up, down)."},
    {kPoolSteps, "tidegate_pool_steps_total", kCounter, "namespace,pool,kind", "steps",
     "Steps that the fleet accepted, by kind (start, drain)."},
    {kPoolStepFailures, "tidegate_pool_step_failures_total", kCounter, "namespace,pool", "steps",
     "Steps that the fleet refused or could not take."},
    {kPoolFrontUp, "tidegate_pool_front_up", kGauge, "namespace,pool", "bool",
     "1 while the pool's address accepts connections; absent where we do not run the address."},
    {kPoolInfo, "tidegate_pool_info", kGauge, "namespace,pool,config_version,revision,policy",
     "info", "Always 1; the labels tell the pool's configuration, template and sizing policy."},

    {kSignalValue, "tidegate_signal_value", kGauge, "namespace,pool,signal", "signal",
     "The signal summed over the pool, in its own unit; absent while it can't be used."},
    {kSignalTarget, "tidegate_signal_target", kGauge, "namespace,pool,signal", "signal",
     "What one replica should bear, in the signal's unit; absent for a signal only observed."},
    {kSignalProposed, "tidegate_signal_proposed_replicas", kGauge, "namespace,pool,signal",
     "replicas", "Replicas that this signal alone asks for; absent while it can't be used."},
    {kSignalAge, "tidegate_signal_age_seconds", kGauge, "namespace,pool,signal", "seconds",
     "Age of the signal's newest sample; absent where there is none."},
    {kSignalSeries, "tidegate_signal_series", kGauge, "namespace,pool,signal", "series",
     "Series that the signal was read from."},
    {kSignalExpectedSeries, "tidegate_signal_expected_series", kGauge, "namespace,pool,signal",
     "series", "Ready replicas that ought to have reported; 0 where that is unknown."},
    {kSignalQuality, "tidegate_signal_quality", kGauge, "namespace,pool,signal,quality", "bool",
     "1 for the present quality (ok, partial, stale, empty, nan, error), 0 for earlier ones."},

    {kPools, "tidegate_pools", kGauge, "", "pools", "Pools that the last tick decided about."},
    {kDecisions, "tidegate_decisions_total", kCounter, "action,reason", "decisions",
     "Decisions by action (up, down, none, error) and reason of the size."},
    {kSteps, "tidegate_steps_total", kCounter, "kind,reason", "steps",
     "Steps that the fleet accepted, by kind and by what they were for."},
    {kStepFailures, "tidegate_step_failures_total", kCounter, "code", "steps",
     "Steps that the fleet refused or could not take, by kind of error."},
    {kTicks, "tidegate_ticks_total", kCounter, "", "ticks", "Ticks of the control loop."},
    {kTickDuration, "tidegate_tick_duration_seconds", kHistogram, "", "seconds",
     "Time that a tick took: observe, decide, record and request."},
    {kLoopLag, "tidegate_loop_lag_seconds", kHistogram, "", "seconds",
     "How long after it was due a tick started."},
    {kLoopPeriod, "tidegate_loop_period_seconds", kGauge, "", "seconds",
     "Time between two ticks that the loop is meant to keep."},
    {kLastTick, "tidegate_last_tick_timestamp_seconds", kGauge, "", "seconds",
     "Instant of the last tick."},
    {kObserveErrors, "tidegate_observe_errors_total", kCounter, "", "ticks",
     "Ticks that held every pool because nothing could be observed."},
    {kQueryDuration, "tidegate_query_duration_seconds", kHistogram, "query", "seconds",
     "Time that a query to the metrics source took, retries included."},
    {kQueryErrors, "tidegate_query_errors_total", kCounter, "query", "queries",
     "Queries to the metrics source that failed after all retries."},
    {kQueryEmpty, "tidegate_query_empty_results_total", kCounter, "query", "queries",
     "Queries that were answered with no series at all."},
    {kJournalErrors, "tidegate_journal_errors_total", kCounter, "", "ticks",
     "Ticks whose decisions and state could not be written."},
    {kJournalSize, "tidegate_journal_size_bytes", kGauge, "", "bytes",
     "Size of the journal on disk."},
    {kJournalRecords, "tidegate_journal_records", kGauge, "", "records",
     "Decisions that the journal keeps."},
    {kConfigReloads, "tidegate_config_reloads_total", kCounter, "result", "loads",
     "Attempts to load the configuration, by result (success, failure)."},
    {kConfigReloadOk, "tidegate_config_last_reload_successful", kGauge, "", "bool",
     "1 when the last attempt to load the configuration succeeded."},
    {kConfigReloadTime, "tidegate_config_last_reload_success_timestamp_seconds", kGauge, "",
     "seconds", "When the configuration in force was loaded."},
    {kConfigProblems, "tidegate_config_problems", kGauge, "", "problems",
     "Problems in the configuration files as they are now; the last good ones stay in force."},
    {kConfigInfo, "tidegate_config_info", kGauge, "version", "info",
     "Always 1; the label tells the version of the configuration in force."},
    {kLogMessages, "tidegate_log_messages_total", kCounter, "level", "lines",
     "Lines written to the log, by level."},
    {kBuildInfo, "tidegate_build_info", kGauge, "version,revision,compiler", "info",
     "Always 1; the labels tell what runs."},

    {kProcessStart, "process_start_time_seconds", kGauge, "", "seconds",
     "When the process started, in seconds since 1970."},
    {kProcessCpu, "process_cpu_seconds_total", kCounter, "", "seconds",
     "User and system time that the process has used."},
    {kProcessMemory, "process_resident_memory_bytes", kGauge, "", "bytes",
     "Memory that the process holds."},
    {kProcessOpenFds, "process_open_fds", kGauge, "", "descriptors", "Open file descriptors."},
    {kProcessMaxFds, "process_max_fds", kGauge, "", "descriptors",
     "Most file descriptors that the process may open."},
}};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].id) != i || kTable[i].name.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(InOrder(), "entry i of the metric table must have id i");

}  // namespace

const char* Name(MetricType type) {
  switch (type) {
    case MetricType::kGauge: return "gauge";
    case MetricType::kCounter: return "counter";
    case MetricType::kHistogram: return "histogram";
  }
  return "gauge";
}

std::span<const Metric> MetricTable() { return kTable; }

const Metric& Describe(MetricId id) { return kTable[static_cast<std::size_t>(id)]; }

}  // namespace tidegate::telemetry
