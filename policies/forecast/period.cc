// The autocorrelation of one-bin changes: what repeats in the level (a slow wave) is left to the
// models of the day, while edges and spikes that come back stand out. Changes are clipped at three
// times their mean size, so that two outliers do not make a period. A lag counts where its
// correlation is significant, is higher than its neighbours' ("a hill") and no shorter lag reaches
// nine tenths of it; multiples of a period are as correlated as the period itself.
#include "policies/forecast/period.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tidegate::forecast {
namespace {

constexpr std::size_t kLongest = 720;
constexpr std::size_t kValues = 2880;
constexpr std::size_t kTimesSeen = 4;
constexpr float kClip = 3;
constexpr float kSignificant = 0.25F;  // 5 / sqrt(n) for n = 400: no chance find

std::vector<float> ClippedChanges(std::span<const float> values) {
  std::vector<float> changes;
  double sum = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const float change = values[i] - values[i - 1];
    changes.push_back(std::isfinite(change) ? change : 0);
    sum += static_cast<double>(std::abs(changes.back()));
  }
  const auto most =
      kClip *
      static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(1, changes.size())));
  for (float& change : changes) change = std::clamp(change, -most, most);
  return changes;
}

float Product(const std::vector<float>& changes, std::size_t lag) {
  // Four sums, as one alone waits for each addition.
  float sums[4] = {};
  const std::size_t count = changes.size() - lag;
  const float* a = changes.data();
  const float* b = a + lag;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

int FindPeriod(std::span<const float> values) {
  const auto recent = values.subspan(values.size() > kValues ? values.size() - kValues : 0);
  const std::vector<float> changes = ClippedChanges(recent);
  const std::size_t longest = std::min(kLongest, changes.size() / kTimesSeen);
  if (longest < 4) return 0;
  const float energy = Product(changes, 0);
  if (!(energy > 0)) return 0;
  std::vector<float> correlation(longest + 2);
  for (std::size_t lag = 1; lag < correlation.size(); ++lag) {
    const auto share =
        static_cast<float>(changes.size()) / static_cast<float>(changes.size() - lag);
    correlation[lag] = Product(changes, lag) / energy * share;
  }
  float highest = kSignificant;
  for (std::size_t lag = 3; lag <= longest; ++lag) highest = std::max(highest, correlation[lag]);
  for (std::size_t lag = 3; lag <= longest; ++lag) {
    const bool hill =
        correlation[lag] > correlation[lag - 1] && correlation[lag] > correlation[lag + 1];
    if (hill && correlation[lag] > 0.9F * highest) return static_cast<int>(lag);
  }
  return 0;
}

}  // namespace tidegate::forecast
