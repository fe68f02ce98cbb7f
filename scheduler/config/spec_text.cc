#include "scheduler/config/spec_text.h"

#include <iterator>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

namespace tidegate::config {
namespace {

void Append(std::string& text, const guards::ScalingRules& rules) {
  fmt::format_to(std::back_inserter(text), "{} {} {};", rules.stabilization_window.count(),
                 static_cast<int>(rules.select),
                 rules.tolerance.value_or(guards::kDefaultTolerance));
  if (rules.tolerance) text += "tolerance;";  // a policy may have another default
  for (const guards::ScalingPolicy& policy : rules.policies) {
    fmt::format_to(std::back_inserter(text), "{} {} {},", static_cast<int>(policy.type),
                   policy.value, policy.period.count());
  }
}

// A described value as text, for hashing.
class FieldText {
 public:
  explicit FieldText(std::string& text) : text_(text) {}

  template <class T>
  void operator()(const Field& field, const T& value) {
    text_ += field.name;
    Add(value);
  }

 private:
  template <class T>
  void Add(const T& value) {
    if constexpr (Described<T>) {
      text_ += '{';
      T::VisitFields(value, *this);
      text_ += '}';
    } else if constexpr (std::is_same_v<T, Duration>) {
      Add(value.count());
    } else if constexpr (std::is_same_v<T, Instant>) {
      Add(UnixMillis(value));
    } else if constexpr (std::is_enum_v<T>) {
      Add(static_cast<int>(value));
    } else if constexpr (requires { value.has_value(); }) {
      if (value) Add(*value);
      if (!value) text_ += '-';
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      fmt::format_to(std::back_inserter(text_), "={};", value);
    } else {
      text_ += '[';
      for (const auto& item : value) Add(item);
      text_ += ']';
    }
  }

  std::string& text_;
};

void Append(std::string& text, const PolicyOptions& options) {
  FieldText fields(text);
  std::visit([&](const auto& own) { own.VisitFields(own, fields); }, options);
}

void Append(std::string& text, const sizing::Capacity& capacity) {
  fmt::format_to(std::back_inserter(text), "{} {} {} {};", capacity.requests_per_second.value_or(0),
                 capacity.concurrency.value_or(0),
                 capacity.service_time.value_or(Duration(0)).count(),
                 capacity.latency_objective.value_or(Duration(0)).count());
  fmt::format_to(std::back_inserter(text), "{} {} {} {};", capacity.workers.value_or(0),
                 capacity.service_variation.value_or(-1), capacity.latency_share.value_or(0),
                 static_cast<int>(capacity.balancing));
}

void Append(std::string& text, const sizing::Guarding& guarding) {
  fmt::format_to(std::back_inserter(text), "{} {} {};", guarding.tolerance, guarding.stabilization,
                 guarding.rate_limits);
  if (guarding.classic) text += "classic;";
  if (!guarding.bounds_first) text += "bounds last;";
}

}  // namespace

std::string SpecText(const decision::PoolSpec& spec, const std::vector<SignalDefinition>& signals) {
  std::string text = fmt::format("{} {} {} {} {} {};", spec.revision, spec.declared, spec.scaled,
                                 spec.dry_run, NamesOf(spec.policies), spec.guards.paused);
  for (const PolicyOptions& options : spec.policies) Append(text, options);
  Append(text, spec.capacity);
  Append(text, spec.guards.guarding);
  for (const SignalDefinition& signal : signals) {
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {},", signal.name, signal.preset,
                   Name(signal.metric), signal.promql, signal.per_replica.value_or(0));
  }
  fmt::format_to(std::back_inserter(text), "{} {};", spec.guards.min, spec.guards.max);
  Append(text, spec.guards.behavior.up);
  Append(text, spec.guards.behavior.down);
  if (const auto& fallback = spec.guards.fallback) {
    fmt::format_to(std::back_inserter(text), "{} {} {};", fallback->after.count(),
                   fallback->replicas, static_cast<int>(fallback->behavior));
  }
  const rollout::Options& rollout = spec.rollout;
  fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {} {} {} {}",
                 ToString(rollout.budget.surge), ToString(rollout.budget.unavailable),
                 static_cast<int>(rollout.up), static_cast<int>(rollout.down),
                 rollout.progress_deadline.count(), rollout.backoff_min.count(),
                 rollout.backoff_max.count(), rollout.min_ready.count(),
                 rollout.quota.value_or(-1));
  return text;
}

}  // namespace tidegate::config
