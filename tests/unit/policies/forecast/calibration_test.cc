#include "policies/forecast/calibration.h"

#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testing/synthetic_load.h"

namespace tidegate::forecast {
namespace {

// Share of errors within the margin, with the margin taken before each.
double Coverage(double quantile, int count, double (*error)(std::uint64_t)) {
  Calibration calibration;
  int covered = 0;
  for (int i = 0; i < count; ++i) {
    const double e = error(static_cast<std::uint64_t>(i));
    if (e <= Margin(calibration)) ++covered;
    Learn(e, quantile, calibration);
  }
  return static_cast<double>(covered) / count;
}

double Exponential(std::uint64_t i) { return -std::log(1 - testing::Draw(i)) - 1; }
double Biased(std::uint64_t i) { return testing::Draw(i) - 3; }
// Ten times as large in every other half day.
double Clustered(std::uint64_t i) {
  return (testing::Draw(i) - 0.5) * (i / 720 % 2 == 0 ? 0.1 : 1);
}

TEST(CalibrationTest, CoversTheWantedShareWhateverTheErrorsAre) {
  for (const double quantile : {0.5, 0.9, 0.97}) {
    EXPECT_NEAR(Coverage(quantile, 20'000, Exponential), quantile, 0.01) << quantile;
    EXPECT_NEAR(Coverage(quantile, 20'000, Biased), quantile, 0.01) << quantile;
    EXPECT_NEAR(Coverage(quantile, 20'000, Clustered), quantile, 0.01) << quantile;
  }
}

TEST(CalibrationTest, StartsFromTheMarginOfNormalErrors) {
  // Quantiles of the normal distribution over its mean size.
  for (const auto& [quantile, factor] : std::vector<std::pair<double, double>>{
           {0.1, -1.6062}, {0.5, 0}, {0.9, 1.6062}, {0.99, 2.9157}, {0.999, 3.8730}}) {
    Calibration calibration;
    Learn(1, quantile, calibration);
    EXPECT_NEAR(Margin(calibration), factor + 0.03 * quantile, 1e-3) << quantile << ", and a miss";
  }
}

TEST(CalibrationTest, AnOutlierDoesNotWidenTheMarginForLong) {
  Calibration calibration;
  for (std::uint64_t i = 0; i < 500; ++i) Learn(testing::Draw(i) - 0.5, 0.9, calibration);
  const double before = Margin(calibration);
  Learn(50, 0.9, calibration);
  EXPECT_LT(Margin(calibration), 1.2 * before);
}

TEST(PinballTest, IsWhatTheQuantileMinimizes) {
  EXPECT_DOUBLE_EQ(Pinball(0.9, 10, 20), 9);
  EXPECT_NEAR(Pinball(0.9, 20, 10), 1, 1e-12);
  EXPECT_DOUBLE_EQ(Pinball(0.5, 3, 3), 0);
}

TEST(ScoreTest, MeansWhatCameDue) {
  Score score;
  EXPECT_EQ(Ratio(score), 1);
  Learn({.value = 100, .median = 90, .upper = 110, .naive_upper = 120}, 0.9, score);
  Learn({.value = 100, .median = 98, .upper = 99, .naive_upper = 120}, 0.9, score);
  EXPECT_NEAR(score.coverage, 0.5, 1e-6);
  EXPECT_NEAR(score.bias, -6, 1e-5);
  EXPECT_NEAR(score.loss, (1 + 0.9) / 2, 1e-6);
  EXPECT_NEAR(score.naive_loss, 2, 1e-6);
  EXPECT_NEAR(Ratio(score), 0.475, 1e-6);
}

TEST(ScoreTest, TurnsWithinTwoHours) {
  Score score;
  const Outcome good{.value = 100, .median = 100, .upper = 102, .naive_upper = 110};
  const Outcome bad{.value = 100, .median = 120, .upper = 125, .naive_upper = 110};
  for (int i = 0; i < 1440; ++i) Learn(good, 0.9, score);
  EXPECT_LT(WorstRatio(score), 0.25);
  for (int i = 0; i < 120; ++i) Learn(bad, 0.9, score);
  EXPECT_LT(Ratio(score), 1) << "the day's mean has not noticed";
  EXPECT_GT(WorstRatio(score), 1.3);
}

TEST(ScoreTest, IsNotDecidedByOneOutlier) {
  Score score;
  for (int i = 0; i < 1440; ++i) {
    Learn({.value = 100, .median = 100, .upper = 105, .naive_upper = 110}, 0.9, score);
  }
  const double before = Ratio(score);
  Learn({.value = 5000, .median = 100, .upper = 105, .naive_upper = 4990}, 0.9, score);
  EXPECT_NEAR(Ratio(score), before, 0.1) << "both missed it; that says a little for equal";
}

TEST(ScoreTest, WakesUpAfterALoadThatNeverMoved) {
  Score score;
  for (int i = 0; i < 1440; ++i) {
    Learn({.value = 100, .median = 100, .upper = 100, .naive_upper = 100}, 0.9, score);
  }
  for (int i = 0; i < 120; ++i) {
    Learn({.value = 100, .median = 100, .upper = 150, .naive_upper = 101}, 0.9, score);
  }
  EXPECT_GT(WorstRatio(score), 2);
}

}  // namespace
}  // namespace tidegate::forecast
