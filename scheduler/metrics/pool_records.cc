#include "scheduler/metrics/pool_records.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "scheduler/metrics/text.h"

namespace tidegate::telemetry {
namespace {

using decision::Decision;

constexpr std::array<const char*, 2> kDirections = {"up", "down"};
constexpr std::array<const char*, 2> kBudgets = {"surge", "unavailable"};

template <std::size_t N>
void FillUnknown(std::array<double, N>& values) {
  values.fill(kUnknown);
}

double Bool(bool value) { return value ? 1 : 0; }

std::size_t IndexOf(rollout::StepKind kind) { return kind == rollout::StepKind::kStart ? 0 : 1; }

void UpdateSizes(const Decision& decision, PoolRecord& pool) {
  pool.at(MetricId::kPoolProposed) = decision.desired.proposed;
  pool.at(MetricId::kPoolStabilized) = decision.desired.stabilized;
  pool.at(MetricId::kPoolDesired) = decision.desired.replicas;
  pool.at(MetricId::kPoolCurrent) = decision.current;
  pool.at(MetricId::kPoolMin) = decision.min;
  pool.at(MetricId::kPoolMax) = decision.max;
  pool.phases = {
      static_cast<double>(decision.counts.starting), static_cast<double>(decision.counts.ready),
      static_cast<double>(decision.counts.draining), static_cast<double>(decision.counts.failed)};
  pool.reason = static_cast<int>(decision.desired.reason);
  pool.seen |= std::uint32_t{1} << static_cast<unsigned>(decision.desired.reason);
  pool.at(MetricId::kPoolFallbackActive) =
      Bool(std::any_of(decision.desired.limits.begin(), decision.desired.limits.end(),
                       [](const guards::Limit& limit) {
                         return limit.reason == guards::Reason::kFallback;
                       }) ||
           decision.desired.reason == guards::Reason::kFallback);
  const Replicas change = decision.desired.replicas - decision.current;
  if (change != 0) {
    const std::size_t direction = change > 0 ? 0 : 1;
    pool.scalings[direction] += 1;
    pool.last_scale_s[direction] = Seconds(decision.at.time_since_epoch());
  }
}

void UpdatePlan(const rollout::Plan& plan, PoolRecord& pool) {
  pool.at(MetricId::kPoolLiveLimit) = plan.use.live_limit;
  pool.at(MetricId::kPoolAvailableFloor) = plan.use.available_floor;
  pool.at(MetricId::kPoolPlannedPeak) = plan.foresight.peak_live;
  pool.at(MetricId::kPoolPlannedLeastAvailable) = plan.foresight.least_available;
  pool.at(MetricId::kPoolPlannedWaves) = plan.foresight.waves;
  pool.at(MetricId::kPoolDeadlockForeseen) = Bool(!plan.foresight.deadlock.empty());
  pool.at(MetricId::kPoolRolloutComplete) = Bool(plan.complete);
  pool.used = {static_cast<double>(plan.use.surge), static_cast<double>(plan.use.unavailable)};
  pool.limit = {static_cast<double>(plan.use.surge_limit),
                static_cast<double>(plan.use.unavailable_limit)};
  pool.deferred = {0, 0};
  for (const rollout::Deferred& deferred : plan.deferred) {
    pool.deferred[IndexOf(deferred.kind)] += deferred.count;
  }
}

// The failures of a tick by pool: one search per pool, also when every step of a big fleet failed.
class Failures {
 public:
  explicit Failures(const loop::Tick& tick) {
    sorted_.reserve(tick.failures.size());
    for (const loop::StepFailure& failure : tick.failures) sorted_.push_back(&failure);
    std::sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) {
      return std::tie(a->pool, a->step.replica) < std::tie(b->pool, b->step.replica);
    });
  }

  std::span<const loop::StepFailure* const> Of(const PoolId& pool) const {
    const auto first =
        std::lower_bound(sorted_.begin(), sorted_.end(), pool,
                         [](const auto* f, const PoolId& id) { return f->pool < id; });
    const auto last = std::upper_bound(
        first, sorted_.end(), pool, [](const PoolId& id, const auto* f) { return id < f->pool; });
    return {first, last};
  }

 private:
  std::vector<const loop::StepFailure*> sorted_;
};

// Counts the steps of the decision that the fleet accepted, going by what the tick reports.
void UpdateSteps(const Decision& decision, const Failures& failures, PoolRecord& pool,
                 TickTotals& totals) {
  const auto failed = failures.Of(decision.pool);
  pool.step_failures += static_cast<double>(failed.size());
  if (decision.dry_run) return;
  for (const rollout::Step& step : decision.plan.steps) {
    if (std::any_of(failed.begin(), failed.end(), [&](const auto* f) { return f->step == step; })) {
      continue;
    }
    const std::size_t kind = IndexOf(step.kind);
    pool.steps[kind] += 1;
    ++totals.steps[kind][static_cast<std::size_t>(step.reason)];
  }
}

