#include <array>
#include <optional>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/catalog.h"
#include "scheduler/journal/observation_parts.h"
#include "scheduler/journal/policy_json.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostSignals = 64;
constexpr std::size_t kMostPolicies = 16;
constexpr JsonRange kWindowRange{0, 3600};
constexpr JsonRange kPeriodRange{1, 1800};
constexpr JsonRange kToleranceRange{0, 1000};
constexpr JsonRange kDelayRange{0, 86'400};

// Assigns where the field was there and right.
template <class T, class U>
void Set(T& to, const std::optional<U>& from) {
  if (from) to = static_cast<T>(*from);
}

guards::ScalingPolicy ReadPolicy(const json::value& value, const std::string& path,
                                 PartContext context) {
  JsonFields fields(value, path, ShapeOf("scalingPolicy"), context.problems);
  guards::ScalingPolicy policy;
  fields.Require("type", "one of Pods, Percent");
  fields.Require("value", "a whole number from 1");
  fields.Require("periodSeconds", "a whole number from 1 to 1800");
  constexpr std::array kTypes{"Pods", "Percent"};
  Set(policy.type, fields.Choice("type", kTypes));
  Set(policy.value, fields.Integer("value", {1, kMaxReplicas}));
  Set(policy.period, fields.Seconds("periodSeconds", kPeriodRange));
  return policy;
}

void ReadRules(const json::value& value, const std::string& path, PartContext context,
               guards::ScalingRules& rules) {
  JsonFields fields(value, path, ShapeOf("rules"), context.problems);
  Set(rules.stabilization_window, fields.Seconds("stabilizationWindowSeconds", kWindowRange));
  constexpr std::array kSelect{"Max", "Min", "Disabled"};
  Set(rules.select, fields.Choice("selectPolicy", kSelect));
  Set(rules.tolerance, fields.Number("tolerance", kToleranceRange));
  if (!fields.Has("policies")) return;
  std::vector<guards::ScalingPolicy> policies;
  for (const json::value* policy : fields.Array("policies", kMostPolicies)) {
    const std::string at = fmt::format("{}[{}]", fields.PathOf("policies"), policies.size());
    policies.push_back(ReadPolicy(*policy, at, context));
  }
  if (policies.empty()) fields.Problem("policies", "expected at least one policy");
  rules.policies = std::move(policies);
}

void ReadBehavior(JsonFields& scaler, PartContext context, guards::Behavior& behavior) {
  const json::value* value = scaler.Find("behavior");
  if (value == nullptr) return;
  JsonFields fields(*value, scaler.PathOf("behavior"), ShapeOf("behavior"), context.problems);
  if (const json::value* up = fields.Find("scaleUp")) {
    ReadRules(*up, fields.PathOf("scaleUp"), context, behavior.up);
  }
  if (const json::value* down = fields.Find("scaleDown")) {
    ReadRules(*down, fields.PathOf("scaleDown"), context, behavior.down);
  }
}

void ReadFallback(JsonFields& scaler, PartContext context,
                  std::optional<guards::Fallback>& fallback) {
  const json::value* value = scaler.Find("fallback");
  if (value == nullptr) return;
  JsonFields fields(*value, scaler.PathOf("fallback"), ShapeOf("fallback"), context.problems);
  fields.Require("replicas", "a whole number");
  constexpr std::array kBehaviors{"static", "currentReplicas", "currentReplicasIfHigher",
                                  "currentReplicasIfLower"};
  fallback.emplace();
  Set(fallback->after, fields.Seconds("afterSeconds", kDelayRange));
  Set(fallback->replicas, fields.Integer("replicas", kReplicaRange));
  Set(fallback->behavior, fields.Choice("behavior", kBehaviors));
}

void ReadBudget(JsonFields& fields, std::string_view name, IntOrPercent& budget) {
  const json::value* value = fields.Find(name);
  if (value == nullptr) return;
  const json::string* text = value->if_string();
  const std::string written =
      text != nullptr ? std::string(*text) : (value->is_int64() ? Shown(*value) : "");
  if (auto parsed = ParseIntOrPercent(written)) {
    budget = *parsed;
  } else {
    fields.Problem(name,
                   "expected a count or a percentage like 1 or \"25%\", got " + Shown(*value));
  }
}

void ReadBudgets(JsonFields& scaler, PartContext context, rollout::Budget& budget) {
  const json::value* value = scaler.Find("budgets");
  if (value == nullptr) return;
  JsonFields fields(*value, scaler.PathOf("budgets"), ShapeOf("budgets"), context.problems);
  ReadBudget(fields, "rollingMaxSurge", budget.surge);
  ReadBudget(fields, "rollingMaxUnavailable", budget.unavailable);
}

void ReadPace(JsonFields& scaler, PartContext context, rollout::Options& options) {
  const json::value* value = scaler.Find("pace");
  if (value == nullptr) return;
  JsonFields fields(*value, scaler.PathOf("pace"), ShapeOf("pace"), context.problems);
  constexpr std::array kPaces{"rolling", "immediate"};
  Set(options.up, fields.Choice("up", kPaces));
  Set(options.down, fields.Choice("down", kPaces));
  Set(options.progress_deadline, fields.Seconds("progressDeadlineSeconds", {1, kDelayRange.most}));
  Set(options.min_ready, fields.Seconds("minReadySeconds", kDelayRange));
  const json::value* backoff = fields.Find("backoff");
  if (backoff == nullptr) return;
  JsonFields delays(*backoff, fields.PathOf("backoff"), ShapeOf("backoff"), context.problems);
  Set(options.backoff_min, delays.Seconds("minSeconds", kDelayRange));
  Set(options.backoff_max, delays.Seconds("maxSeconds", kDelayRange));
  if (options.backoff_max < options.backoff_min) {
    delays.Problem("maxSeconds", fmt::format("expected at least minSeconds, which is {}",
                                             Seconds(options.backoff_min)));
  }
}

void ReadCapacity(JsonFields& scaler, PartContext context, sizing::Capacity& capacity) {
  const json::value* value = scaler.Find("capacity");
  if (value == nullptr) return;
  JsonFields fields(*value, scaler.PathOf("capacity"), ShapeOf("capacity"), context.problems);
  if (const auto workers = fields.Integer("workers", {1, sizing::kMostWorkers})) {
    capacity.workers = static_cast<int>(*workers);
  }
  capacity.service_time = fields.Seconds("serviceTimeSeconds", {0.001, 3'600});
  capacity.service_variation = fields.Number("serviceTimeVariation", {0, 20});
  capacity.latency_objective = fields.Seconds("latencyObjectiveSeconds", {0.001, 3'600});
  capacity.latency_share = fields.Number("latencyShare", {0.5, 0.99999});
  constexpr std::array kBalancings{"leastOfTwo", "roundRobin", "random"};
  Set(capacity.balancing, fields.Choice("balancing", kBalancings));
}

void ReadTargets(JsonFields& scaler, PartContext context, decision::PoolSpec& spec) {
  constexpr JsonRange kTargetRange{1e-9, 1e15};
  std::set<std::string> seen;
  for (const json::value* value : scaler.Array("signals", kMostSignals)) {
    const std::string path = fmt::format("{}[{}]", scaler.PathOf("signals"), spec.targets.size());
    JsonFields fields(*value, path, ShapeOf("target"), context.problems);
    fields.Require("name", "the signal's name");
    sizing::SignalTarget target;
    target.signal = fields.Text("name").value_or("");
    target.per_replica = fields.Number("target", kTargetRange);
    constexpr std::array kMeasures{"other", "requests", "inflight", "latency"};
    Set(target.measure, fields.Choice("measure", kMeasures));
    if (!target.signal.empty() && !seen.insert(target.signal).second) {
      fields.Problem("name", "there are two signals called " + target.signal);
    }
    spec.targets.push_back(std::move(target));
  }
}

// Policies bring their guards with them, also where none is listed.
void ReadSizing(JsonFields& scaler, PartContext context, decision::PoolSpec& spec) {
  spec.guards.behavior_written = scaler.Has("behavior");
  auto policies = ReadPolicies(scaler, spec.targets, context.problems);
  if (policies.empty()) policies = DefaultPolicies(spec.capacity, spec.guards.behavior_written);
  spec.policies = std::move(policies);
  spec.guards.guarding = GuardingOf(spec.policies, spec.guards.behavior_written);
  MarkEachReplica(spec.policies, spec.targets);
}

}  // namespace

void ReadScaler(const json::value& value, const std::string& path, PartContext context,
                decision::PoolSpec& spec) {
  JsonFields fields(value, path, ShapeOf("scaler"), context.problems);
  spec.scaled = true;
  fields.Require("maxReplicas", "a whole number");
  fields.Require("signals", "an array");
  Set(spec.guards.min, fields.Integer("minReplicas", kReplicaRange));
  Set(spec.guards.max, fields.Integer("maxReplicas", {1, kMaxReplicas}));
  if (fields.Has("maxReplicas") && spec.guards.max < spec.guards.min) {
    fields.Problem("maxReplicas",
                   fmt::format("expected at least minReplicas, which is {}", spec.guards.min));
  }
  ReadTargets(fields, context, spec);
  ReadCapacity(fields, context, spec.capacity);
  ReadSizing(fields, context, spec);
  ReadBehavior(fields, context, spec.guards.behavior);
  ReadFallback(fields, context, spec.guards.fallback);
  Set(spec.guards.paused, fields.Flag("paused"));
  Set(spec.dry_run, fields.Flag("dryRun"));
  ReadBudgets(fields, context, spec.rollout.budget);
  ReadPace(fields, context, spec.rollout);
  if (const auto quota = fields.Integer("quota", kReplicaRange)) {
    spec.rollout.quota = static_cast<Replicas>(*quota);
  }
}

}  // namespace tidegate::journal
