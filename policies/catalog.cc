#include "policies/catalog.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace tidegate {
namespace {

struct CountFields {
  int count = 0;
  template <class T>
  void operator()(const Field&, const T&) {
    ++count;
  }
};

template <class T>
bool HasFields(const T& value) {
  CountFields fields;
  T::VisitFields(value, fields);
  return fields.count > 0;
}

template <std::size_t Index, class Policy>
PolicyEntry Entry() {
  PolicyEntry entry;
  entry.name = Policy::kName;
  entry.description = Policy::kDescription;
  entry.guarding = Policy::kGuarding;
  if constexpr (requires { Policy::kGuardingWithBehavior; }) {
    entry.with_behavior = Policy::kGuardingWithBehavior;
  }
  entry.history = Policy::kHistory;
  entry.options.emplace<Index>();
  entry.memory.emplace<Index>();
  entry.remembers = HasFields(std::get<Index>(entry.memory));
  entry.size = [](const sizing::Input& input, const PolicyOptions& options, PolicyMemory& memory) {
    return Policy::Size(input, std::get<Index>(options), std::get<Index>(memory));
  };
  entry.each_replica = [](const PolicyOptions& options, const std::string& signal) {
    if constexpr (requires { Policy::EachReplica(std::get<Index>(options), signal); }) {
      return Policy::EachReplica(std::get<Index>(options), signal);
    }
    return false;
  };
  entry.check = [](const PolicyOptions& options, std::span<const sizing::SignalTarget> targets) {
    if constexpr (requires { Policy::Check(std::get<Index>(options), targets); }) {
      return Policy::Check(std::get<Index>(options), targets);
    }
    return std::vector<sizing::OptionProblem>{};
  };
  return entry;
}

template <class... Policy, std::size_t... Index>
std::array<PolicyEntry, sizeof...(Policy)> Table(PolicyList<Policy...>,
                                                 std::index_sequence<Index...>) {
  return {Entry<Index, Policy>()...};
}

}  // namespace

std::span<const PolicyEntry> Policies() {
  static const auto kTable =
      Table(AllPolicies{}, std::make_index_sequence<std::variant_size_v<PolicyOptions>>());
  return kTable;
}

const PolicyEntry* FindPolicy(std::string_view name) {
  for (const PolicyEntry& entry : Policies()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<PolicyOptions> DefaultPolicies(const sizing::Capacity& capacity, bool behavior) {
  const bool tide = !behavior && sizing::ModelOf(capacity).has_value();
  return {FindPolicy(tide ? sizing::Tide::kName : sizing::Target::kName)->options};
}

sizing::Guarding GuardingOf(std::span<const PolicyOptions> policies, bool behavior) {
  sizing::Guarding any{false, false, false, false, false};
  for (const PolicyOptions& options : policies) {
    const PolicyEntry& entry = PolicyOf(options);
    const sizing::Guarding& one = behavior ? entry.with_behavior : entry.guarding;
    any.tolerance |= one.tolerance;
    any.stabilization |= one.stabilization;
    any.rate_limits |= one.rate_limits;
    any.classic |= one.classic;
    any.bounds_first |= one.bounds_first;
  }
  return any;
}

void MarkEachReplica(std::span<const PolicyOptions> policies,
                     std::span<sizing::SignalTarget> targets) {
  for (sizing::SignalTarget& target : targets) {
    target.each_replica = std::ranges::any_of(policies, [&](const PolicyOptions& options) {
      return PolicyOf(options).each_replica(options, target.signal);
    });
  }
}

std::string NamesOf(std::span<const PolicyOptions> policies) {
  std::string names;
  for (const PolicyOptions& options : policies) {
    if (!names.empty()) names += '+';
    names += PolicyOf(options).name;
  }
  return names;
}

}  // namespace tidegate
