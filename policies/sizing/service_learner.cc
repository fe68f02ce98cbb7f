#include "policies/sizing/service_learner.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "policies/sizing/erlang.h"

namespace tidegate::sizing {
namespace {

constexpr double kMostWaiting = 0.05;  // mean wait over service time, of evidence
constexpr double kLeastWeight = 60;    // seconds
constexpr double kLeastRequests = 100;
constexpr double kNormal99 = 2.3263478740408408;
constexpr Rate kMostRate = 1e12;         // more is no evidence of anything
constexpr double kMostLatency = 86'400;  // likewise
// Longer without a look is an outage, not evidence for all of it.
constexpr Duration kLongestStep = std::chrono::minutes(1);

// The mean of a lognormal time that 99 % stay below.
double MeanOf99th(double seconds, double variation) {
  const double variance = std::log1p(variation * variation);
  return seconds * std::exp(variance / 2 - kNormal99 * std::sqrt(variance));
}

// Hardly anybody waits at this utilization, however requests are balanced.
bool IsCalm(const QueueModel& model, double utilization) {
  if (!(utilization < 1)) return false;
  const double square = model.service.variation * model.service.variation;
  const double wait = ErlangC(model.workers, model.workers * utilization) * (1 + square) / 2 /
                      (model.workers * (1 - utilization));
  return wait <= kMostWaiting;
}

// Mean number of requests inside, if this moment is evidence.
std::optional<double> Evidence(const QueueModel& configured, const PoolObserved& observed,
                               double estimate) {
  if (!observed.rate || !(*observed.rate > 0) || !(*observed.rate <= kMostRate))
    return std::nullopt;
  if (observed.ready <= 0) return std::nullopt;
  const double workers = static_cast<double>(observed.ready) * configured.workers;
  double inside = 0;
  if (observed.inflight) {
    inside = *observed.inflight;
    if (!IsCalm(configured, inside / workers)) return std::nullopt;
  } else if (observed.latency && *observed.latency <= kMostLatency) {
    if (!IsCalm(configured, *observed.rate * estimate / workers)) return std::nullopt;
    inside = *observed.rate * MeanOf99th(*observed.latency, configured.service.variation);
  }
  if (!(inside > 0)) return std::nullopt;
  return inside;
}

}  // namespace

double LearnService(const LearnOptions& options, const QueueModel& configured,
                    const PoolObserved& observed, ServiceMemory& memory) {
  const double base = configured.service.seconds;
  if (!options.enabled) {
    memory = {};
    return base;
  }
  const double low = base / options.most_factor, high = base * options.most_factor;
  double estimate = memory.seconds > 0 ? std::clamp(memory.seconds, low, high) : base;
  const bool continues = memory.at && *memory.at <= observed.now;
  const double step =
      continues ? Seconds(std::min(kLongestStep, Duration(observed.now - *memory.at))) : 0;
  memory.at = observed.now;
  const double kept = std::exp(-step / Seconds(options.window));
  memory.busy *= kept;
  memory.requests *= kept;
  memory.weight *= kept;
  if (const auto inside = Evidence(configured, observed, estimate)) {
    memory.busy += *inside * step;
    memory.requests += *observed.rate * step;
    memory.weight += step;
  }
  if (memory.weight >= kLeastWeight && memory.requests >= kLeastRequests) {
    const double target = std::clamp(memory.busy / memory.requests, low, high);
    const double most = std::pow(1 + options.per_minute, step / 60);
    estimate = std::clamp(target, estimate / most, estimate * most);
    memory.seconds = estimate;
  }
  return estimate;
}

}  // namespace tidegate::sizing
