#include "sim/report/statistics.h"

#include <cmath>
#include <limits>
#include <vector>

#include <boost/math/distributions/students_t.hpp>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

constexpr std::size_t kNeighbours = 5;       // the 5 of MSER-5
constexpr std::size_t kLeastForWarmUp = 20;  // values; below it a cut is a matter of chance

// Means of `length` neighbours each, counted from the end, so that what is left over is at the
// beginning.
std::vector<double> MeansFromEnd(std::span<const double> series, std::size_t length) {
  const std::size_t count = series.size() / length;
  const std::size_t first = series.size() - count * length;
  std::vector<double> means(count);
  for (std::size_t i = 0; i < count; ++i)
    means[i] = Mean(series.subspan(first + i * length, length));
  return means;
}

}  // namespace

double Mean(std::span<const double> values) {
  TIDEGATE_CHECK(!values.empty(), "a mean of nothing");
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  // The rounding of a long sum shows in a second pass.
  double rest = 0;
  for (const double value : values) rest += value - mean;
  return mean + rest / static_cast<double>(values.size());
}

double Variance(std::span<const double> values) {
  TIDEGATE_CHECK(values.size() >= 2, "one value has no variance");
  const double mean = Mean(values);
  double squares = 0;
  double rest = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    rest += value - mean;
  }
  const auto count = static_cast<double>(values.size());
  return (squares - rest * rest / count) / (count - 1);
}

double StudentQuantile(double probability, double freedom) {
  TIDEGATE_CHECK(probability > 0 && probability < 1 && freedom >= 1, "no such quantile");
  return boost::math::quantile(boost::math::students_t(freedom), probability);
}

Estimate MeanInterval(std::span<const double> values, double confidence) {
  TIDEGATE_CHECK(confidence > 0 && confidence < 1, "a confidence lies between 0 and 1");
  Estimate estimate{Mean(values), std::numeric_limits<double>::infinity(), values.size()};
  if (values.size() < 2) return estimate;
  const auto count = static_cast<double>(values.size());
  estimate.half_width =
      StudentQuantile((1 + confidence) / 2, count - 1) * std::sqrt(Variance(values) / count);
  return estimate;
}

Estimate PairedDifference(std::span<const double> base, std::span<const double> treated,
                          double confidence) {
  TIDEGATE_CHECK(base.size() == treated.size(), "a run without a partner");
  std::vector<double> differences(base.size());
  for (std::size_t i = 0; i < base.size(); ++i) differences[i] = treated[i] - base[i];
  return MeanInterval(differences, confidence);
}

WarmUp FindWarmUp(std::span<const double> series) {
  if (series.size() < kLeastForWarmUp) return {0, false};
  const std::vector<double> means = MeansFromEnd(series, kNeighbours);
  const std::size_t skipped = series.size() - means.size() * kNeighbours;
  // From the last one backwards, Welford's recursion gives the squares of every tail.
  double mean = 0;
  double squares = 0;
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  for (std::size_t d = means.size(); d-- > 0;) {
    const auto count = static_cast<double>(means.size() - d);
    const double step = means[d] - mean;
    mean += step / count;
    squares += step * (means[d] - mean);
    const double criterion = squares / (count * count);
    if (2 * d < means.size() && criterion <= least) {
      least = criterion;
      best = d;
    }
  }
  const bool at_the_end = 2 * (best + 1) >= means.size();
  return {best == 0 ? 0 : skipped + best * kNeighbours, !at_the_end};
}

Estimate BatchMeans(std::span<const double> series, std::size_t batches, double confidence) {
  TIDEGATE_CHECK(batches >= 2 && series.size() >= batches, "too few values for the batches");
  const std::size_t length = series.size() / batches;
  return MeanInterval(MeansFromEnd(series.last(batches * length), length), confidence);
}

}  // namespace tidegate::sim
