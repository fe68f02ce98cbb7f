#include "scheduler/telemetry/exporter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "policies/base/check.h"
#include "scheduler/metrics/metric_table.h"
#include "scheduler/metrics/pool_records.h"
#include "scheduler/metrics/text.h"
#include "scheduler/telemetry/log.h"
#include "scheduler/telemetry/process_stats.h"

namespace tidegate::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Histogram;

constexpr std::size_t kMaxQueries = 64;
const Histogram::BucketBoundaries kTickBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10};
const Histogram::BucketBoundaries kQueryBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25,  0.5,    1,     2.5,  5,     10,   30};

std::string Str(std::string_view text) { return std::string(text); }

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

std::vector<std::vector<std::string>> LabelNames() {
  std::vector<std::vector<std::string>> names;
  for (const Metric& metric : MetricTable()) names.push_back(Split(metric.labels));
  return names;
}

prometheus::Family<Counter>& AddCounter(prometheus::Registry& registry, MetricId id) {
  const Metric& metric = Describe(id);
  return prometheus::BuildCounter()
      .Name(Str(metric.name))
      .Help(Str(metric.help))
      .Register(registry);
}

prometheus::Family<Histogram>& AddHistogram(prometheus::Registry& registry, MetricId id) {
  const Metric& metric = Describe(id);
  return prometheus::BuildHistogram()
      .Name(Str(metric.name))
      .Help(Str(metric.help))
      .Register(registry);
}

// Gathers one metric's samples and writes them with the library's serializer. One metric at a time,
// so that the samples of a big fleet never exist twice.
class FamilyWriter : public SampleSink {
 public:
  explicit FamilyWriter(std::ostream& out) : out_(out), names_(LabelNames()), family_(1) {}

  void Begin(MetricId id) {
    id_ = id;
    const Metric& metric = Describe(id);
    family_[0].name = Str(metric.name);
    family_[0].help = Str(metric.help);
    family_[0].type = metric.type == MetricType::kCounter ? prometheus::MetricType::Counter
                                                          : prometheus::MetricType::Gauge;
    family_[0].metric.clear();
  }

  void Add(std::initializer_list<std::string_view> labels, double value) override {
    if (std::isnan(value)) return;
    const std::vector<std::string>& names = names_[static_cast<std::size_t>(id_)];
    TIDEGATE_CHECK(names.size() == labels.size(), Describe(id_).name);
    prometheus::ClientMetric& sample = family_[0].metric.emplace_back();
    sample.label.reserve(names.size());
    auto label = labels.begin();
    for (const std::string& name : names) sample.label.push_back({name, Str(*label++)});
    sample.gauge.value = value;
    sample.counter.value = value;
  }

  void End() {
    if (!family_[0].metric.empty()) serializer_.Serialize(out_, family_);
  }

  void One(MetricId id, std::initializer_list<std::string_view> labels, double value) {
    Begin(id);
    Add(labels, value);
    End();
  }

 private:
  std::ostream& out_;
  std::vector<std::vector<std::string>> names_;  // index: MetricId
  prometheus::TextSerializer serializer_;
  std::vector<prometheus::MetricFamily> family_;
  MetricId id_ = MetricId::kPools;
};

// Counters of every label value that can occur, so that each of them is there at 0 before it first
// counts: a counter that appears at 1 never shows as an increase.
struct TickCounters {
  explicit TickCounters(prometheus::Registry& registry);

  void Add(const TickTotals& totals);

  std::array<std::array<Counter*, guards::kReasonCount>, kActionCount> decisions{};
  std::array<std::array<Counter*, kStepReasonCount>, 2> steps{};
};

bool CanOccur(rollout::StepKind kind, rollout::StepReason reason) {
  using enum rollout::StepReason;
  const bool start = kind == rollout::StepKind::kStart;
  switch (reason) {
    case kGrow:
    case kReplace: return start;
    case kShrink:
    case kFailed:
    case kNeverReady:
    case kSuperseded: return !start;
    case kRollout:
    case kRepeat: return true;
  }
  return true;
}

TickCounters::TickCounters(prometheus::Registry& registry) {
  auto& decision_family = AddCounter(registry, MetricId::kDecisions);
  for (std::size_t action = 0; action < decisions.size(); ++action) {
    for (std::size_t reason = 0; reason < decisions[action].size(); ++reason) {
      decisions[action][reason] =
          &decision_family.Add({{"action", Name(static_cast<Action>(action))},
                                {"reason", guards::Name(static_cast<guards::Reason>(reason))}});
    }
  }
  auto& step_family = AddCounter(registry, MetricId::kSteps);
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const auto kind = k == 0 ? rollout::StepKind::kStart : rollout::StepKind::kDrain;
    for (std::size_t r = 0; r < steps[k].size(); ++r) {
      const auto reason = static_cast<rollout::StepReason>(r);
      if (!CanOccur(kind, reason)) continue;
      steps[k][r] =
          &step_family.Add({{"kind", rollout::Name(kind)}, {"reason", rollout::Name(reason)}});
    }
  }
}