SignalRecord& FindSignal(const std::string& name, std::vector<SignalRecord>& old,
                         std::vector<SignalRecord>& next) {
  const auto same = [&](const SignalRecord& record) { return record.signal == name; };
  if (const auto known = std::find_if(next.begin(), next.end(), same); known != next.end()) {
    return *known;
  }
  SignalRecord record;
  record.signal = name;
  if (const auto before = std::find_if(old.begin(), old.end(), same); before != old.end()) {
    record.seen = before->seen;
  }
  next.push_back(std::move(record));
  return next.back();
}

void SetQuality(signals::Quality quality, double value, SignalRecord& record) {
  record.quality = quality;
  record.seen |= static_cast<std::uint8_t>(1u << static_cast<unsigned>(quality));
  record.value = signals::MayGrow(quality) ? value : kUnknown;
}

// An age of 0 means "no sample" where nothing came back.
double AgeOf(signals::Quality quality, Duration age) {
  const bool none = quality == signals::Quality::kEmpty || quality == signals::Quality::kError;
  return none && age == Duration(0) ? kUnknown : Seconds(age);
}

void UpdateSignals(const Decision& decision, PoolRecord& pool) {
  std::vector<SignalRecord> next;
  next.reserve(decision.readings.size());
  for (const signals::Reading& reading : decision.readings) {
    SignalRecord& record = FindSignal(ValidUtf8(reading.signal), pool.signals, next);
    SetQuality(reading.quality, reading.value, record);
    record.age_s = AgeOf(reading.quality, reading.age);
    record.series = reading.series;
    record.expected = reading.expected;
  }
  for (const sizing::Proposal& proposal : decision.proposals) {
    SignalRecord& record = FindSignal(ValidUtf8(proposal.source), pool.signals, next);
    if (record.seen == 0) {  // a policy that does not read a signal
      SetQuality(proposal.quality, proposal.value, record);
      record.age_s = AgeOf(proposal.quality, proposal.age);
    }
    record.target = proposal.target > 0 ? proposal.target : kUnknown;
    record.proposed = proposal.replicas ? static_cast<double>(*proposal.replicas) : kUnknown;
  }
  pool.signals = std::move(next);
}

void UpdateState(const decision::PoolState& state, Instant now, PoolRecord& pool) {
  const bool held_back = state.rollout.failed_starts > 0 && state.rollout.retry_at > now;
  pool.at(MetricId::kPoolPendingSteps) = static_cast<double>(state.rollout.pending.size());
  pool.at(MetricId::kPoolFailedStarts) = state.rollout.failed_starts;
  pool.at(MetricId::kPoolBackoff) = held_back ? Seconds(state.rollout.retry_at - now) : 0;
}

void UpdateSpec(const decision::PoolSpec& spec, PoolRecord& pool) {
  pool.at(MetricId::kPoolPaused) = Bool(spec.guards.paused);
  pool.at(MetricId::kPoolDryRun) = Bool(spec.dry_run);
  pool.config_version = ValidUtf8(spec.config_version);
  pool.revision = ValidUtf8(spec.revision);
  pool.policy = NamesOf(spec.policies);
}

Action ActionOf(const Decision& decision) {
  if (!decision.error.empty()) return Action::kError;
  if (decision.desired.replicas > decision.current) return Action::kUp;
  return decision.desired.replicas < decision.current ? Action::kDown : Action::kNone;
}

// A pool whose decision could not be made keeps the values that it had.
void UpdateDecision(const Decision& decision, const Failures& failures, PoolRecord& pool,
                    TickTotals& totals) {
  const Action action = ActionOf(decision);
  ++totals.decisions[static_cast<std::size_t>(action)]
                    [static_cast<std::size_t>(decision.desired.reason)];
  UpdateSignals(decision, pool);
  if (action == Action::kError) return;
  pool.at(MetricId::kPoolDecisionError) = 0;
  UpdateSizes(decision, pool);
  UpdatePlan(decision.plan, pool);
  UpdateSteps(decision, failures, pool, totals);
}

PoolRecord Begin(const PoolId& id) {
  PoolRecord pool;
  pool.id = std::make_shared<const PoolId>(id);
  return pool;
}

void WriteSizes(MetricId metric, const PoolRecord& pool, SampleSink& sink) {
  const auto& [ns, name] = *pool.id;
  if (metric == MetricId::kPoolReplicas) {
    for (std::size_t i = 0; i < pool.phases.size(); ++i) {
      sink.Add({ns, name, signals::Name(static_cast<signals::Phase>(i))}, pool.phases[i]);
    }
  } else if (metric == MetricId::kPoolLimitingReason) {
    for (int i = 0; i < guards::kReasonCount; ++i) {
      if ((pool.seen >> static_cast<unsigned>(i) & 1u) == 0) continue;
      sink.Add({ns, name, guards::Name(static_cast<guards::Reason>(i))}, Bool(i == pool.reason));
    }
  } else if (metric == MetricId::kPoolInfo && !pool.policy.empty()) {
    sink.Add({ns, name, pool.config_version, pool.revision, pool.policy}, 1);
  } else if (metric == MetricId::kPoolFrontUp) {
    sink.Add({ns, name}, pool.front_up);
  } else if (metric == MetricId::kPoolStepFailures) {
    sink.Add({ns, name}, pool.step_failures);
  }
}

