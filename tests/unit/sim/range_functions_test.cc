#include "sim/world/range_functions.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using signals::Sample;
using std::chrono::seconds;

constexpr Instant At(int s) { return FromUnixMillis(1'767'225'600'000 + std::int64_t{1'000} * s); }

RangeQuery Query(int at, int range, PromqlDialect dialect = kPrometheus2) {
  return {.at = At(at), .range = seconds(range), .dialect = dialect};
}

// Samples each 15 s from `first` on.
std::vector<Sample> Every15(int first, const std::vector<double>& values) {
  std::vector<Sample> samples;
  for (const double value : values) {
    samples.push_back({At(first), value});
    first += 15;
  }
  return samples;
}

TEST(RangeFunctionsTest, NeedTwoSamples) {
  for (const auto& samples : {Every15(0, {}), Every15(50, {7})}) {
    EXPECT_FALSE(Increase(samples, Query(60, 60)));
    EXPECT_FALSE(PromqlRate(samples, Query(60, 60)));
    EXPECT_FALSE(InstantRate(samples, Query(60, 60)));
  }
}

TEST(RangeFunctionsTest, ExtrapolateToBothEndsWhereTheGapsAreSmall) {
  const auto samples = Every15(5, {1000, 1030, 1060, 1090});  // 2/s at 5, 20, 35, 50
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(60, 60)), 120);
  EXPECT_DOUBLE_EQ(*PromqlRate(samples, Query(60, 60)), 2);
}

TEST(RangeFunctionsTest, ExtrapolateByHalfAnIntervalWhereTheyAreNot) {
  const auto samples = Every15(40, {1000, 1030, 1060});  // at 40, 55, 70: 30 s of samples
  // 40 s before the first and 50 s after the last, each counted as 7.5 s.
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(120, 120)), 60.0 * (30 + 15) / 30);
  EXPECT_DOUBLE_EQ(*PromqlRate(samples, Query(120, 120)), 90.0 / 120);
}

TEST(RangeFunctionsTest, AGapOfExactlyTheThresholdIsLarge) {
  // Mean interval 10 s; gaps of 11 s at both ends: not less than 1.1 x 10.
  const std::vector<Sample> samples{{At(11), 1000}, {At(21), 1010}};
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(32, 32)), 10.0 * (10 + 5 + 5) / 10);
}

TEST(RangeFunctionsTest, NeverBeforeTheZeroPoint) {
  const auto samples = Every15(10, {4, 34, 64});  // zero 2 s before the first
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(45, 45)), 60.0 * (30 + 2 + 5) / 30);
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(45, 45, kPrometheus3)), 60.0 * (30 + 2 + 5) / 30);
}

TEST(RangeFunctionsTest, TheDialectsDifferWhereTheZeroPointIsFartherThanHalfAnInterval) {
  const auto samples = Every15(60, {20, 50, 80});  // zero 10 s before the first: 7.5 < 10 < 16.5
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(90, 90)), 60.0 * (30 + 10) / 30);
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(90, 90, kPrometheus3)), 60.0 * (30 + 7.5) / 30);
}

TEST(RangeFunctionsTest, ACounterThatStartsAtZeroIsNotExtrapolatedBack) {
  const auto samples = Every15(30, {0, 30});
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(45, 45)), 30);
}

TEST(RangeFunctionsTest, AFallIsARestartFromZero) {
  const auto samples = Every15(0, {1000, 1030, 10, 40});  // 30 + 10 + 30
  EXPECT_DOUBLE_EQ(*Increase(samples, Query(45, 45)), 70);
  EXPECT_DOUBLE_EQ(*InstantRate(samples, Query(30, 30)), 10.0 / 15);
  EXPECT_DOUBLE_EQ(*InstantRate(samples, Query(45, 45)), 2);
  const auto twice = Every15(0, {1000, 5, 3});
  EXPECT_DOUBLE_EQ(*Increase(twice, Query(30, 30)), 3.0 - 1000 + 1000 + 5);
}

TEST(RangeFunctionsTest, AFlatCounterHasRateZero) {
  const auto samples = Every15(0, {5, 5, 5});
  EXPECT_DOUBLE_EQ(*PromqlRate(samples, Query(30, 30)), 0);
  EXPECT_DOUBLE_EQ(*InstantRate(samples, Query(30, 30)), 0);
}

TEST(RangeFunctionsTest, OnlyTheDialectsOf3LeaveOutTheStartOfTheRange) {
  const auto samples =
      Every15(0, {1000, 1030, 1060, 1090, 1120});  // the first at the range's start
  EXPECT_EQ(SelectRange(samples, Query(60, 60)).size(), 5U);
  EXPECT_EQ(SelectRange(samples, Query(60, 60, kPrometheus3)).size(), 4U);
  EXPECT_TRUE(Increase(samples, Query(15, 15)));
  EXPECT_FALSE(Increase(samples, Query(15, 15, kPrometheus3)));
}

TEST(RangeFunctionsTest, LaterSamplesAreNotSeen) {
  const auto samples = Every15(0, {0, 30, 60, 9'000});
  EXPECT_DOUBLE_EQ(*InstantRate(samples, Query(44, 60)), 2);
  EXPECT_DOUBLE_EQ(*InstantRate(samples, Query(45, 60)), 8'940.0 / 15);
}

TEST(RangeFunctionsTest, SkipStaleMarkersAndKeepOtherNaNs) {
  const auto marked = Every15(0, {1000, 1030, StaleMarker(), 1090});
  EXPECT_DOUBLE_EQ(*Increase(marked, Query(45, 45)), 90);
  EXPECT_DOUBLE_EQ(*InstantRate(marked, Query(45, 45)), 2);
  EXPECT_FALSE(Increase(Every15(0, {1000, StaleMarker()}), Query(15, 15)));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(IsStaleMarker(nan));
  EXPECT_TRUE(std::isnan(*Increase(Every15(0, {1000, nan}), Query(15, 15))));
}

TEST(RangeFunctionsTest, AnInstantSelectorLooksBack) {
  const auto samples = Every15(0, {1, 2});
  const auto value = [&](int at, PromqlDialect dialect) {
    const auto sample = InstantValue(samples, Query(at, 300, dialect));
    return sample ? sample->value : -1;
  };
  EXPECT_EQ(value(14, kPrometheus2), 1);
  EXPECT_EQ(value(15, kPrometheus2), 2);
  EXPECT_EQ(value(315, kPrometheus2), 2);
  EXPECT_EQ(value(315, kPrometheus3), -1);
  EXPECT_EQ(value(316, kPrometheus2), -1);
  EXPECT_EQ(value(-1, kPrometheus2), -1);
}

TEST(RangeFunctionsTest, AnInstantSelectorEndsAtAStaleMarker) {
  const auto samples = Every15(0, {1, StaleMarker(), 3});
  EXPECT_EQ(InstantValue(samples, Query(14, 300))->value, 1);
  EXPECT_FALSE(InstantValue(samples, Query(15, 300)));
  EXPECT_FALSE(InstantValue(samples, Query(29, 300)));
  EXPECT_EQ(InstantValue(samples, Query(30, 300))->value, 3);
}

}  // namespace
}  // namespace tidegate::sim
