#include "scheduler/daemon/counterfactual_names.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::daemon {
namespace {

constexpr std::size_t kLongestShown = 60;

std::vector<std::string_view> Stages() {
  std::vector<std::string_view> names;
  for (int i = 0; i < guards::kStageCount; ++i) {
    names.emplace_back(guards::Name(static_cast<guards::Stage>(i)));
  }
  return names;
}

std::vector<std::string_view> PolicyList() {
  std::vector<std::string_view> names;
  for (const PolicyEntry& policy : Policies()) names.push_back(policy.name);
  return names;
}

std::string Unknown(const char* option, const char* kind, const std::string& name,
                    const std::vector<std::string_view>& known) {
  const std::string_view near = Nearest(name, known);
  return fmt::format(
      "{}: no {} is called \"{}\"{}; there are: {}", option, kind, Printable(name, kLongestShown),
      near.empty() ? "" : fmt::format(", did you mean {}?", near), fmt::join(known, ", "));
}

}  // namespace

std::string StageNames() { return fmt::format("{}", fmt::join(Stages(), ", ")); }
std::string PolicyNames() { return fmt::format("{}", fmt::join(PolicyList(), ", ")); }

Expected<decision::Counterfactual> ParseCounterfactual(const CounterfactualNames& names) {
  decision::Counterfactual asked;
  std::string problems;
  const auto complain = [&](const std::string& problem) {
    problems += (problems.empty() ? "" : "\n") + problem;
  };
  for (const std::string& name : names.without) {
    if (const auto stage = guards::StageNamed(name)) {
      asked.without.Add(*stage);
    } else {
      complain(Unknown("--without", "stage", name, Stages()));
    }
  }
  for (const std::string& name : names.policies) {
    if (const PolicyEntry* policy = FindPolicy(name)) {
      asked.policies.push_back(policy);
    } else {
      complain(Unknown("--policy", "policy", name, PolicyList()));
    }
  }
  if (!problems.empty()) return Fail(ErrorCode::kInvalid, std::move(problems));
  return asked;
}

}  // namespace tidegate::daemon