void WritePairs(MetricId metric, const PoolRecord& pool, SampleSink& sink) {
  const auto write = [&](const std::array<double, 2>& values,
                         const std::array<const char*, 2>& labels) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      sink.Add({pool.id->ns, pool.id->name, labels[i]}, values[i]);
    }
  };
  const std::array<const char*, 2> kinds = {rollout::Name(rollout::StepKind::kStart),
                                            rollout::Name(rollout::StepKind::kDrain)};
  switch (metric) {
    case MetricId::kPoolBudgetUsed: return write(pool.used, kBudgets);
    case MetricId::kPoolBudgetLimit: return write(pool.limit, kBudgets);
    case MetricId::kPoolDeferred: return write(pool.deferred, kinds);
    case MetricId::kPoolSteps: return write(pool.steps, kinds);
    case MetricId::kPoolLastScale: return write(pool.last_scale_s, kDirections);
    case MetricId::kPoolScalings: return write(pool.scalings, kDirections);
    default: return;
  }
}

double ValueOf(MetricId metric, const SignalRecord& signal) {
  switch (metric) {
    case MetricId::kSignalValue: return signal.value;
    case MetricId::kSignalTarget: return signal.target;
    case MetricId::kSignalProposed: return signal.proposed;
    case MetricId::kSignalAge: return signal.age_s;
    case MetricId::kSignalSeries: return signal.series;
    case MetricId::kSignalExpectedSeries: return signal.expected;
    default: return kUnknown;
  }
}

void WriteSignals(MetricId metric, const PoolRecord& pool, SampleSink& sink) {
  const auto& [ns, name] = *pool.id;
  for (const SignalRecord& signal : pool.signals) {
    if (metric != MetricId::kSignalQuality) {
      sink.Add({ns, name, signal.signal}, ValueOf(metric, signal));
      continue;
    }
    for (int i = 0; i < signals::kQualityCount; ++i) {
      if ((static_cast<unsigned>(signal.seen) >> static_cast<unsigned>(i) & 1u) == 0) continue;
      const auto quality = static_cast<signals::Quality>(i);
      sink.Add({ns, name, signal.signal, signals::Name(quality)}, Bool(quality == signal.quality));
    }
  }
}

}  // namespace

PoolRecord::PoolRecord() {
  FillUnknown(plain);
  FillUnknown(phases);
  FillUnknown(used);
  FillUnknown(limit);
  FillUnknown(deferred);
  FillUnknown(last_scale_s);
}

const char* Name(Action action) {
  switch (action) {
    case Action::kUp: return "up";
    case Action::kDown: return "down";
    case Action::kNone: return "none";
    case Action::kError: return "error";
  }
  return "error";
}

TickTotals UpdatePools(const TickRecord& record, std::vector<PoolRecord>& pools) {
  TickTotals totals;
  std::vector<PoolRecord> next;
  next.reserve(record.pools.size());
  const Failures failures(*record.tick);
  const auto end = record.tick->decisions.end();
  auto old = pools.begin();
  auto decision = record.tick->decisions.begin();
  for (const decision::PoolSpec& spec : record.pools) {
    while (old != pools.end() && *old->id < spec.id) ++old;
    while (decision != end && decision->pool < spec.id) ++decision;
    const bool known = old != pools.end() && *old->id == spec.id;
    next.push_back(known ? std::move(*old) : Begin(spec.id));
    if (known) ++old;
    PoolRecord& pool = next.back();
    UpdateSpec(spec, pool);
    pool.at(MetricId::kPoolDecisionError) = 1;
    if (decision != end && decision->pool == spec.id) {
      UpdateDecision(*decision, failures, pool, totals);
    }
    const auto state = record.state->pools.find(spec.id);
    if (state != record.state->pools.end()) UpdateState(state->second, record.tick->at, pool);
  }
  pools = std::move(next);
  return totals;
}

void WritePool(MetricId metric, const PoolRecord& pool, SampleSink& sink) {
  if (static_cast<std::size_t>(metric) < kPlainPoolMetrics) {
    sink.Add({pool.id->ns, pool.id->name}, pool.plain[static_cast<std::size_t>(metric)]);
    return;
  }
  if (metric >= MetricId::kPools) return;
  if (metric >= MetricId::kSignalValue) return WriteSignals(metric, pool, sink);
  WriteSizes(metric, pool, sink);
  WritePairs(metric, pool, sink);
}

}  // namespace tidegate::telemetry