void TickCounters::Add(const TickTotals& totals) {
  for (std::size_t action = 0; action < decisions.size(); ++action) {
    for (std::size_t reason = 0; reason < decisions[action].size(); ++reason) {
      const int count = totals.decisions[action][reason];
      if (count > 0) decisions[action][reason]->Increment(count);
    }
  }
  for (std::size_t kind = 0; kind < steps.size(); ++kind) {
    for (std::size_t reason = 0; reason < steps[kind].size(); ++reason) {
      const int count = totals.steps[kind][reason];
      if (count > 0 && steps[kind][reason] != nullptr) steps[kind][reason]->Increment(count);
    }
  }
}

// Gauges of the daemon itself; unknown until first recorded.
struct DaemonGauges {
  double pools = kUnknown;
  double period_s = kUnknown;
  double last_tick_s = kUnknown;
  double journal_bytes = kUnknown;
  double journal_records = kUnknown;
  double reload_ok = kUnknown;
  double reload_time_s = kUnknown;
  double problems = kUnknown;
  std::string config_version;
};

void WriteDaemon(const DaemonGauges& gauges, const BuildInfo& build, FamilyWriter& out) {
  out.One(MetricId::kPools, {}, gauges.pools);
  out.One(MetricId::kLoopPeriod, {}, gauges.period_s);
  out.One(MetricId::kLastTick, {}, gauges.last_tick_s);
  out.One(MetricId::kJournalSize, {}, gauges.journal_bytes);
  out.One(MetricId::kJournalRecords, {}, gauges.journal_records);
  out.One(MetricId::kConfigReloadOk, {}, gauges.reload_ok);
  out.One(MetricId::kConfigReloadTime, {}, gauges.reload_time_s);
  out.One(MetricId::kConfigProblems, {}, gauges.problems);
  if (!gauges.config_version.empty()) {
    out.One(MetricId::kConfigInfo, {gauges.config_version}, 1);
  }
  out.One(MetricId::kBuildInfo, {build.version, build.revision, __VERSION__}, 1);
  out.Begin(MetricId::kLogMessages);
  const auto counts = LogCounts();
  for (std::size_t level = 0; level < counts.size(); ++level) {
    out.Add({Name(static_cast<LogLevel>(level))}, static_cast<double>(counts[level]));
  }
  out.End();
}

void WriteProcess(FamilyWriter& out) {
  const ProcessStats stats = ReadProcessStats();
  out.One(MetricId::kProcessStart, {}, stats.start_s.value_or(kUnknown));
  out.One(MetricId::kProcessCpu, {}, stats.cpu_s.value_or(kUnknown));
  out.One(MetricId::kProcessMemory, {}, stats.resident_bytes.value_or(kUnknown));
  out.One(MetricId::kProcessOpenFds, {}, stats.open_fds.value_or(kUnknown));
  out.One(MetricId::kProcessMaxFds, {}, stats.max_fds.value_or(kUnknown));
}

}  // namespace

struct Exporter::Impl {
  explicit Impl(const BuildInfo& info);

  struct Query {
    Histogram* duration = nullptr;
    Counter* errors = nullptr;
    Counter* empty = nullptr;
  };
  // Needs the lock.
  Query& QueryNamed(const std::string& name);

  BuildInfo build;
  prometheus::Registry registry;
  TickCounters totals;
  prometheus::Family<Counter>& step_failures;
  Counter& ticks;
  Counter& observe_errors;
  Counter& journal_errors;
  Counter& reloads_ok;
  Counter& reloads_failed;
  Histogram& tick_duration;
  Histogram& loop_lag;
  prometheus::Family<Histogram>& query_durations;
  prometheus::Family<Counter>& query_errors;
  prometheus::Family<Counter>& query_empties;

  mutable std::mutex mutex;  // guards what follows
  std::map<std::string, Query> queries;
  DaemonGauges gauges;
  std::vector<PoolRecord> pools;  // sorted by id
};

