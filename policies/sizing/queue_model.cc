#include "policies/sizing/queue_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "policies/base/check.h"
#include "policies/sizing/erlang.h"

namespace tidegate::sizing {
namespace {

constexpr double kLeastVariation = 0.01;
// More workers than this count as so many where a replica's own part is computed: fewer vary more,
// so that this is on the safe side.
constexpr int kMostLevels = 512;
constexpr double kNegligible = 1e-9;
constexpr std::size_t kMostDepartures = 64;

struct Logarithm {
  double mean;
  double deviation;
};
Logarithm LogarithmOf(const ServiceTime& service) {
  const double cv = std::max(service.variation, kLeastVariation);
  const double variance = std::log1p(cv * cv);
  return {std::log(service.seconds) - variance / 2, std::sqrt(variance)};
}

// How often the better of two draws has at least as many inside as a share x of replicas has.
struct Join {
  double same;  // both draws are one replica: 1 / n; < 1
  double operator()(double x) const { return x * (same + (1 - same) * x); }
  double Inverse(double y) const {
    return 2 * y / (same + std::sqrt(same * same + 4 * (1 - same) * y));
  }
};

// s_0 for a guess of s_w: the balance downwards from level w.
double Bottom(const Join& join, int workers, double load, double full) {
  double share = full, above = 0;
  for (int level = workers; level > 0; --level) {
    const double flow = (level * share + above) / load;
    above += share;
    share = join.Inverse(flow);
    if (share > 1) return share;
  }
  return share;
}

// s_w: the share of replicas whose workers are all busy. s_0 is 1 and grows with s_w.
double FullShare(const Join& join, int workers, double load) {
  double low = 0, high = 1;
  for (int i = 0; i < 44; ++i) {
    const double middle = (low + high) / 2;
    (Bottom(join, workers, load, middle) > 1 ? high : low) = middle;
  }
  return high;
}

void AddOwnPart(const QueueModel& model, Replicas replicas, double utilization, Waiting* waiting) {
  const Join join{1.0 / replicas};
  const int workers = std::min(model.workers, kMostLevels);
  const double full = FullShare(join, workers, workers * utilization);
  const double weight = 1 - join.same;
  std::vector<double>& departures = waiting->departures;
  double here = join(full);  // share of requests that find so many inside, or more
  departures[0] = 1 - weight * here;
  while (departures.size() + 1 < kMostDepartures && here > kNegligible) {
    // Above w, departures don't depend on the level.
    const double next = join(utilization * here);
    departures.push_back(weight * (here - next));
    here = next;
  }
  departures.push_back(weight * here);
  const double square = model.service.variation * model.service.variation;
  waiting->departure = model.service.seconds / workers * (1 + full * ((1 + square) / 2 - 1) / 2);
}

// Twelve points of Gauss and Legendre on [-1, 1]; the other six are the negatives.
constexpr std::array<double, 6> kPoints = {0.1252334085114689, 0.3678314989981802,
                                           0.5873179542866175, 0.7699026741943047,
                                           0.9041172563704749, 0.9815606342467193};
constexpr std::array<double, 6> kWeights = {0.2491470458134028, 0.2334925365383548,
                                            0.2031674267230659, 0.1600783285433462,
                                            0.1069393259953184, 0.0471753363865118};

template <class Function>
double IntegratePanel(double from, double to, Function function) {
  const double middle = (from + to) / 2, half = (to - from) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    sum +=
        kWeights[i] * (function(middle - half * kPoints[i]) + function(middle + half * kPoints[i]));
  }
  return sum * half;
}

// In panels of up to two standard deviations: over more, the points miss a normal density's hump.
template <class Function>
double Integrate(double from, double to, Function function) {
  if (!(to > from)) return 0;
  const int panels = static_cast<int>(std::ceil((to - from) / 2));
  const double width = (to - from) / panels;
  double sum = 0;
  for (int i = 0; i < panels; ++i) {
    sum += IntegratePanel(from + i * width, from + (i + 1) * width, function);
  }
  return sum;
}

// Normal scores beyond these hold 1.3e-12 together.
constexpr double kLeastScore = -7, kMostScore = 7.5;

// E[sum over i of departures[i] e^(-(y_i - S) / d); S < y_i], y_i = seconds - i departure: how
// often a request is late by the exponential part of its wait, if all workers are busy. The sum has
// a jump where S passes a y_i, so that each piece between two is integrated by itself.
double LateByWait(const Logarithm& log, const Waiting& waiting, double seconds) {
  const auto score = [&](double x) {
    if (x <= 0) return kLeastScore;
    return std::clamp((std::log(x) - log.mean) / log.deviation, kLeastScore, kMostScore);
  };
  const double decay = std::exp(-waiting.departure / waiting.mean_wait);
  double before = 0, sum = 0, top = score(seconds);
  const std::size_t count = waiting.departures.size();
  for (std::size_t i = 0; i < count && top > kLeastScore; ++i) {
    before = before * decay + waiting.departures[i];
    const double y = seconds - static_cast<double>(i) * waiting.departure;
    const double least = i + 1 < count ? std::max(0.0, y - waiting.departure) : 0;
    const auto late = [&](double z) {
      const double rest = std::max(0.0, y - std::exp(log.mean + log.deviation * z));
      return std::exp(-z * z / 2 - rest / waiting.mean_wait);
    };
    // Service takes all but `rest` of the time; short waits matter where that is little.
    for (const double part : {0.02, 0.15, 0.5, 1.0}) {
      const double bottom = score(y - part * (y - least));
      sum += before * Integrate(bottom, top, late);
      top = bottom;
    }
  }
  return sum / std::sqrt(2 * std::numbers::pi);
}

}  // namespace

