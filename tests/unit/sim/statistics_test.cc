#include "sim/report/statistics.h"

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using Values = std::vector<double>;

// x(i) = 0.8 x(i-1) + e(i), from `first`; its mean is 0.
Values Correlated(std::size_t count, double first, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> noise(0, 1);
  Values series;
  double x = first;
  for (std::size_t i = 0; i < count; ++i) {
    x = 0.8 * x + noise(engine);
    series.push_back(x);
  }
  return series;
}

// The rule as it is written, in quadratic time.
std::size_t SlowWarmUp(const Values& series) {
  Values means;
  const std::size_t skipped = series.size() % 5;
  for (std::size_t i = skipped; i + 5 <= series.size(); i += 5)
    means.push_back(Mean(std::span(series).subspan(i, 5)));
  std::size_t best = 0;
  double least = 1e300;
  for (std::size_t d = 0; 2 * d < means.size(); ++d) {
    const auto tail = std::span(means).subspan(d);
    double squares = 0;
    for (const double b : tail) squares += (b - Mean(tail)) * (b - Mean(tail));
    const auto count = static_cast<double>(tail.size());
    const double criterion = squares / (count * count);
    if (criterion < least) {
      least = criterion;
      best = d;
    }
  }
  return best == 0 ? 0 : skipped + best * 5;
}

// NIST's reference data for numerical accuracy, NumAcc1 and NumAcc4.
TEST(StatisticsTest, KeepsItsDigitsFarFromZero) {
  const Values three{10000001, 10000003, 10000002};
  EXPECT_EQ(Mean(three), 10000002);
  EXPECT_EQ(Variance(three), 1);
  Values many{10000000.2};
  for (int i = 0; i < 500; ++i) {
    many.push_back(10000000.1);
    many.push_back(10000000.3);
  }
  EXPECT_NEAR(Mean(many), 10000000.2, 1e-8);
  EXPECT_NEAR(std::sqrt(Variance(many)), 0.1, 1e-8);
}

TEST(StatisticsTest, AgreesWithStudentsTable) {
  struct Row {
    double freedom, at_90, at_95, at_99;  // of both sides together
  };
  for (const Row& row :
       {Row{1, 6.314, 12.706, 63.657}, Row{2, 2.920, 4.303, 9.925}, Row{5, 2.015, 2.571, 4.032},
        Row{9, 1.833, 2.262, 3.250}, Row{29, 1.699, 2.045, 2.756}, Row{120, 1.658, 1.980, 2.617}}) {
    EXPECT_NEAR(StudentQuantile(0.95, row.freedom), row.at_90, 5e-4);
    EXPECT_NEAR(StudentQuantile(0.975, row.freedom), row.at_95, 5e-4);
    EXPECT_NEAR(StudentQuantile(0.995, row.freedom), row.at_99, 5e-4);
    EXPECT_NEAR(StudentQuantile(0.025, row.freedom), -row.at_95, 5e-4);
  }
}

// Student's own sleep data of 1908; the interval is in many textbooks: 0.7001 to 2.4599.
TEST(StatisticsTest, PairsCancelWhatIsCommon) {
  const Values first{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const Values second{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const Estimate difference = PairedDifference(first, second, 0.95);
  EXPECT_NEAR(difference.mean, 1.58, 1e-12);
  EXPECT_NEAR(difference.low(), 0.7001142, 1e-6);
  EXPECT_NEAR(difference.high(), 2.4598858, 1e-6);
  EXPECT_EQ(difference.count, 10U);
  EXPECT_TRUE(difference.Excludes(0));
  EXPECT_FALSE(difference.Excludes(1));
  const double apart =
      std::hypot(MeanInterval(first, 0.95).half_width, MeanInterval(second, 0.95).half_width);
  EXPECT_LT(difference.half_width, apart);
}

TEST(StatisticsTest, OneValueTellsNothingOfItsVariation) {
  const Estimate estimate = MeanInterval(Values{3}, 0.95);
  EXPECT_EQ(estimate.mean, 3);
  EXPECT_TRUE(std::isinf(estimate.half_width));
  EXPECT_FALSE(estimate.Excludes(1e9));
  EXPECT_EQ(MeanInterval(Values{3, 3, 3}, 0.95).half_width, 0);
}

TEST(StatisticsTest, IntervalsHoldAsOftenAsTheySay) {
  std::mt19937_64 engine(7);
  std::normal_distribution<double> normal(5, 2);
  constexpr int kSamples = 4'000;
  int held = 0;
  for (int i = 0; i < kSamples; ++i) {
    Values sample(6);
    for (double& value : sample) value = normal(engine);
    held += !MeanInterval(sample, 0.9).Excludes(5);
  }
  // Three standard deviations of a share of 0.9 in 4,000.
  EXPECT_NEAR(static_cast<double>(held) / kSamples, 0.9, 3 * std::sqrt(0.09 / kSamples));
}

TEST(StatisticsTest, FindsTheEndOfAPlainWarmUp) {
  Values series(30, 100.0);
  for (int i = 0; i < 170; ++i) series.push_back(i % 2 == 0 ? 1.0 : 2.0);
  const WarmUp warm_up = FindWarmUp(series);
  EXPECT_EQ(warm_up.values, 30U);
  EXPECT_TRUE(warm_up.settled);
}

TEST(StatisticsTest, LeavesASteadySeriesWhole) {
  const WarmUp warm_up = FindWarmUp(Values(103, 4.0));
  EXPECT_EQ(warm_up.values, 0U);
  EXPECT_TRUE(warm_up.settled);
}

TEST(StatisticsTest, SaysThatARisingSeriesHasNotSettled) {
  Values series;
  for (int i = 0; i < 200; ++i) series.push_back(i);
  EXPECT_FALSE(FindWarmUp(series).settled);
  EXPECT_FALSE(FindWarmUp(Values(19, 1.0)).settled);
}

TEST(StatisticsTest, CutsWhereTheWrittenRuleCuts) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const Values series = Correlated(60 + 13 * seed, seed % 2 == 0 ? 40 : 0, seed);
    EXPECT_EQ(FindWarmUp(series).values, SlowWarmUp(series)) << "seed " << seed;
  }
}

TEST(StatisticsTest, BatchesSeeTheCorrelationThatSingleValuesHide) {
  constexpr int kSeries = 400;
  int batched = 0, single = 0;
  for (int i = 0; i < kSeries; ++i) {
    const Values series = Correlated(4'000, 0, static_cast<unsigned>(1'000 + i));
    batched += !BatchMeans(series, 20, 0.9).Excludes(0);
    single += !MeanInterval(series, 0.9).Excludes(0);
  }
  EXPECT_GT(batched, kSeries * 0.85);
  EXPECT_LT(batched, kSeries * 0.95);
  EXPECT_LT(single, kSeries * 0.6);
}

TEST(StatisticsTest, BatchesLeaveTheRestOutAtTheBeginning) {
  const Values series{1e9, 1, 2, 3, 4, 5, 6};
  const Estimate estimate = BatchMeans(series, 3, 0.95);
  EXPECT_EQ(estimate.mean, 3.5);
  EXPECT_EQ(estimate.count, 3U);
  const Values means{1.5, 3.5, 5.5};
  EXPECT_DOUBLE_EQ(estimate.half_width, MeanInterval(means, 0.95).half_width);
}

}  // namespace
}  // namespace tidegate::sim
