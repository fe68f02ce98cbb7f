// Quantiles from a model's own errors, without assuming how they are distributed: the margin is a
// factor times the present size of errors, and the factor is moved after each forecast,
//
//   factor' = factor + rate (quantile - [error <= margin]),
//
// up by much at a miss and down by little at a hit, so that in the long run exactly the wanted
// share is covered whatever the load does (Gibbs and Candes, "Adaptive Conformal Inference Under
// Distribution Shift", 2021). Errors come in clusters, so their size is the larger part of a fast
// and a slow mean. An outlier enters both clipped at four times what is usual.
#include "policies/forecast/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tidegate::forecast {
namespace {

constexpr float kFast = 1.0F / 30;
constexpr float kSlow = 1.0F / 720;
constexpr float kFactorRate = 0.03F;
constexpr float kLargestFactor = 20;
constexpr float kClip = 4;       // spreads
constexpr float kLossClip = 20;  // mean losses; ordinary misses are five of them
constexpr float kLeast = 1e-3F;  // 0.1 % of the load: below what a source measures
constexpr int kDay = 1440;
constexpr int kTwoHours = 120;

float Spread(const Calibration& calibration) {
  return std::max(kLeast, 0.5F * (calibration.fast + calibration.slow));
}

// What the factor is for normal errors: their quantile over their mean size, sqrt(2 / pi); 0 for 50
// %, 1.6 for 90 %, 3.9 for 99.9 %. Abramowitz and Stegun, "Handbook of Mathematical Functions",
// 26.2.23: to 6e-4.
double BellFactor(double quantile) {
  const double tail = std::min(quantile, 1 - quantile);
  const double t = std::sqrt(-2 * std::log(tail));
  const double above = 2.515517 + t * (0.802853 + t * 0.010328);
  const double below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const double size = (t - above / below) * std::sqrt(std::numbers::pi / 2);
  return quantile < 0.5 ? -size : size;
}

// The mean of what was seen until `memory` is reached, an exponential one from then on.
void Blend(float value, int seen, int memory, float& mean) {
  mean += (value - mean) / static_cast<float>(std::min(seen, memory));
}

}  // namespace

double Margin(const Calibration& calibration) {
  return static_cast<double>(calibration.factor * Spread(calibration));
}

void Learn(double error, double quantile, Calibration& calibration) {
  const auto q = static_cast<float>(quantile);
  const bool covered = error <= Margin(calibration);
  float size = static_cast<float>(std::abs(error));
  if (calibration.seen == 0) {
    calibration.fast = calibration.slow = size;
    calibration.factor = static_cast<float>(BellFactor(quantile));
  } else {
    size = std::min(size, kClip * Spread(calibration));
  }
  calibration.seen = std::min(calibration.seen + 1, kDay);
  const auto seen = static_cast<float>(calibration.seen);
  calibration.fast += std::max(kFast, 1 / seen) * (size - calibration.fast);
  calibration.slow += std::max(kSlow, 1 / seen) * (size - calibration.slow);
  calibration.factor = std::clamp(calibration.factor + kFactorRate * (q - (covered ? 1.0F : 0.0F)),
                                  -kLargestFactor, kLargestFactor);
}

double Pinball(double quantile, double forecast, double value) {
  return value >= forecast ? quantile * (value - forecast) : (1 - quantile) * (forecast - value);
}

void Learn(const Outcome& outcome, double quantile, Score& score) {
  auto loss = static_cast<float>(Pinball(quantile, outcome.upper, outcome.value));
  auto naive = static_cast<float>(Pinball(quantile, outcome.naive_upper, outcome.value));
  if (score.seen >= kTwoHours / 4) {
    // Neither side is judged by one outlier. The second bound is for a load that never moved
    // before.
    const float most = std::max(kLossClip * std::max(score.naive_loss, score.loss),
                                static_cast<float>(outcome.median));
    loss = std::min(loss, most);
    naive = std::min(naive, most);
  }
  score.seen = std::min(score.seen + 1, kDay);
  Blend(loss, score.seen, kDay, score.loss);
  Blend(naive, score.seen, kDay, score.naive_loss);
  Blend(loss, score.seen, kTwoHours, score.late_loss);
  Blend(naive, score.seen, kTwoHours, score.late_naive);
  Blend(outcome.value <= outcome.upper ? 1.0F : 0.0F, score.seen, kDay, score.coverage);
  Blend(static_cast<float>(outcome.median - outcome.value), score.seen, kDay, score.bias);
}

double Ratio(const Score& score) {
  return score.naive_loss > 0 ? static_cast<double>(score.loss / score.naive_loss) : 1;
}

double WorstRatio(const Score& score) {
  const double late =
      score.late_naive > 0 ? static_cast<double>(score.late_loss / score.late_naive) : 1;
  return std::max(Ratio(score), late);
}

}  // namespace tidegate::forecast
