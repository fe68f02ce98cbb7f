// The load of a pool as a level that moves by a slope, which wanders: a local linear trend (Harvey,
// Forecasting, Structural Time Series Models and the Kalman Filter, 1989, 2.3.2). From look to
// look, dt seconds later,
//
//   level += slope dt,   slope += noise of variance q dt,   q = (kWander scale)^2 / 15 s.
//
// A replica that says `rate` as the mean of its last `span` seconds up to a sample of `age` had one
// n-th of the load, if n replicas served: so rate / mean(1/n) is the mean of the load over that
// time, which along a line is where it was in the middle,
//
//   rate / mean(1/n) = level - (age + span/2) slope + error,
//
// with the error of counting, variance level n / span for Poisson arrivals, and more where replicas
// do not share the load evenly: how much more is learned from what is left unexplained.
//
// Of 42 recorded loads, scrapes of 15 s, tide kept the objective on 34, with the sum of the
// replicas' rates and the difference of two sums at 1.60 times the oracle's cost, with this
// at 1.53; with the same filter of the sums, instead of what each replica says, at 1.64.
#include "policies/sizing/load_trend.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

namespace tidegate::sizing {
namespace {

// The slope wanders by 0.6 % of the scale, per second, in 15 s. With 0.9 % 35 of 42 recorded loads
// kept the objective by scrapes of 15 s in place of 34, but scrapes of 30 s cost 1.65 times the
// oracle in place of 1.61; with 0.4 % 33.
constexpr double kWander = 0.006;
constexpr double kWanderSeconds = 15;
// The scale fades to 1/e in so long; half and twice that kept 33 loads.
constexpr double kScaleSeconds = 60;
// What replicas say is off by 1 % at least.
constexpr double kLeastNoise = 1e-4;
constexpr double kMostNoise = 0.25;
// How fast the noise is learned, by sample, and how much more than usual counts as that much. With
// 0.02 each burst was taken for noise: 32 of 42 loads kept the objective, in place of 34.
constexpr double kNoiseLearned = 0.0005;
constexpr double kNoiseClip = 9;
// 3 %, relative: a pool that shares its load evenly stays below, one whose replicas have shares of
// 1 and 2 does not (load_trend_test.cc).
constexpr double kUnsureNoise = 9e-4;
// No pool has such a load, nor a slope of so much each second.
constexpr double kMostTrend = 1e15;
// Nothing is known after a pause of so long, or where the clock was set back.
constexpr double kLongestPause = 60;
// A mean of less than that is of too few requests.
constexpr double kLeastSpan = 5;
constexpr std::size_t kMostServing = 32;
// A change of who serves is seen so many seconds late at most.
constexpr double kLatestNews = 5;

// Mean of 1/n over the ages from .. to.
double MeanShare(const std::vector<ServingSince>& serving, double from, double to) {
  double sum = 0, begin = from;
  for (std::size_t i = serving.size(); i-- > 0 && begin < to;) {
    // Before the oldest there were as many.
    const double end = i == 0 ? to : std::min(to, serving[i].seconds);
    if (end <= begin) continue;
    sum += (end - begin) / serving[i].replicas;
    begin = end;
  }
  return sum / (to - from);
}

bool Serves(const signals::ReplicaView& view) {
  return view.phase == signals::Phase::kReady && view.ready_at;
}

struct Change {
  double seconds = 0;  // ago
  double by = 0;
};

// Replicas that came or went in the last `dt` seconds, when they did. A change from just before the
// last look may be news too: a step is made at the instant of the look that decided it, and some
// fleets tell whole seconds. It counts, as of the last look, where it explains how many serve.
std::vector<Change> ChangesOf(const TrendLook& look, double dt, double unexplained) {
  std::vector<Change> changes, late;
  const auto note = [&](Instant at, double by) {
    const double ago = Seconds(look.now - at);
    if (ago < dt) {
      changes.push_back({std::max(0.0, ago), by});
      unexplained -= by;
    } else if (ago < dt + kLatestNews) {
      late.push_back({dt, by});
    }
  };
  for (const signals::ReplicaView& view : look.replicas) {
    if (Serves(view)) {
      note(*view.ready_at, 1);
    } else if (view.phase == signals::Phase::kDraining && view.ready_at) {
      note(view.since, -1);
    }
  }
  for (const Change& change : late) {
    if (change.by * unexplained <= 0) continue;
    changes.push_back(change);
    unexplained -= change.by;
  }
  std::ranges::sort(changes, std::ranges::greater{}, &Change::seconds);
  return changes;
}

// How many served when; what cannot be told changed now.
void NoteServing(const TrendLook& look, double dt, std::vector<ServingSince>& serving) {
  const double served =
      std::max(1.0, static_cast<double>(std::ranges::count_if(look.replicas, Serves)));
  for (ServingSince& one : serving) one.seconds += dt;
  if (!serving.empty()) {
    for (const Change& change : ChangesOf(look, dt, served - serving.back().replicas))
      serving.push_back({change.seconds, std::max(1.0, serving.back().replicas + change.by)});
  }
  if (serving.empty() || serving.back().replicas != served) serving.push_back({0, served});
  // The one that reached furthest back says what was before.
  const double kept = kLongestPause + Seconds(look.apart);
  std::size_t gone = 0;
  for (; gone + 1 < serving.size(); ++gone) {
    const bool too_many = serving.size() - gone > kMostServing;
    if (!too_many && serving[gone + 1].seconds < kept) break;
  }
  serving.erase(serving.begin(), serving.begin() + static_cast<std::ptrdiff_t>(gone));
}

// Calls `use` with each value of a replica that serves, and the replica; both are sorted by name.
template <class Use>
void ForEachServing(const TrendLook& look, const Use& use) {
  auto view = look.replicas.begin();
  for (const signals::ReplicaValue& one : look.reading.each) {
    while (view != look.replicas.end() && view->name < one.replica) ++view;
    if (view == look.replicas.end()) return;
    if (view->name == one.replica && Serves(*view)) use(one, *view);
  }
}

// What the load would be if each replica that serves had a part as large as those of them that were
// heard: the sum lacks those that were not scraped yet, and grows with them as if the load did.
// Those that start or drain have less than a part. 0: none was heard.
double SumOfAll(const TrendLook& look) {
  double sum = 0, heard = 0;
  ForEachServing(look, [&](const signals::ReplicaValue& one, const signals::ReplicaView&) {
    sum += std::max(0.0, one.value);
    heard += 1;
  });
  const auto all = static_cast<double>(std::ranges::count_if(look.replicas, Serves));
  return heard > 0 && std::isfinite(sum) ? sum * all / heard : 0;
}

void Begin(const TrendLook& look, TrendMemory& memory) {
  memory = {};
  memory.level = std::max(look.reading.value, SumOfAll(look));
  memory.scale = std::max(1.0, memory.level);
  memory.level_variance = 0.1 * memory.level * memory.level + 1;
  memory.slope_variance = 1e-4 * memory.level * memory.level;
  memory.noise = kLeastNoise;
}

// What was remembered by hand, or by another version, may not be what a filter can go on from.
bool Fits(const TrendMemory& memory) {
  const auto sane = [](double value, double least, double most) {
    return value >= least && value <= most;
  };
  const double together = memory.covariance * memory.covariance;
  return memory.at && sane(memory.scale, 1, kMostTrend) && sane(memory.level, 0, kMostTrend) &&
         sane(std::abs(memory.slope), 0, kMostTrend) &&
         sane(memory.noise, kLeastNoise, kMostNoise) &&
         sane(memory.level_variance, 0, kMostTrend * kMostTrend) &&
         sane(memory.slope_variance, 0, kMostTrend * kMostTrend) &&
         memory.level_variance * memory.slope_variance >= together * (1 - 1e-6);
}

void KeepAboveZero(TrendMemory& memory) {
  if (memory.level >= 0) return;
  memory.level = 0;
  memory.slope = std::max(0.0, memory.slope);
}

void Move(double dt, TrendMemory& memory) {
  memory.level += memory.slope * dt;
  KeepAboveZero(memory);
  const double wander = kWander * memory.scale;
  const double q = wander * wander / kWanderSeconds;
  memory.level_variance +=
      dt * (2 * memory.covariance + dt * memory.slope_variance) + q * dt * dt * dt / 3;
  memory.covariance += dt * memory.slope_variance + q * dt * dt / 2;
  memory.slope_variance += q * dt;
}

// What one replica says of the whole load: so much, so long ago, with an error of this variance.
struct Heard {
  double load = 0;
  double ago = 0;
  double counting = 0;  // by counting alone
  double variance = 0;
};

// What the replicas that were scraped since the last look say.
std::vector<Heard> Listen(const TrendLook& look, double dt, const TrendMemory& memory) {
  std::vector<Heard> heard;
  const double noise = memory.noise * memory.scale * memory.scale;
  ForEachServing(look, [&](const signals::ReplicaValue& one, const signals::ReplicaView& view) {
    const double age = Seconds(one.age);
    const double since = Seconds(look.now - *view.ready_at) - age;  // at the sample
    if (age >= dt || since < kLeastSpan || !std::isfinite(one.value)) return;
    const double span = look.means ? std::max(kLeastSpan, std::min(Seconds(look.apart), since)) : 0;
    const double share = MeanShare(memory.serving, age, age + std::max(span, 1e-3));
    const double counting = look.means ? memory.scale / (share * span) : 0;
    heard.push_back({one.value / share, age + span / 2, counting, counting + noise});
  });
  return heard;
}

// All of them at once, in the information form: with W the inverse of the variances and h = (1,
// -ago),
//
//   P' = inverse(inverse(P) + sum W h h^T),   state += sum P' h W error,   error by the old state.
//
// No weight is let below 0: a replica that says more, however long ago, never makes level or slope
// less, so that more load never means fewer replicas. Returns the noise as far as they tell.
double Hear(const std::vector<Heard>& heard, TrendMemory& memory) {
  const double v = memory.level_variance, w = memory.covariance, x = memory.slope_variance;
  const double det = v * x - w * w;
  if (heard.empty() || !(det > 0)) return memory.noise;
  double a = x / det, b = -w / det, c = v / det;
  for (const Heard& one : heard) {
    a += 1 / one.variance;
    b -= one.ago / one.variance;
    c += one.ago * one.ago / one.variance;
  }
  const double inverse = 1 / (a * c - b * b);
  if (!(inverse > 0) || !std::isfinite(inverse)) return memory.noise;  // lost in rounding
  memory.level_variance = c * inverse;
  memory.covariance = -b * inverse;
  memory.slope_variance = a * inverse;
  const double level = memory.level, slope = memory.slope;
  for (const Heard& one : heard) {
    const double error = one.load - (level - one.ago * slope);
    const double to_level = memory.level_variance - one.ago * memory.covariance;
    const double to_slope = memory.covariance - one.ago * memory.slope_variance;
    memory.level += std::max(0.0, to_level) / one.variance * error;
    memory.slope += std::max(0.0, to_slope) / one.variance * error;
  }
  double noise = memory.noise;
  const double squared = memory.scale * memory.scale;
  for (const Heard& one : heard) {
    const double left = one.load - (memory.level - one.ago * memory.slope);
    const double seen = (left * left - one.counting) / squared;
    noise += kNoiseLearned * (std::clamp(seen, 0.0, kNoiseClip * noise) - noise);
  }
  return noise;
}

// What the next look goes by. Not this one: what a replica says must not change how much it counts,
// or more load could make the level lower.
void Learn(double value, double dt, double noise, TrendMemory& memory) {
  memory.noise = std::clamp(noise, kLeastNoise, kMostNoise);
  memory.scale = std::max({1.0, value, memory.level, memory.scale * std::exp(-dt / kScaleSeconds)});
}

}  // namespace

std::optional<Trend> FollowTrend(const TrendLook& look, TrendMemory& memory) {
  const std::vector<signals::ReplicaValue>& each = look.reading.each;
  // Values that a source has computed have no age, and hide what time they are of.
  if (std::ranges::none_of(each, [](const auto& one) { return one.age > Duration(0); }))
    return std::nullopt;
  double dt = Fits(memory) ? Seconds(look.now - *memory.at) : kLongestPause;
  if (dt < 0 || dt >= kLongestPause) {
    Begin(look, memory);
    dt = kLongestPause;
  } else {
    Move(dt, memory);
  }
  memory.at = look.now;
  NoteServing(look, dt, memory.serving);
  const double noise = Hear(Listen(look, dt, memory), memory);
  KeepAboveZero(memory);
  Learn(look.reading.value, dt, noise, memory);
  return Trend{memory.level, memory.slope};
}

// The oldest that is remembered of who served goes back to the begin, or further than a minute.
bool JustMet(const TrendMemory& memory) {
  return memory.serving.empty() || memory.serving.front().seconds < kLongestPause;
}

bool Unsure(const TrendMemory& memory) { return memory.noise > kUnsureNoise; }

}  // namespace tidegate::sizing