Exporter::Impl::Impl(const BuildInfo& info)
    : build{ValidUtf8(info.version), ValidUtf8(info.revision)},
      totals(registry),
      step_failures(AddCounter(registry, MetricId::kStepFailures)),
      ticks(AddCounter(registry, MetricId::kTicks).Add({})),
      observe_errors(AddCounter(registry, MetricId::kObserveErrors).Add({})),
      journal_errors(AddCounter(registry, MetricId::kJournalErrors).Add({})),
      reloads_ok(AddCounter(registry, MetricId::kConfigReloads).Add({{"result", "success"}})),
      reloads_failed(AddCounter(registry, MetricId::kConfigReloads).Add({{"result", "failure"}})),
      tick_duration(AddHistogram(registry, MetricId::kTickDuration).Add({}, kTickBuckets)),
      loop_lag(AddHistogram(registry, MetricId::kLoopLag).Add({}, kTickBuckets)),
      query_durations(AddHistogram(registry, MetricId::kQueryDuration)),
      query_errors(AddCounter(registry, MetricId::kQueryErrors)),
      query_empties(AddCounter(registry, MetricId::kQueryEmpty)) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    step_failures.Add({{"code", tidegate::Name(static_cast<ErrorCode>(code))}});
  }
}

Exporter::Impl::Query& Exporter::Impl::QueryNamed(const std::string& name) {
  const auto known = queries.find(name);
  if (known != queries.end()) return known->second;
  const std::string label = queries.size() < kMaxQueries ? name : "other";
  Query& query = queries[label];
  if (query.duration == nullptr) {
    query.duration = &query_durations.Add({{"query", label}}, kQueryBuckets);
    query.errors = &query_errors.Add({{"query", label}});
    query.empty = &query_empties.Add({{"query", label}});
  }
  return query;
}

Exporter::Exporter(const BuildInfo& build) : impl_(std::make_unique<Impl>(build)) {}
Exporter::~Exporter() = default;

void Exporter::RecordTick(const TickRecord& record) {
  TIDEGATE_CHECK(record.tick != nullptr && record.state != nullptr, "a tick record without a tick");
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  impl.totals.Add(UpdatePools(record, impl.pools));
  impl.ticks.Increment();
  if (!record.tick->observe_error.empty()) impl.observe_errors.Increment();
  if (!record.tick->journal_error.empty()) impl.journal_errors.Increment();
  for (const loop::StepFailure& failure : record.tick->failures) {
    impl.step_failures.Add({{"code", tidegate::Name(failure.error.code)}}).Increment();
  }
  impl.tick_duration.Observe(Seconds(record.took));
  impl.loop_lag.Observe(std::max(0.0, Seconds(record.late)));
  impl.gauges.pools = static_cast<double>(record.pools.size());
  impl.gauges.period_s = Seconds(record.period);
  impl.gauges.last_tick_s = Seconds(record.tick->at.time_since_epoch());
}

void Exporter::RecordQuery(const QueryRecord& record) {
  const std::lock_guard lock(impl_->mutex);
  Impl::Query& query = impl_->QueryNamed(ValidUtf8(record.query));
  query.duration->Observe(Seconds(record.took));
  if (record.error) query.errors->Increment();
  if (!record.error && record.empty) query.empty->Increment();
}

void Exporter::RecordReload(const ReloadRecord& record) {
  const std::lock_guard lock(impl_->mutex);
  (record.ok ? impl_->reloads_ok : impl_->reloads_failed).Increment();
  DaemonGauges& gauges = impl_->gauges;
  gauges.reload_ok = record.ok ? 1 : 0;
  gauges.problems = record.problems;
  if (record.ok) gauges.reload_time_s = Seconds(record.at.time_since_epoch());
  gauges.config_version = ValidUtf8(record.version);
}

void Exporter::RecordJournal(const JournalStatus& status) {
  const std::lock_guard lock(impl_->mutex);
  impl_->gauges.journal_bytes = static_cast<double>(status.bytes);
  impl_->gauges.journal_records = static_cast<double>(status.records);
}

void Exporter::RecordFront(const PoolId& pool, bool up) {
  const std::lock_guard lock(impl_->mutex);
  auto& pools = impl_->pools;
  const auto found =
      std::lower_bound(pools.begin(), pools.end(), pool,
                       [](const PoolRecord& record, const PoolId& id) { return *record.id < id; });
  if (found != pools.end() && *found->id == pool) found->front_up = up ? 1 : 0;
}

std::string Exporter::Serialize() const {
  std::vector<PoolRecord> pools;
  DaemonGauges gauges;
  {
    const std::lock_guard lock(impl_->mutex);
    pools = impl_->pools;
    gauges = impl_->gauges;
  }
  std::ostringstream body;
  FamilyWriter out(body);
  for (std::size_t i = 0; i < static_cast<std::size_t>(MetricId::kPools); ++i) {
    out.Begin(static_cast<MetricId>(i));
    for (const PoolRecord& pool : pools) WritePool(static_cast<MetricId>(i), pool, out);
    out.End();
  }
  WriteDaemon(gauges, impl_->build, out);
  prometheus::TextSerializer().Serialize(body, impl_->registry.Collect());
  WriteProcess(out);
  return std::move(body).str();
}

}  // namespace tidegate::telemetry
