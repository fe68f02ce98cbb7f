#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/sizing/policy.h"

// The Kubernetes Horizontal Pod Autoscaler, v2: what one metric asks for (replica_calculator.go).
// What becomes of the largest of them - windows, rate limits, bounds, and holding where one metric
// fails - is the guards' part (guards/apply.h), which follow the HPA with a written `behavior` and,
// by Guarding::classic, without one.
namespace tidegate::sizing {

// A metric as an HPA's spec has it. `total` is the signal's value, summed over the pool.
enum class HpaType {
  kAverageValue,  // External or Object: total per replica
  kValue,         // External or Object: total, as a ratio to the target that multiplies the size
  kPods,          // Pods: the mean of what the replicas say
  kResource,      // Resource with an AverageValue: the same, with a resource's rules of readiness
  kUtilization,   // Resource with a Utilization: in percent of what the replicas request
};

struct HpaMetric {
  std::string signal;
  HpaType type = HpaType::kAverageValue;
  std::optional<double> target;   // in the signal's unit, or in percent; unset: the signal's own
  std::optional<double> request;  // of one replica, in the signal's unit: of a Utilization
  bool cpu = true;                // whether a Resource or Utilization is the CPU's

  static constexpr std::array<std::string_view, 5> kTypes{"AverageValue", "Value", "Pods",
                                                          "Resource", "Utilization"};
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "signal", .help = "one of the pool's signals", .required = true},
          self.signal);
    visit(Field{.name = "type", .help = "what the target is compared with", .choices = kTypes},
          self.type);
    visit(Field{"target", "in the signal's unit, or percent; the signal's own by default", 1e-3,
                1e15},
          self.target);
    visit(Field{"requestPerReplica", "what one replica requests, for Utilization", 1e-3, 1e15},
          self.request);
    visit(Field{"cpu", "whether a Resource or Utilization is the CPU's"}, self.cpu);
  }
  bool operator==(const HpaMetric&) const = default;
};

// The flags of kube-controller-manager, with its defaults. Those for windows are the guards'.
struct HpaOptions {
  std::vector<HpaMetric> metrics;  // signals with a target that it leaves out are AverageValue
  double tolerance = 0.1;          // where the `behavior` writes none of that direction
  Duration cpu_initialization_period{300'000};
  Duration initial_readiness_delay{30'000};
  Duration cpu_window{30'000};  // that a sample of the CPU covers

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"metrics", "how signals are compared with their targets"}, self.metrics);
    visit(Field{"tolerance", "of ratios, where the behavior writes none", 0, 10}, self.tolerance);
    visit(
        Field{"cpuInitializationPeriodSeconds", "in which a replica's CPU may not count", 0, 3'600},
        self.cpu_initialization_period);
    visit(Field{"initialReadinessDelaySeconds", "in which unready is never ready yet", 0, 3'600},
          self.initial_readiness_delay);
    visit(Field{"cpuWindowSeconds", "that a sample of the CPU covers", 0, 600}, self.cpu_window);
  }
  bool operator==(const HpaOptions&) const = default;
};

// Kubernetes counts in thousandths. Values are cut off there, as the adapters of its metrics API
// do; targets are rounded up, as a Quantity is. Both stop at the largest number.
std::int64_t MilliValue(double value);    // value is finite and >= 0
std::int64_t MilliTarget(double target);  // > 0; at least 1

// 1 - down <= ratio <= 1 + up.
bool Tolerated(double ratio, const Tolerances& tolerances);

// How many replicas a metric asks for.
struct HpaAnswer {
  std::optional<Replicas> replicas;  // unset: the metric fails
  std::string_view why;              // of that, or of something else than ceil(ratio * size)
};

// External and Object with an AverageValue. `running` is status.replicas: every replica that runs
// or starts, also those beyond the declared size. Outside tolerance of total / (target * running)
// ceil(total / target), else `running` itself.
HpaAnswer ByAverageValue(std::int64_t total, std::int64_t target, Replicas running,
                         const Tolerances& tolerances);

// External and Object with a Value: ceil(total / target * ready), `current` within tolerance; from
// 0 ceil(total / target). Without any replica it fails. Preconditions: as their names say.
HpaAnswer ByValue(std::int64_t total, std::int64_t target, Replicas current,
                  std::span<const signals::ReplicaView> replicas, const Tolerances& tolerances);

// What the replicas are to a metric that each of them has (groupPods). Draining and failed ones
// are not there. One that starts and has no sample is pending. Of the CPU one counts as unready too
// that is young and not ready, or whose sample began before it was; and one that never was ready.
struct HpaPods {
  int known = 0;         // replicas of the fleet, also those that draining and failing took out
  std::int64_t sum = 0;  // of samples that count, in thousandths
  int ready = 0;         // replicas with such a sample
  int unready = 0;
  int missing = 0;  // ready, or at least running, and without a sample
  // Samples of replicas that the fleet does not know, which the metrics API may still have.
  std::int64_t strange_sum = 0;
  int strangers = 0;
};
HpaPods GroupPods(std::span<const signals::ReplicaView> replicas,
                  std::span<const signals::ReplicaValue> values, bool cpu,
                  const HpaOptions& options, Instant now);

// Pods and Resource with an AverageValue: the ratio is floor(sum / samples) / target, strangers'
// included. With `request` (thousandths; Utilization, the target in percent) it is
// floor(100 * sum / requests) / target, where strangers, which request nothing, are in neither sum.
// It fails where the fleet has no replica at all, or where no sample is in the ratio. Where
// replicas are missing or unready:
//   ratio < 1  missing ones are taken for a full request, or the target where that is more;
//   ratio > 1  missing and unready ones are taken for 0;
// the ratio is taken again, and the size stays where that is within tolerance or points the other
// way, or ceil(ratio * samples) does, strangers' included. Otherwise ceil(ratio * ready).
HpaAnswer ByPods(const HpaPods& pods, std::int64_t target, std::optional<std::int64_t> request,
                 Replicas current, const Tolerances& tolerances);

struct Hpa {
  static constexpr std::string_view kName = "hpa";
  static constexpr std::string_view kDescription =
      "the Kubernetes Horizontal Pod Autoscaler v2, with its behavior or without";
  static constexpr Guarding kGuarding{
      .tolerance = false, .stabilization = false, .rate_limits = false, .classic = true};
  static constexpr Guarding kGuardingWithBehavior{.tolerance = false};
  static constexpr bool kHistory = false;
  using Options = HpaOptions;
  using Memory = NoFields;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
  static bool EachReplica(const Options& options, const std::string& signal);
  static std::vector<OptionProblem> Check(const Options& options,
                                          std::span<const SignalTarget> targets);
};

}  // namespace tidegate::sizing
