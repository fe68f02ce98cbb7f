#include "scheduler/decision/counterfactual.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidegate::decision {
namespace {

PolicyOptions OptionsOf(const PolicyEntry& policy, const std::vector<PolicyOptions>& own) {
  const auto kept = std::ranges::find(own, policy.options.index(), &PolicyOptions::index);
  return kept != own.end() ? *kept : policy.options;
}

}  // namespace

PoolSpec Altered(PoolSpec spec, const Counterfactual& counterfactual) {
  if (counterfactual.empty()) return spec;
  spec.config_version.clear();  // it is no longer that one
  spec.guards.without = counterfactual.without;
  if (counterfactual.policies.empty()) return spec;
  std::vector<PolicyOptions> policies;
  for (const PolicyEntry* policy : counterfactual.policies) {
    const auto same = [&](const PolicyOptions& one) {
      return one.index() == policy->options.index();
    };
    if (std::ranges::any_of(policies, same)) continue;  // each at most once
    policies.push_back(OptionsOf(*policy, spec.policies));
  }
  spec.policies = std::move(policies);
  spec.guards.guarding = GuardingOf(spec.policies, spec.guards.behavior_written);
  MarkEachReplica(spec.policies, spec.targets);
  return spec;
}

std::vector<std::string_view> NamesOf(const guards::Stages& stages) {
  std::vector<std::string_view> names;
  for (int i = 0; i < guards::kStageCount; ++i) {
    const auto stage = static_cast<guards::Stage>(i);
    if (stages.Has(stage)) names.emplace_back(guards::Name(stage));
  }
  return names;
}

std::string ToText(const Counterfactual& counterfactual) {
  std::string text;
  if (!counterfactual.without.empty()) {
    text = fmt::format("without {}", fmt::join(NamesOf(counterfactual.without), ", "));
  }
  if (counterfactual.policies.empty()) return text;
  std::string names;
  for (const PolicyEntry* policy : counterfactual.policies) {
    names += (names.empty() ? "" : "+") + std::string(policy->name);
  }
  return text + (text.empty() ? "" : ", ") + "sized by " + names;
}

std::string ToText(const Counterfactual& counterfactual, const Decision& altered,
                   const Decision& as_it_is) {
  return fmt::format("{}: {} replicas ({}); as it is: {} ({})\n{}", ToText(counterfactual),
                     altered.desired.replicas, guards::Name(altered.desired.reason),
                     as_it_is.desired.replicas, guards::Name(as_it_is.desired.reason),
                     ToText(altered));
}

}  // namespace tidegate::decision
