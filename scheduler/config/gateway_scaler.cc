#include "scheduler/config/gateway_scaler.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "scheduler/config/capacity_fields.h"
#include "scheduler/config/manifests.h"
#include "scheduler/config/metadata.h"
#include "scheduler/config/policy_fields.h"
#include "scheduler/config/schedule.h"

namespace tidegate::config {
namespace {

constexpr std::size_t kMostSignals = 16;
constexpr std::size_t kMostPolicies = 16;
constexpr std::size_t kLongestPromql = 8'192;
constexpr IntRange kReplicaRange{0, kMaxReplicas, "a number of replicas"};
constexpr IntRange kWindowRange{0, 3'600, "a number of seconds"};
constexpr IntRange kPeriodRange{1, 1'800, "a number of seconds"};
constexpr IntRange kDeadlineRange{1, 86'400, "a number of seconds"};

constexpr std::array<std::string_view, 7> kPresets{"envoy", "haproxy", "ingress-nginx", "istio",
                                                   "kong",  "nginx",   "traefik"};
constexpr std::array<std::string_view, 3> kMetrics{"requests", "inflight", "latency"};
constexpr std::array<std::string_view, 3> kSelects{"Max", "Min", "Disabled"};
constexpr std::array<std::string_view, 2> kPolicyTypes{"Pods", "Percent"};
constexpr std::array<std::string_view, 2> kPaces{"rolling", "immediate"};
constexpr std::array<std::string_view, 4> kFallbacks{
    "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"};

bool OffersLatency(const std::string& preset) { return preset != "nginx" && preset != "haproxy"; }

void ReadTarget(Fields& fields, SignalDefinition* signal) {
  const auto target = fields.Get("target");
  if (!target) return;
  Fields parts(*target);
  if (const auto amount = parts.Need("perReplica")) {
    if (const auto value = amount->PositiveAmount()) signal->per_replica = *value;
  }
  parts.Hint("averageValue", "perReplica");
  parts.Finish();
  if (signal->metric == SignalMetric::kLatency) {
    target->Complain(
        "latency is observed only: it can't have a target yet; size by requests or inflight");
  }
}

void ReadPreset(Fields& fields, SignalDefinition* signal) {
  const auto preset = fields.Get("preset");
  const auto promql = fields.Get("promql");
  const auto metric = fields.Get("metric");
  fields.Choice("metric", kMetrics, &signal->metric);
  if (preset.has_value() == promql.has_value()) {
    fields.value().Complain("expected either preset or promql");
    return;
  }
  if (promql) {
    auto text = promql->Text();
    if (text && (text->empty() || text->size() > kLongestPromql)) {
      promql->Expect(fmt::format("an expression of 1 to {} bytes", kLongestPromql));
    } else if (text) {
      signal->promql = *std::move(text);
    }
    if (metric) metric->Complain("a promql signal has no metric; the expression says what it is");
    return;
  }
  const auto index = preset->Choice(kPresets);
  if (!index) return;
  signal->preset = kPresets[*index];
  if (!PresetOffers(signal->preset, signal->metric)) {
    (metric ? *metric : *preset)
        .Complain(fmt::format("{} does not export {}", signal->preset, Name(signal->metric)));
  }
}

SignalDefinition ReadSignal(const Value& value) {
  SignalDefinition signal;
  Fields fields(value);
  if (const auto name = fields.Need("name")) {
    const auto text = name->Text();
    if (text && CheckName(*name, *text)) signal.name = *text;
  }
  ReadPreset(fields, &signal);
  ReadTarget(fields, &signal);
  fields.Finish();
  return signal;
}

void ReadSignals(Fields& fields, GatewayScaler* scaler) {
  const auto value = fields.Need("signals");
  if (!value) return;
  const auto items = value->Items(kMostSignals);
  if (value->node().kind == Node::Kind::kList && items.empty()) {
    value->Complain("expected at least one signal");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(value->context(), items[i], Path(value->path(), i));
    SignalDefinition signal = ReadSignal(item);
    const auto same = std::ranges::find(scaler->signals, signal.name, &SignalDefinition::name);
    if (!signal.name.empty() && same != scaler->signals.end()) {
      item.Complain(fmt::format("the name {} is that of signals[{}] too", signal.name,
                                same - scaler->signals.begin()));
    }
    scaler->signals.push_back(std::move(signal));
  }
}

// Targets that signals leave out come from the capacity.
void FillTargets(GatewayScaler* scaler) {
  for (SignalDefinition& signal : scaler->signals) {
    if (!signal.per_replica && !signal.preset.empty()) {
      if (signal.metric == SignalMetric::kRequests)
        signal.per_replica = scaler->capacity.requests_per_second;
      if (signal.metric == SignalMetric::kInflight)
        signal.per_replica = scaler->capacity.concurrency;
    }
  }
}

// A pool that nothing sizes is a mistake.
void CheckTargets(const Value& spec, std::size_t problems_before, GatewayScaler* scaler) {
  const bool objective = CheckObjective(spec, *scaler);
  const bool sized = objective || std::ranges::any_of(scaler->signals, [](const auto& signal) {
                       return signal.per_replica.has_value();
                     });
  if (spec.context().problems->size() > problems_before) return;  // perhaps because of those
  const sizing::KedaOptions* keda = FindKeda(scaler->policies);
  const bool from_elsewhere = (keda != nullptr && !keda->cron.empty()) ||
                              std::ranges::any_of(scaler->signals, [](const auto& signal) {
                                return !signal.promql.empty();
                              });
  if (scaler->min_replicas == 0 && !from_elsewhere) {
    spec.Complain(
        "minReplicas is 0, but a pool without replicas has no metrics that could wake it; expected "
        "at least 1, or a promql signal that is measured elsewhere");
  }
  if (!sized) {
    spec.Complain(
        "no signal has a target: give one signals[].target.perReplica, or "
        "capacity.requestsPerSecond");
  }
}

guards::ScalingPolicy ReadScalingPolicy(const Value& value) {
  guards::ScalingPolicy policy;
  Fields fields(value);
  if (fields.Need("type")) fields.Choice("type", kPolicyTypes, &policy.type);
  if (fields.Need("value"))
    fields.Int("value", {1, kMaxReplicas, "a count or percentage"}, &policy.value);
  if (fields.Need("periodSeconds")) fields.Seconds("periodSeconds", kPeriodRange, &policy.period);
  fields.Finish();
  return policy;
}

void ReadRules(Fields& fields, std::string_view key, guards::ScalingRules* rules) {
  const auto value = fields.Get(key);
  if (!value) return;
  Fields parts(*value);
  parts.Seconds("stabilizationWindowSeconds", kWindowRange, &rules->stabilization_window);
  parts.Choice("selectPolicy", kSelects, &rules->select);
  if (const auto tolerance = parts.Get("tolerance")) {
    const auto amount = tolerance->Amount();
    if (amount && amount->value() > 10) tolerance->Expect("a fraction from 0 to 10");
    if (amount) rules->tolerance = amount->value();
  }
  if (const auto policies = parts.Get("policies")) {
    const auto items = policies->Items(kMostPolicies);
    if (policies->node().kind == Node::Kind::kList && policies->node().items.empty()) {
      policies->Complain("expected at least one policy; take the field out for the defaults");
    }
    if (!items.empty()) rules->policies.clear();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item(policies->context(), items[i], Path(policies->path(), i));
      rules->policies.push_back(ReadScalingPolicy(item));
    }
  }
  parts.Finish();
}

void ReadBehavior(Fields& fields, GatewayScaler* scaler) {
  const auto value = fields.Get("behavior");
  if (!value) return;
  scaler->has_behavior = true;
  Fields parts(*value);
  ReadRules(parts, "scaleUp", &scaler->behavior.up);
  ReadRules(parts, "scaleDown", &scaler->behavior.down);
  parts.Finish();
}

void ReadPace(Fields& fields, Pace* pace) {
  const auto value = fields.Get("pace");
  if (!value) return;
  Fields parts(*value);
  parts.Choice("up", kPaces, &pace->up);
  parts.Choice("down", kPaces, &pace->down);
  parts.Seconds("progressDeadlineSeconds", kDeadlineRange, &pace->progress_deadline);
  parts.Seconds("minReadySeconds", {0, 3'600, "a number of seconds"}, &pace->min_ready);
  if (parts.Get("drainDeadlineSeconds")) {
    Duration drain{0};
    parts.Seconds("drainDeadlineSeconds", {0, 3'600, "a number of seconds"}, &drain);
    pace->drain_deadline = drain;
  }
  if (const auto backoff = parts.Get("backoff")) {
    Fields bounds(*backoff);
    bounds.Seconds("minSeconds", kDeadlineRange, &pace->backoff_min);
    bounds.Seconds("maxSeconds", kDeadlineRange, &pace->backoff_max);
    bounds.Finish();
    if (pace->backoff_min > pace->backoff_max)
      backoff->Complain("minSeconds is more than maxSeconds");
  }
  parts.Finish();
}

void ReadFallback(Fields& fields, GatewayScaler* scaler) {
  const auto value = fields.Get("fallback");
  if (!value) return;
  guards::Fallback fallback;
  Fields parts(*value);
  parts.Seconds("afterSeconds", {1, 86'400, "a number of seconds"}, &fallback.after);
  if (const auto replicas = parts.Need("replicas")) {
    fallback.replicas =
        static_cast<Replicas>(replicas->Integer(kReplicaRange).value_or(scaler->min_replicas));
    if (fallback.replicas < scaler->min_replicas || fallback.replicas > scaler->max_replicas) {
      replicas->Complain(fmt::format("{} is outside minReplicas ({}) .. maxReplicas ({})",
                                     fallback.replicas, scaler->min_replicas,
                                     scaler->max_replicas));
    }
  }
  parts.Choice("behavior", kFallbacks, &fallback.behavior);
  parts.Hint("failureThreshold", "afterSeconds");
  parts.Hint("failureDurationSeconds", "afterSeconds");
  parts.Finish();
  scaler->fallback = fallback;
}

void ReadBounds(Fields& fields, GatewayScaler* scaler) {
  fields.Int("minReplicas", kReplicaRange, &scaler->min_replicas);
  const auto max = fields.Need("maxReplicas");
  if (!max) return;
  const auto number = max->Integer({1, kMaxReplicas, "a number of replicas"});
  scaler->max_replicas = static_cast<Replicas>(number.value_or(kMaxReplicas));
  if (scaler->min_replicas > scaler->max_replicas) {
    max->Complain(fmt::format("{} is less than minReplicas ({})", scaler->max_replicas,
                              scaler->min_replicas));
  }
}

void ReadScaleTarget(Fields& fields, GatewayScaler* scaler) {
  const auto value = fields.Need("scaleTargetRef");
  if (!value) return;
  Fields parts(*value);
  (void)parts.Get("apiVersion");
  if (const auto kind = parts.Need("kind")) {
    const auto text = kind->Text();
    if (text && *text != "IstioGateway") kind->Expect("IstioGateway");
  }
  if (const auto name = parts.Need("name")) {
    scaler->target_at = name->at();
    const auto text = name->Text();
    if (text && CheckName(*name, *text)) scaler->target = {scaler->metadata.id.ns, *text};
  }
  parts.Finish();
}

// Whether the pool can have what an entry asks for.
void CheckEntry(const Value& item, const sizing::ScheduledLoad& load, const GatewayScaler& scaler) {
  if (load.replicas.value_or(0) > scaler.max_replicas) {
    item.Complain(fmt::format("{} replicas are more than maxReplicas ({})", *load.replicas,
                              scaler.max_replicas));
  }
  const bool counted = std::ranges::any_of(scaler.signals, [](const SignalDefinition& signal) {
    return !signal.preset.empty() && signal.metric == SignalMetric::kRequests && signal.per_replica;
  });
  if (load.requests_per_second && !counted && !scaler.capacity.requests_per_second) {
    item.Complain(
        "requestsPerSecond needs to know what a replica takes: give a signal of requests a "
        "target, or capacity.requestsPerSecond");
  }
}

// What KEDA's options ask for that the system's time zones or the scaler don't have.
void CheckKeda(const Value& policies, const GatewayScaler& scaler, sizing::KedaOptions& keda) {
  for (const sizing::OptionProblem& problem : ResolveKeda(keda))
    policies.Complain("keda: " + problem.field + ": " + problem.message);
  if (keda.min_replica_count > scaler.max_replicas) {
    policies.Complain(fmt::format("keda: minReplicaCount: {} are more than maxReplicas ({})",
                                  keda.min_replica_count, scaler.max_replicas));
  }
  if (keda.idle_replica_count && *keda.idle_replica_count < scaler.min_replicas) {
    policies.Complain(fmt::format("keda: idleReplicaCount: {} are less than minReplicas ({})",
                                  *keda.idle_replica_count, scaler.min_replicas));
  }
}

void ReadSizing(Fields& fields, GatewayScaler* scaler) {
  const auto policies = fields.Get("policies");
  if (policies) {
    std::vector<sizing::SignalTarget> targets;
    for (const SignalDefinition& signal : scaler->signals)
      targets.push_back({signal.name, signal.per_replica});
    const std::size_t before = policies->context().problems->size();
    auto read = ReadPolicies(*policies, targets);
    sizing::KedaOptions* keda = FindKeda(read);
    if (keda != nullptr && policies->context().problems->size() == before)
      CheckKeda(*policies, *scaler, *keda);
    if (!read.empty()) scaler->policies = std::move(read);
  } else {
    scaler->policies = DefaultPolicies(scaler->capacity, scaler->has_behavior);
  }
  const bool listed = FindSchedule(scaler->policies) != nullptr;
  const auto schedule = fields.Get("schedule");
  if (!schedule) {
    if (listed) policies->Complain("schedule is listed, but there is no spec.schedule");
    return;
  }
  ReadSchedule(*schedule, scaler->policies);
  const auto& entries = FindSchedule(scaler->policies)->entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Value item(schedule->context(), schedule->node().items[i], Path(schedule->path(), i));
    CheckEntry(item, entries[i], *scaler);
  }
}

// A field of the design that is not in this version: refused rather than ignored.
void RefuseLater(Fields& fields) {
  if (const auto value = fields.Get("priority")) {
    value->Complain("this version can't act on it; take the field out");
  }
}

}  // namespace

const char* Name(SignalMetric metric) { return kMetrics[static_cast<std::size_t>(metric)].data(); }

const std::vector<std::string>& PresetNames() {
  static const std::vector<std::string> kNames(kPresets.begin(), kPresets.end());
  return kNames;
}

bool PresetOffers(const std::string& preset, SignalMetric metric) {
  if (std::ranges::find(PresetNames(), preset) == PresetNames().end()) return false;
  return metric != SignalMetric::kLatency || OffersLatency(preset);
}

GatewayScaler ReadGatewayScaler(const Value& document) {
  GatewayScaler scaler;
  scaler.at = document.at();
  Fields fields(document);
  (void)fields.Get("apiVersion");
  (void)fields.Get("kind");
  (void)fields.Get("status");
  ReadMetadata(fields, &scaler.metadata, &scaler.name_at);
  if (const auto spec = fields.Need("spec")) {
    Fields parts(*spec);
    ReadScaleTarget(parts, &scaler);
    ReadBounds(parts, &scaler);
    ReadBehavior(parts, &scaler);
    const std::size_t before = document.context().problems->size();
    ReadSignals(parts, &scaler);
    if (const auto capacity = parts.Get("capacity")) scaler.capacity = ReadCapacity(*capacity);
    FillTargets(&scaler);
    ReadSizing(parts, &scaler);
    CheckTargets(*spec, before, &scaler);
    ReadPace(parts, &scaler.pace);
    ReadFallback(parts, &scaler);
    RefuseLater(parts);
    parts.Bool("paused", &scaler.paused);
    parts.Bool("dryRun", &scaler.dry_run);
    parts.Hint("minReplicaCount", "minReplicas");
    parts.Hint("maxReplicaCount", "maxReplicas");
    parts.Hint("metrics", "signals");
    parts.Hint("triggers", "signals");
    parts.Finish();
  }
  fields.Finish();
  return scaler;
}

}  // namespace tidegate::config
