// Exponential smoothing with a damped trend (Gardner and McKenzie, "Forecasting Trends in Time
// Series", Management Science 31, 1985):
//
//   expected = l + d b        l' = expected + a e,  b' = d b + a g e,  e = value - expected
//   h bins ahead: l + (d + d^2 + ... + d^h) b
//
// made robust after Gelper, Fried and Croux, "Robust Forecasting with Exponential and Holt-Winters
// Smoothing", Journal of Forecasting 29, 2010: errors enter clipped at a few spreads, and the
// spread itself is an exponential average of bounded squares. So one outlier moves level and trend
// no more than a large ordinary error does.
//
// A change of level is a run of such outliers on one side. The third one in a row is believed: the
// level jumps to the value, and the trend, which knows nothing of what comes next, starts from 0.
// After a longer gap the same is done at once.
//
// It fails where the load is made of spikes: then the spread is as large as the spikes. The weights
// of the combination (forecaster.cc) turn to other models there.
#include "policies/forecast/smoother.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tidegate::forecast {
namespace {

constexpr float kClip = 4;             // spreads; 0.3 % of normal errors lie outside
constexpr float kSpreadRate = 0.05F;   // per bin: the spread of the last twenty minutes or so
constexpr float kLeastSpread = 0.01F;  // 1 %: steadier loads need no protection
constexpr int kBelieved = 3;           // surprises in a row on one side are a new level
constexpr int kForgotten = 10;         // bins of gap after which a level is no longer known
constexpr int kWarm = 5;               // values before which nothing is clipped

void Restart(float value, Smoother& smoother) {
  smoother.level = value;
  smoother.trend = 0;
  smoother.streak = 0;
  smoother.gap = 0;
}

// Errors of one set of options over the values; `expected` is scratch.
double Loss(const SmootherOptions& options, std::span<const float> values, std::size_t ahead,
            std::vector<float>& expected) {
  const auto reach = static_cast<float>(
      DampedBins(static_cast<double>(options.damping), static_cast<double>(ahead)));
  Smoother smoother;
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i >= ahead) {
      const float error = std::abs(values[i] - expected[i - ahead]);
      if (std::isfinite(error)) loss += static_cast<double>(error);
    }
    Advance(options, values[i], smoother);
    expected[i] = smoother.level + smoother.trend * reach;
  }
  return loss;
}

}  // namespace

void Advance(const SmootherOptions& options, float value, Smoother& smoother) {
  const float trend = smoother.trend * options.damping;
  const float expected = smoother.level + trend;
  if (!std::isfinite(value)) {
    smoother.level = expected;
    smoother.trend = trend;
    smoother.gap = std::min(smoother.gap + 1, kForgotten);
    return;
  }
  if (smoother.seen == 0 || smoother.gap >= kForgotten) {
    Restart(value, smoother);
    smoother.seen = std::max(smoother.seen, 1);
    return;
  }
  smoother.gap = 0;
  float error = value - expected;
  if (smoother.seen < kWarm) {
    ++smoother.seen;
    smoother.spread = std::max({smoother.spread, std::abs(error), kLeastSpread});
  }
  const float most = kClip * smoother.spread;
  if (std::abs(error) > most) {
    const int side = error > 0 ? 1 : -1;
    smoother.streak = smoother.streak * side > 0 ? smoother.streak + side : side;
    error = most * static_cast<float>(side);
  } else {
    smoother.streak = 0;
  }
  const float square = smoother.spread * smoother.spread;
  smoother.spread =
      std::max(kLeastSpread, std::sqrt(square + kSpreadRate * (error * error - square)));
  if (std::abs(smoother.streak) >= kBelieved) return Restart(value, smoother);
  smoother.level = expected + options.level * error;
  smoother.trend = trend + options.level * options.trend * error;
}

double DampedBins(double damping, double bins) {
  return damping * (1 - std::pow(damping, bins)) / (1 - damping);
}

double Expect(const SmootherOptions& options, const Smoother& smoother, double now, double since,
              double bins) {
  const auto damping = static_cast<double>(options.damping);
  const auto trend = static_cast<double>(smoother.trend);
  const double expected = static_cast<double>(smoother.level) + trend * DampedBins(damping, since);
  if (smoother.seen == 0 || smoother.gap >= kForgotten) return now;
  const double error = now - expected;
  // A surprise: an outlier or a new level, and nobody knows which. Meanwhile nothing beats its
  // value.
  if (std::abs(error) > static_cast<double>(kClip * smoother.spread)) return now;
  const double gain =
      1 - std::pow(1 - static_cast<double>(options.level), std::clamp(since, 0.0, 1.0));
  const double lead = DampedBins(damping, bins) - DampedBins(damping, since);
  const double turn =
      static_cast<double>(options.trend) * gain * error * DampedBins(damping, bins - since);
  return expected + gain * error + trend * lead + turn;
}

SmootherOptions BestOptions(std::span<const float> values, int ahead) {
  constexpr float kLevels[] = {0.15F, 0.35F, 0.65F, 1.0F};
  constexpr SmootherOptions kTrends[] = {
      {0, 0, 0.5F}, {0, 0.05F, 0.8F}, {0, 0.2F, 0.8F}, {0, 0.05F, 0.95F}, {0, 0.2F, 0.95F}};
  std::vector<float> expected(values.size());
  SmootherOptions best;
  double least = Loss(best, values, static_cast<std::size_t>(ahead), expected);
  for (const float level : kLevels) {
    for (SmootherOptions options : kTrends) {
      options.level = level;
      const double loss = Loss(options, values, static_cast<std::size_t>(ahead), expected);
      if (loss < least) {
        least = loss;
        best = options;
      }
    }
  }
  return best;
}

}  // namespace tidegate::forecast
