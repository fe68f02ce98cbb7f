#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/scaling_policy.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"
#include "policies/sizing/proposal.h"
#include "policies/sizing/stated_capacity.h"

namespace tidegate::signals {
class History;
}  // namespace tidegate::signals

namespace tidegate::sizing {

// Ratios within [1 - down, 1 + up] are as good as 1.
struct Tolerances {
  double up = 0.1;
  double down = 0.1;
  bool operator==(const Tolerances&) const = default;
};

// Those that a `behavior` writes, each direction by itself.
struct WrittenTolerances {
  std::optional<double> up{};
  std::optional<double> down{};
  // `flag` (of the HPA's controller) where none is written.
  Tolerances Or(double flag) const { return {up.value_or(flag), down.value_or(flag)}; }
  bool operator==(const WrittenTolerances&) const = default;
};

// What a sizing policy may look at.
struct Input {
  Instant now{};
  Replicas current = 0;  // the pool's declared size, never the number that happens to run
  Replicas min = 0;
  Replicas max = kMaxReplicas;
  std::span<const SignalTarget> targets{};
  std::span<const signals::Reading> readings{};
  std::span<const signals::ReplicaView> replicas{};  // sorted by name
  Capacity capacity{};
  // How fast the pool can grow: at most `surge` of the serving size starts at once where growth is
  // rolling, and each wave waits for the last one to become ready (DESIGN: B3).
  IntOrPercent surge{100, true};
  bool rolling_up = true;
  // How fast its size may, where rate limits act.
  GrowthLimits growth_limits{};
  // Of the manifest's `behavior`, for policies that do this part of it themselves.
  WrittenTolerances tolerances{};
  // Rates of the past; null where none is kept (PolicyEntry::history).
  const signals::History* history = nullptr;
};

// What a policy makes of it.
struct Sizing {
  // The largest replicas count (and only good readings may shrink: guards/hold.h).
  std::vector<Proposal> proposals;
  // A size that the policy sets by itself, past tolerance, windows and rate limits: KEDA's
  // activation and its way to zero, for example. The bounds and a pause still hold, and a larger
  // proposal of another policy wins.
  std::optional<Replicas> at_once;
  std::string why{};  // of at_once
  // Not empty: the pool stays exactly as it is, outside its bounds too, and nothing is remembered
  // of this tick. Why, for people: the HPA leaves a pool of size 0 alone.
  std::string leave_alone{};
};

// Which guards act on a policy's proposals. A policy that is another system's algorithm brings its
// own windows; ours would change its answers. With several policies in one pool a guard acts if one
// of them wants it.
struct Guarding {
  bool tolerance = true;
  bool stabilization = true;
  bool rate_limits = true;
  // What the HPA does where it has no `behavior` (guards/classic.h), in the place of windows and
  // rate limits that no policy wants.
  bool classic = false;
  // What the HPA does with a size outside [min, max]: it goes to the nearer bound, before any
  // reading is asked. Else only what the pool is to become is bounded.
  bool bounds_first = true;
  bool operator==(const Guarding&) const = default;
};

// What a policy's options ask for that can't be: where in them ("metrics[0].signal"), and what is
// wrong.
struct OptionProblem {
  std::string field;
  std::string message;
};

// A policy is a struct of static parts, listed in policies/catalog.h:
//
//   struct Kpa {
//     static constexpr std::string_view kName = "kpa";
//     static constexpr std::string_view kDescription = "...";   // one line, for --help and errors
//     static constexpr Guarding kGuarding{...};                 // without a written `behavior`
//     static constexpr Guarding kGuardingWithBehavior{...};     // with one; left out: all guards
//     static constexpr bool kHistory = false;                   // wants Input::history
//     // From the manifest, and between ticks (checkpointed, hashed, shown): described values
//     // (policies/base/fields.h).
//     using Options = KpaOptions;
//     using Memory = KpaMemory;
//     static Sizing Size(const Input& input, const Options& options, Memory& memory);  // pure
//     // Where it has them: whether it wants Reading::each of a signal, and what is wrong with
//     // options that can be read, given the pool's signals.
//     static bool EachReplica(const Options& options, const std::string& signal);
//     static std::vector<OptionProblem> Check(const Options&, std::span<const SignalTarget>);
//   };

// The reading of a signal; null where there is none.
const signals::Reading* FindReading(std::span<const signals::Reading> readings,
                                    const std::string& signal);

}  // namespace tidegate::sizing
