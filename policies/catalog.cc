#include "policies/catalog.h"

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
  entry.history = Policy::kHistory;
  entry.options.emplace<Index>();
  entry.memory.emplace<Index>();
  entry.remembers = HasFields(std::get<Index>(entry.memory));
  entry.size = [](const sizing::Input& input, const PolicyOptions& options, PolicyMemory& memory) {
    return Policy::Size(input, std::get<Index>(options), std::get<Index>(memory));
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

std::vector<PolicyOptions> DefaultPolicies() { return {FindPolicy("target")->options}; }

sizing::Guarding GuardingOf(std::span<const PolicyOptions> policies) {
  sizing::Guarding any{false, false, false};
  for (const PolicyOptions& options : policies) {
    const sizing::Guarding& one = PolicyOf(options).guarding;
    any.tolerance |= one.tolerance;
    any.stabilization |= one.stabilization;
    any.rate_limits |= one.rate_limits;
  }
  return any;
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
