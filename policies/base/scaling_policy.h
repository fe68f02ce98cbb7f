#pragma once

#include <cstdint>
#include <span>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate {

// HPA v2 HPAScalingPolicy: how far a size may change within a period.
enum class ScalingPolicyType { kPods, kPercent };
// Which of several policies counts: the one that allows most, or least; or nothing may change.
enum class SelectPolicy { kMax, kMin, kDisabled };
struct ScalingPolicy {
  ScalingPolicyType type = ScalingPolicyType::kPercent;
  Replicas value = 100;     // replicas or percent, > 0
  Duration period{15'000};  // 1 s .. 1800 s
  bool operator==(const ScalingPolicy&) const = default;
};

// The largest size that the policy allows where the period began with `start`: start + pods or
// ceil(start * (1 + percent / 100)), by the doubles of the Kubernetes controller.
std::int64_t MostAllowed(const ScalingPolicy& policy, std::int64_t start);

// How fast a size may grow: all there is to say of behavior.scaleUp where it acts. Without policies
// it may grow at once.
struct GrowthLimits {
  std::span<const ScalingPolicy> policies{};
  SelectPolicy select = SelectPolicy::kMax;  // not kDisabled
};

}  // namespace tidegate
