#include "policies/guards/desired.h"

namespace tidegate::guards {

const char* Name(Reason reason) {
  switch (reason) {
    case Reason::kDesiredWithinRange: return "DesiredWithinRange";
    case Reason::kWithinTolerance: return "WithinTolerance";
    case Reason::kScaleUpStabilized: return "ScaleUpStabilized";
    case Reason::kScaleDownStabilized: return "ScaleDownStabilized";
    case Reason::kScaleUpLimit: return "ScaleUpLimit";
    case Reason::kScaleDownLimit: return "ScaleDownLimit";
    case Reason::kTooManyReplicas: return "TooManyReplicas";
    case Reason::kTooFewReplicas: return "TooFewReplicas";
    case Reason::kSamplesNotOk: return "SamplesNotOk";
    case Reason::kFallback: return "Fallback";
    case Reason::kPaused: return "Paused";
    case Reason::kNotScaled: return "NotScaled";
    case Reason::kSetByPolicy: return "SetByPolicy";
    case Reason::kRaisedToFloor: return "RaisedToFloor";
    case Reason::kScalingDisabled: return "ScalingDisabled";
  }
  return "Unknown";
}

const char* Name(Stage stage) {
  switch (stage) {
    case Stage::kSizing: return "sizing";
    case Stage::kHold: return "hold";
    case Stage::kFallback: return "fallback";
    case Stage::kTolerance: return "tolerance";
    case Stage::kStabilization: return "stabilization";
    case Stage::kRateLimit: return "rateLimit";
    case Stage::kBounds: return "bounds";
    case Stage::kPause: return "pause";
  }
  return "unknown";
}

std::optional<Stage> StageNamed(std::string_view name) {
  for (int i = 0; i < kStageCount; ++i) {
    const auto stage = static_cast<Stage>(i);
    if (name == Name(stage)) return stage;
  }
  return std::nullopt;
}

const char* Name(PolicyType type) { return type == PolicyType::kPods ? "Pods" : "Percent"; }

const char* Name(SelectPolicy select) {
  switch (select) {
    case SelectPolicy::kMax: return "Max";
    case SelectPolicy::kMin: return "Min";
    case SelectPolicy::kDisabled: return "Disabled";
  }
  return "Max";
}

const char* Name(FallbackBehavior behavior) {
  switch (behavior) {
    case FallbackBehavior::kStatic: return "static";
    case FallbackBehavior::kCurrentReplicas: return "currentReplicas";
    case FallbackBehavior::kCurrentReplicasIfHigher: return "currentReplicasIfHigher";
    case FallbackBehavior::kCurrentReplicasIfLower: return "currentReplicasIfLower";
  }
  return "static";
}

Behavior DefaultBehavior() {
  constexpr Duration kPeriod{15'000};
  Behavior behavior;
  behavior.up.policies = {{PolicyType::kPods, 4, kPeriod}, {PolicyType::kPercent, 100, kPeriod}};
  behavior.down.stabilization_window = Duration(300'000);
  behavior.down.policies = {{PolicyType::kPercent, 100, kPeriod}};
  return behavior;
}

}  // namespace tidegate::guards
