#include "policies/sizing/hpa.h"

#include <algorithm>
#include <cmath>
#include <limits>

// The arithmetic follows that of Kubernetes operation by operation, doubles and integer divisions
// included, because "7 or 8 replicas" often hangs on the last bit of a ratio.
namespace tidegate::sizing {
namespace {

using signals::Phase;
using signals::ReplicaValue;
using signals::ReplicaView;

constexpr double kMilli = 1'000;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kWithin = "the ratio is within tolerance";

std::int64_t Saturated(double value) {
  return value < static_cast<double>(kMost) ? static_cast<std::int64_t>(value) : kMost;
}

std::int64_t Plus(std::int64_t a, std::int64_t b) { return a > kMost - b ? kMost : a + b; }

// ceil, within what a size can be. NaN (0 of 0) is 0.
Replicas Ceil(double replicas) {
  if (!(replicas > 0)) return 0;
  return replicas < kMaxReplicas ? static_cast<Replicas>(std::ceil(replicas)) : kMaxReplicas;
}

// Whether the sample of a replica's CPU says nothing of its load yet.
bool Unready(const ReplicaView& view, const ReplicaValue& sample, const HpaOptions& options,
             Instant now) {
  const bool ready = view.phase == Phase::kReady;
  if (view.started + options.cpu_initialization_period > now) {
    return !ready || now - sample.age < view.since + options.cpu_window;
  }
  return !ready && view.started + options.initial_readiness_delay > view.since;
}

void Count(const ReplicaView& view, const ReplicaValue* sample, bool cpu, const HpaOptions& options,
           Instant now, HpaPods& pods) {
  ++pods.known;
  if (view.phase == Phase::kDraining || view.phase == Phase::kFailed) return;
  if (sample == nullptr) {
    ++(view.phase == Phase::kStarting ? pods.unready : pods.missing);
  } else if (cpu && Unready(view, *sample, options, now)) {
    ++pods.unready;
  } else {
    pods.sum = Plus(pods.sum, MilliValue(sample->value));
    ++pods.ready;
  }
}

// What all samples come to. Strangers have no request, so that a Utilization passes over theirs.
struct Usage {
  std::int64_t sum = 0;
  int samples = 0;
};

Usage UsageOf(const HpaPods& pods, bool utilization) {
  if (utilization) return {pods.sum, pods.ready};
  return {Plus(pods.sum, pods.strange_sum), pods.ready + pods.strangers};
}

// The ratio of what the replicas use to what they are to use.
double RatioOf(const Usage& usage, std::int64_t target, std::optional<std::int64_t> request) {
  const auto [sum, samples] = usage;
  if (!request) {
    return static_cast<double>(sum / samples) / static_cast<double>(target);
  }
  const double requests = static_cast<double>(*request) * samples;
  // In whole percent, as Kubernetes computes it; by doubles only where integers would overflow.
  const double percent = sum <= kMost / 100 && requests < static_cast<double>(kMost)
                             ? static_cast<double>(sum * 100 / (*request * samples))
                             : std::floor(static_cast<double>(sum) * 100 / requests);
  return percent / static_cast<double>(target);
}

// What a missing replica is taken for where the others are below the target.
std::int64_t FullLoad(std::int64_t target, std::optional<std::int64_t> request) {
  if (!request) return target;
  return Saturated(static_cast<double>(*request) *
                   static_cast<double>(std::max<std::int64_t>(100, target)) / 100);
}

}  // namespace

std::int64_t MilliValue(double value) { return Saturated(value * kMilli); }

std::int64_t MilliTarget(double target) {
  // 0.29 * 1000 is a little more than 290; a Quantity written as 0.29 is not.
  return std::max<std::int64_t>(1, Saturated(std::ceil(target * kMilli - 1e-6)));
}

bool Tolerated(double ratio, const Tolerances& tolerances) {
  return 1.0 - tolerances.down <= ratio && ratio <= 1.0 + tolerances.up;
}

HpaAnswer ByAverageValue(std::int64_t total, std::int64_t target, Replicas running,
                         const Tolerances& tolerances) {
  const double ratio =
      static_cast<double>(total) / (static_cast<double>(target) * static_cast<double>(running));
  if (Tolerated(ratio, tolerances)) return {running, kWithin};
  return {Ceil(static_cast<double>(total) / static_cast<double>(target)), {}};
}

HpaAnswer ByValue(std::int64_t total, std::int64_t target, Replicas current,
                  std::span<const ReplicaView> replicas, const Tolerances& tolerances) {
  const double ratio = static_cast<double>(total) / static_cast<double>(target);
  if (current == 0) return {Ceil(ratio), {}};
  if (Tolerated(ratio, tolerances)) return {current, kWithin};
  if (replicas.empty()) return {std::nullopt, "there are no replicas to multiply"};
  return {Ceil(ratio * static_cast<double>(signals::Count(replicas).ready)), {}};
}

HpaPods GroupPods(std::span<const ReplicaView> replicas, std::span<const ReplicaValue> values,
                  bool cpu, const HpaOptions& options, Instant now) {
  HpaPods pods;
  auto value = values.begin();
  const auto stranger = [&] {
    pods.strange_sum = Plus(pods.strange_sum, MilliValue(value->value));
    ++pods.strangers;
    ++value;
  };
  for (const ReplicaView& view : replicas) {  // both are sorted by name
    while (value != values.end() && value->replica < view.name) stranger();
    const bool sampled = value != values.end() && value->replica == view.name;
    Count(view, sampled ? &*value : nullptr, cpu, options, now, pods);
    if (sampled) ++value;
  }
  while (value != values.end()) stranger();
  return pods;
}

HpaAnswer ByPods(const HpaPods& pods, std::int64_t target, std::optional<std::int64_t> request,
                 Replicas current, const Tolerances& tolerances) {
  if (pods.known == 0) return {std::nullopt, "there are no replicas that a sample could be of"};
  Usage usage = UsageOf(pods, request.has_value());
  if (usage.samples == 0) return {std::nullopt, "no replica that counts has a sample"};
  const double ratio = RatioOf(usage, target, request);
  const bool unready = pods.unready > 0 && ratio > 1;
  if (!unready && pods.missing == 0) {
    if (Tolerated(ratio, tolerances)) return {current, kWithin};
    return {Ceil(ratio * pods.ready), {}};
  }
  const int filled = (ratio != 1 ? pods.missing : 0) + (unready ? pods.unready : 0);
  usage.samples += filled;
  for (int i = 0; ratio < 1 && i < pods.missing; ++i) {
    usage.sum = Plus(usage.sum, FullLoad(target, request));
  }
  const double again = RatioOf(usage, target, request);
  if (Tolerated(again, tolerances)) {
    return {current, "the ratio is within tolerance once missing and unready replicas are in it"};
  }
  constexpr std::string_view kTurned = "missing and unready replicas would turn the direction";
  if ((ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return {current, kTurned};
  const Replicas replicas = Ceil(again * (pods.ready + pods.strangers + filled));
  if ((again < 1 && replicas > current) || (again > 1 && replicas < current)) {
    return {current, kTurned};
  }
  return {replicas, "with missing and unready replicas filled in"};
}

}  // namespace tidegate::sizing
