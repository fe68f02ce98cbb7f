#include "policies/forecast/smoother.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testing/synthetic_load.h"

namespace tidegate::forecast {
namespace {

constexpr SmootherOptions kOptions{0.5F, 0.2F, 0.8F};

Smoother After(const std::vector<float>& values) {
  Smoother smoother;
  for (const float value : values) Advance(kOptions, value, smoother);
  return smoother;
}

std::vector<float> Flat(int count, float level) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(level + (i % 2 == 0 ? 0.02F : -0.02F));
  return values;
}

TEST(SmootherTest, LeadsATrendByTheSumOfItsDamping) {
  EXPECT_NEAR(DampedBins(0.5, 3), 0.5 + 0.25 + 0.125, 1e-12);
  EXPECT_NEAR(DampedBins(0.9, 1), 0.9, 1e-12);
  EXPECT_NEAR(DampedBins(0.8, 0), 0, 1e-12);
}

TEST(SmootherTest, ComputesHoltsRecursion) {
  // By hand: 1, then e = 0.02: level 1 + 0.5 * 0.02, trend 0.5 * 0.2 * 0.02.
  const Smoother smoother = After({1, 1.02F});
  EXPECT_NEAR(smoother.level, 1.01, 1e-6);
  EXPECT_NEAR(smoother.trend, 0.002, 1e-6);
  // One bin ahead of a reading of 1.05 that is a whole bin old: expected 1.0116, e = 0.0384, ...
  const double expected = 1.01 + 0.8 * 0.002;
  const double e = 1.02 - expected;
  EXPECT_NEAR(Expect(kOptions, smoother, 1.02, 1, 2),
              expected + 0.5 * e + 0.64 * 0.002 + 0.2 * 0.5 * e * 0.8, 1e-6);
}

TEST(SmootherTest, FollowsARamp) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i) values.push_back(0.01F * static_cast<float>(i));
  const SmootherOptions options = BestOptions(values, 3);
  Smoother smoother;
  for (const float value : values) Advance(options, value, smoother);
  const double ahead = Expect(options, smoother, 1.0, 1, 4);
  EXPECT_GT(ahead, 1.02) << "the trend is damped";
  EXPECT_LT(ahead, 1.03);
}

TEST(SmootherTest, AnOutlierMovesItNoMoreThanALargeOrdinaryError) {
  std::vector<float> values = Flat(50, 5);
  const Smoother before = After(values);
  values.push_back(5 + std::log(50.0F));
  const Smoother after = After(values);
  EXPECT_LT(after.level - before.level, 4 * before.spread);
  EXPECT_LT(after.trend, before.spread);
  values.insert(values.end(), {5, 5, 5});
  EXPECT_NEAR(After(values).level, 5, 0.05);
}

TEST(SmootherTest, BelievesANewLevelTheThirdTime) {
  std::vector<float> values = Flat(50, 5);
  const float level = 5 + std::log(5.0F);
  values.insert(values.end(), {level, level});
  EXPECT_LT(After(values).level, 5.5);
  values.push_back(level);
  EXPECT_FLOAT_EQ(After(values).level, level);
  EXPECT_FLOAT_EQ(After(values).trend, 0);
}

TEST(SmootherTest, ExpectsThePresentWhileItIsSurprised) {
  const Smoother smoother = After(Flat(50, 5));
  EXPECT_EQ(Expect(kOptions, smoother, 6.5, 1, 2), 6.5);
  EXPECT_EQ(Expect(kOptions, smoother, 3.5, 1, 2), 3.5);
}

TEST(SmootherTest, StartsAgainAfterALongGap) {
  std::vector<float> values = Flat(50, 5);
  values.insert(values.end(), 10'080, NAN);
  EXPECT_EQ(Expect(kOptions, After(values), 9, 1, 2), 9);
  values.push_back(9);
  EXPECT_FLOAT_EQ(After(values).level, 9);
}

TEST(SmootherTest, AShortGapOnlyDampsTheTrend) {
  std::vector<float> values;
  for (int i = 0; i < 60; ++i) values.push_back(0.01F * static_cast<float>(i));
  const Smoother before = After(values);
  values.insert(values.end(), 3, NAN);
  const Smoother after = After(values);
  EXPECT_NEAR(after.trend, before.trend * 0.512F, 1e-6);
  EXPECT_GT(after.level, before.level);
}

TEST(SmootherTest, IsTunedToTheLoad) {
  std::vector<float> noise, walk{0};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto step = static_cast<float>(testing::Draw(i) - 0.5);
    noise.push_back(step);
    walk.push_back(walk.back() + step);
  }
  EXPECT_LE(BestOptions(noise, 1).level, 0.2F) << "noise is averaged out";
  EXPECT_GE(BestOptions(walk, 1).level, 0.9F) << "a random walk is best told by its last value";
}

}  // namespace
}  // namespace tidegate::forecast
