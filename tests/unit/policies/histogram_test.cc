#include "policies/base/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/generate/random.h"

namespace tidegate {
namespace {

// The definition itself, on the sorted values.
std::uint64_t ExactQuantile(std::vector<std::uint64_t> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

// Spread over nine powers of ten, as latencies are not.
std::vector<std::uint64_t> Values(std::uint64_t seed, std::size_t count) {
  traces::Random random(seed);
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::uint64_t>(std::pow(10.0, 9.0 * random.Uniform())));
  }
  return values;
}

TEST(HistogramTest, RecordsManyAsOneByOne) {
  traces::Random random(5);
  Histogram one, all;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(random.Next() >> random.Below(60));
  for (const std::uint64_t value : values) one.Record(value);
  all.RecordAll(values);
  EXPECT_EQ(all.count(), one.count());
  EXPECT_EQ(all.min(), one.min());
  EXPECT_EQ(all.max(), one.max());
  EXPECT_NEAR(all.Mean() / one.Mean(), 1, 1e-12);
  for (double q = 0; q <= 1; q += 0.01) EXPECT_EQ(all.Quantile(q), one.Quantile(q)) << q;
}

TEST(HistogramTest, QuantilesAreWithinAThousandthAboveTheExactOnes) {
  const auto values = Values(1, 20'000);
  Histogram histogram;
  for (const auto value : values) histogram.Record(value);
  for (const double q : {0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto exact = ExactQuantile(values, q);
    EXPECT_GE(histogram.Quantile(q), exact) << q;
    EXPECT_LE(static_cast<double>(histogram.Quantile(q)), static_cast<double>(exact) * 1.001) << q;
  }
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value <= 2047; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.Quantile(0.5), 1023U);
  EXPECT_EQ(histogram.Quantile(1.0), 2047U);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 1023.5);
}

TEST(HistogramTest, CountMinMaxAndMeanAreExact) {
  Histogram histogram;
  histogram.Record(5'000'001);
  histogram.Record(1'000'001, 3);
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.min(), 1'000'001U);
  EXPECT_EQ(histogram.max(), 5'000'001U);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 2'000'001.0);
  EXPECT_EQ(histogram.Quantile(1.0), 5'000'001U);
}

TEST(HistogramTest, MergingEqualsRecordingTogether) {
  Histogram together, first, second;
  for (const auto value : Values(2, 1000)) {
    together.Record(value);
    first.Record(value);
  }
  for (const auto value : Values(3, 500)) {
    together.Record(value / 1000);
    second.Record(value / 1000);
  }
  second.Merge(first);
  EXPECT_EQ(second.count(), together.count());
  EXPECT_EQ(second.min(), together.min());
  EXPECT_EQ(second.max(), together.max());
  for (const double q : {0.01, 0.5, 0.99}) EXPECT_EQ(second.Quantile(q), together.Quantile(q));
}

TEST(HistogramTest, AnEmptyOneAnswersZero) {
  Histogram histogram;
  histogram.Record(7);
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.Quantile(0.99), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 0.0);
}

TEST(HistogramTest, CapsWhatIsBeyondItsRange) {
  Histogram histogram;
  histogram.Record(~std::uint64_t{0});
  EXPECT_EQ(histogram.max(), Histogram::kMaxValue);
}

}  // namespace
}  // namespace tidegate
