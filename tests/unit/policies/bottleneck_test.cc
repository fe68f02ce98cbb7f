#include "policies/sizing/bottleneck.h"

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

constexpr int kWorkers = 8;

class BottleneckTest : public testing::Test {
 protected:
  // `inside` requests per worker.
  bool Look(Replicas ready, Rate served, double inside) {
    now_ += Duration(5'000);
    return IsBehindThePool(
        options_, kWorkers,
        {.now = now_, .ready = ready, .rate = served, .inflight = inside * ready * kWorkers},
        memory_);
  }
  bool LookFor(int seconds, Replicas ready, Rate served, double inside) {
    bool behind = false;
    for (int i = 0; i < seconds / 5; ++i) behind = Look(ready, served, inside);
    return behind;
  }

  BottleneckOptions options_;
  BottleneckMemory memory_;
  Instant now_ = FromUnixMillis(1'767'225'600'000);
};

TEST_F(BottleneckTest, APoolWithFreeWorkersIsNeverHeld) {
  EXPECT_FALSE(LookFor(600, 10, 1'000, 0.7));
  EXPECT_FALSE(LookFor(600, 20, 1'000, 0.7));
  EXPECT_EQ(memory_, BottleneckMemory{});
}

TEST_F(BottleneckTest, GrowthThatServesMoreIsNotHeld) {
  Look(10, 1'600, 2);
  EXPECT_FALSE(LookFor(300, 13, 2'080, 1.5));
  EXPECT_FALSE(LookFor(300, 17, 2'300, 1.2)) << "less than its share, more than a quarter of it";
}

TEST_F(BottleneckTest, GrowthThatServesNoMoreIsHeld) {
  Look(10, 1'000, 2);
  EXPECT_FALSE(LookFor(60, 13, 1'005, 2)) << "it has not settled";
  EXPECT_TRUE(LookFor(10, 13, 1'005, 2));
}

TEST_F(BottleneckTest, LessThanAQuarterMoreProvesNothing) {
  Look(10, 1'000, 2);
  EXPECT_FALSE(LookFor(600, 12, 1'000, 2));
}

TEST_F(BottleneckTest, IsFreeWhenThePoolIsFullNoLonger) {
  Look(10, 1'000, 2);
  ASSERT_TRUE(LookFor(120, 13, 1'000, 2));
  EXPECT_TRUE(Look(13, 1'000, 0.9)) << "between full and free nothing changes";
  EXPECT_FALSE(Look(13, 1'000, 0.75));
  EXPECT_EQ(memory_, BottleneckMemory{});
}

TEST_F(BottleneckTest, IsFreeWhenMoreIsServedAfterAll) {
  Look(10, 1'000, 2);
  ASSERT_TRUE(LookFor(120, 13, 1'000, 2));
  EXPECT_TRUE(Look(13, 1'090, 2));
  EXPECT_FALSE(Look(13, 1'110, 2));
}

TEST_F(BottleneckTest, TriesAgainEachTimeLater) {
  Look(10, 1'000, 2);
  ASSERT_TRUE(LookFor(120, 13, 1'000, 2));
  EXPECT_TRUE(LookFor(500, 13, 1'000, 2));
  EXPECT_FALSE(LookFor(100, 13, 1'000, 2));
  ASSERT_TRUE(LookFor(120, 17, 1'000, 2));
  EXPECT_TRUE(LookFor(1'000, 17, 1'000, 2)) << "twice as long";
  EXPECT_FALSE(LookFor(300, 17, 1'000, 2));
}

TEST_F(BottleneckTest, WhatIsHeldWithoutAJudgementIsHeldAsAfterOne) {
  memory_ = {.full_since = now_,
             .ready = 13,
             .served = 1'000,
             .grown_at = {},
             .held_since = now_,
             .in_vain = 0};
  EXPECT_TRUE(LookFor(595, 13, 1'000, 2));
  EXPECT_FALSE(LookFor(5, 13, 1'000, 2));
}

TEST_F(BottleneckTest, AbsenceOfDataKeepsTheJudgement) {
  Look(10, 1'000, 2);
  ASSERT_TRUE(LookFor(120, 13, 1'000, 2));
  EXPECT_TRUE(IsBehindThePool(options_, kWorkers, {.now = now_, .ready = 13}, memory_));
}

TEST_F(BottleneckTest, ASmallerPoolBeginsAnew) {
  Look(10, 1'000, 2);
  EXPECT_FALSE(LookFor(300, 8, 1'000, 2));
  EXPECT_FALSE(LookFor(300, 9, 1'000, 2)) << "an eighth more than 8";
  EXPECT_TRUE(LookFor(300, 10, 1'000, 2));
}

TEST_F(BottleneckTest, AClockSetBackBeginsAnew) {
  Look(10, 1'000, 2);
  ASSERT_TRUE(LookFor(120, 13, 1'000, 2));
  now_ -= std::chrono::hours(1);
  EXPECT_FALSE(Look(13, 1'000, 2));
}

}  // namespace
}  // namespace tidegate::sizing