double SlowServices(const ServiceTime& service, double seconds) {
  const Logarithm log = LogarithmOf(service);
  return std::erfc((std::log(seconds) - log.mean) / log.deviation / std::numbers::sqrt2) / 2;
}

Rate Ceiling(const QueueModel& model) { return model.workers / model.service.seconds; }

Waiting WaitingAt(const QueueModel& model, Replicas replicas, double utilization) {
  TIDEGATE_CHECK(replicas >= 1 && utilization > 0 && utilization < 1, "a pool that keeps up");
  const double n = replicas, w = model.workers, idle = 1 - utilization;
  const double service = model.service.variation * model.service.variation;
  const double spaced = model.balancing == Balancing::kRoundRobin ? 1 / n : 1;
  Waiting waiting;
  waiting.departure = model.service.seconds / w;
  if (model.balancing == Balancing::kLeastOfTwo) {
    const std::int64_t servers = std::int64_t{replicas} * model.workers;
    waiting.all_busy = ErlangC(servers, static_cast<double>(servers) * utilization);
    waiting.mean_wait = model.service.seconds * (1 + service) / 2 / (n * w * idle);
    if (replicas > 1) AddOwnPart(model, replicas, utilization, &waiting);
    return waiting;
  }
  const double regular = (1 - spaced) * (1 - spaced);
  waiting.all_busy = ErlangC(model.workers, w * utilization) *
                     std::exp(-2 * idle * regular / (3 * utilization * (spaced + service)));
  waiting.mean_wait = model.service.seconds * (spaced + service) / 2 / (w * idle);
  return waiting;
}

double LateShare(const ServiceTime& service, const Waiting& waiting, double seconds) {
  const double slow = SlowServices(service, seconds);
  double late = slow;
  for (std::size_t i = 1; i < waiting.departures.size(); ++i) {
    const double left = seconds - static_cast<double>(i) * waiting.departure;
    late += waiting.departures[i] * ((left > 0 ? SlowServices(service, left) : 1) - slow);
  }
  if (waiting.all_busy < kNegligible) return late;
  return late + waiting.all_busy * LateByWait(LogarithmOf(service), waiting, seconds);
}

double LatencyQuantile(const ServiceTime& service, const Waiting& waiting, double share) {
  double low = service.seconds / 1'000, high = service.seconds;
  while (LateShare(service, waiting, high) > 1 - share) high *= 2;
  while (high > low * 1.0001) {
    const double middle = std::sqrt(low * high);
    (LateShare(service, waiting, middle) > 1 - share ? low : high) = middle;
  }
  return high;
}

}  // namespace tidegate::sizing
