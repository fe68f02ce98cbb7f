#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/scaling_policy.h"
#include "policies/base/units.h"
#include "policies/sizing/policy.h"

namespace tidegate::guards {

// Why the number is what it is. Kubernetes's names where Kubernetes has the idea.
enum class Reason {
  kDesiredWithinRange,   // nothing limited the proposal
  kWithinTolerance,      // the change is too small to act on
  kScaleUpStabilized,    // a lower recommendation inside the scale-up window
  kScaleDownStabilized,  // a higher recommendation inside the scale-down window
  kScaleUpLimit,         // scale-up policies
  kScaleDownLimit,       // scale-down policies
  kTooManyReplicas,      // maxReplicas
  kTooFewReplicas,       // minReplicas
  kSamplesNotOk,         // held: no reading that may move the pool in this direction
  kFallback,             // fallback.replicas acts: the readings have been bad for too long
  kPaused,
  kNotScaled,        // no GatewayScaler: the manifest's replicaCount holds
  kSetByPolicy,      // a policy set the size past the guards (sizing::Sizing::at_once)
  kRaisedToFloor,    // a proposal that is a floor (sizing::Proposal::floor)
  kScalingDisabled,  // a policy leaves the pool alone (sizing::Sizing::leave_alone)
};
inline constexpr int kReasonCount = 15;
// "DesiredWithinRange", ...
const char* Name(Reason reason);

enum class Stage {
  kSizing,
  kHold,
  kFallback,
  kTolerance,
  kStabilization,
  kRateLimit,
  kBounds,
  kPause
};
inline constexpr int kStageCount = 8;
const char* Name(Stage stage);  // "sizing", "rateLimit", ...
// Empty where no stage has that name.
std::optional<Stage> StageNamed(std::string_view name);

// A set of stages.
class Stages {
 public:
  void Add(Stage stage) { bits_ |= 1U << static_cast<unsigned>(stage); }
  bool Has(Stage stage) const { return (bits_ >> static_cast<unsigned>(stage) & 1U) != 0; }
  bool empty() const { return bits_ == 0; }
  bool operator==(const Stages&) const = default;

 private:
  unsigned bits_ = 0;
};

// What one guard did: it changed the number, or held it (before == after).
struct Limit {
  Stage stage = Stage::kSizing;
  Reason reason = Reason::kDesiredWithinRange;
  Replicas before = 0;
  Replicas after = 0;
  std::string detail;
  bool operator==(const Limit&) const = default;
};

// The pool's size after all guards, within [min, max].
struct Desired {
  Replicas proposed = 0;    // largest usable proposal; the current size where there is none
  Replicas stabilized = 0;  // after the stabilization windows
  Replicas replicas = 0;
  Reason reason =
      Reason::kDesiredWithinRange;  // of the last guard that changed it, or why it holds
  std::vector<Limit> limits;
  bool operator==(const Desired&) const = default;
};

using tidegate::ScalingPolicy;
using tidegate::SelectPolicy;
using PolicyType = ScalingPolicyType;
const char* Name(PolicyType type);      // "Pods", "Percent"
const char* Name(SelectPolicy select);  // "Max", "Min", "Disabled"
// Of behaviors that leave it out.
inline constexpr double kDefaultTolerance = 0.1;
// HPA v2 HPAScalingRules, field for field.
struct ScalingRules {
  Duration stabilization_window{0};  // 0 .. 3600 s
  SelectPolicy select = SelectPolicy::kMax;
  std::vector<ScalingPolicy> policies;
  // Fraction of the current size, >= 0. Unset: kDefaultTolerance, or what a policy has of its own.
  std::optional<double> tolerance;
  bool operator==(const ScalingRules&) const = default;
};
struct Behavior {
  ScalingRules up;
  ScalingRules down;
  bool operator==(const Behavior&) const = default;
};
// The HPA's: up 4 pods or 100 % per 15 s, window 0; down 100 % per 15 s, window 300 s; no
// tolerance of its own.
Behavior DefaultBehavior();

enum class FallbackBehavior {
  kStatic,
  kCurrentReplicas,
  kCurrentReplicasIfHigher,
  kCurrentReplicasIfLower
};
const char* Name(FallbackBehavior behavior);  // "static", "currentReplicas", ... as KEDA's
// What holds once every signal has been unusable for `after`; until then the pool is held.
struct Fallback {
  Duration after{180'000};
  Replicas replicas = 0;
  FallbackBehavior behavior = FallbackBehavior::kCurrentReplicasIfHigher;
  bool operator==(const Fallback&) const = default;
};

struct Options {
  Replicas min = 1;
  Replicas max = 10;
  Behavior behavior = DefaultBehavior();
  bool behavior_written = false;  // by the manifest; else it is the default
  std::optional<Fallback> fallback;
  bool paused = false;
  sizing::Guarding guarding;  // those that are off change nothing
  // Stages that leave the number as it is, to learn what a decision would have been without them;
  // never from a manifest. What they remember they go on remembering. Without kSizing no size is
  // set at once, no floor counts and no policy leaves the pool alone; without kHold bad readings
  // count as good ones; without kBounds the size is 0 .. kMaxReplicas.
  Stages without;
  bool operator==(const Options&) const = default;
};

struct Recommendation {
  Instant at{};
  Replicas replicas = 0;
  bool operator==(const Recommendation&) const = default;
};
struct ScaleEvent {
  Instant at{};
  Replicas change = 0;  // > 0 grew, < 0 shrank
  bool operator==(const ScaleEvent&) const = default;
};

// What the guards remember between ticks. A value: copied, hashed, checkpointed.
struct Memory {
  std::optional<Replicas> desired;  // the last decision; the next one's current size
  // Unstabilised, oldest first: those inside a window that can still decide it (stabilization.h).
  std::vector<Recommendation> recommendations;
  std::vector<ScaleEvent> events;    // inside the longest policy period, oldest first
  std::optional<Instant> bad_since;  // since when no reading has been usable
  bool operator==(const Memory&) const = default;
};

}  // namespace tidegate::guards
