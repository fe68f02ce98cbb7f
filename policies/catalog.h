#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/sizing/forecast_policy.h"
#include "policies/sizing/hpa.h"
#include "policies/sizing/keda.h"
#include "policies/sizing/kpa.h"
#include "policies/sizing/policy.h"
#include "policies/sizing/queueing.h"
#include "policies/sizing/schedule.h"
#include "policies/sizing/target.h"
#include "policies/sizing/tide.h"

namespace tidegate {

template <class... Policy>
struct PolicyList {
  using Options = std::variant<typename Policy::Options...>;
  using Memory = std::variant<typename Policy::Memory...>;
};

// All sizing policies, sorted by name. To add one: a file in policies/sizing with a struct as
// sizing/policy.h describes it, and its name here. Manifests, `decide`, the journal, digests,
// explanations and the simulator work from the struct's own descriptions.
using AllPolicies = PolicyList<sizing::Forecast, sizing::Hpa, sizing::Keda, sizing::Kpa,
                               sizing::Queueing, sizing::Scheduled, sizing::Target, sizing::Tide>;

// One policy as a pool uses it: the index of the alternative is that of the policy in the list, so
// two policies may have options or memory of one type. Compare and visit, but never std::get by
// type.
using PolicyOptions = AllPolicies::Options;
using PolicyMemory = AllPolicies::Memory;

// A policy by the name that manifests use.
struct PolicyEntry {
  std::string_view name;
  std::string_view description;    // one line, for --help and errors
  sizing::Guarding guarding;       // where the manifest has no `behavior`
  sizing::Guarding with_behavior;  // where it has one
  bool history = false;            // wants Input::history
  PolicyOptions options;           // the defaults
  PolicyMemory memory;             // before the first tick
  bool remembers = false;          // its memory has fields; else none is kept
  // Precondition: options and memory are this policy's alternatives.
  sizing::Sizing (*size)(const sizing::Input& input, const PolicyOptions& options,
                         PolicyMemory& memory) = nullptr;
  // Whether it wants to know what each replica says of a signal (signals::Reading::each).
  bool (*each_replica)(const PolicyOptions& options, const std::string& signal) = nullptr;
  // What is wrong with options that can be read.
  std::vector<sizing::OptionProblem> (*check)(
      const PolicyOptions& options, std::span<const sizing::SignalTarget> targets) = nullptr;
};

// All of them, in the order of AllPolicies.
std::span<const PolicyEntry> Policies();
// Null where there is none of that name.
const PolicyEntry* FindPolicy(std::string_view name);
// The one that options belong to, and the owner of a memory.
inline const PolicyEntry& PolicyOf(const PolicyOptions& options) {
  return Policies()[options.index()];
}
inline const PolicyEntry& OwnerOf(const PolicyMemory& memory) { return Policies()[memory.index()]; }
// What a pool whose scaler lists no policies is sized by: `tide` where `capacity` says how long a
// request takes and when it is late, and no `behavior` is written, which speaks of how a size that
// tracks a target may move; else `target`.
std::vector<PolicyOptions> DefaultPolicies(const sizing::Capacity& capacity = {},
                                           bool behavior = false);
// The guards that act on a pool with these policies, with or without a `behavior` of its own.
sizing::Guarding GuardingOf(std::span<const PolicyOptions> policies, bool behavior);
// Sets SignalTarget::each_replica of the signals that one of the policies asks for it.
void MarkEachReplica(std::span<const PolicyOptions> policies,
                     std::span<sizing::SignalTarget> targets);
// "target", "kpa+schedule".
std::string NamesOf(std::span<const PolicyOptions> policies);

}  // namespace tidegate
