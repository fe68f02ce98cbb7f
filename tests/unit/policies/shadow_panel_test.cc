// How rules of the panel count, by what they would have cost and failed.
#include "policies/sizing/shadow_panel.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

constexpr int kHour = 720;  // steps

class ShadowPanelTest : public testing::Test {
 protected:
  ShadowPanelTest() {
    pool_.per_replica = 100;
    pool_.most_each = 100;
  }
  PanelChoice Ask(double rate) {
    now_ += kPanelStep;
    return AskPanel(pool_, {.now = now_, .rate = rate}, memory_);
  }
  // So many steps of this load; what is asked for at the last one.
  template <class Load>
  PanelChoice Live(int steps, Load load) {
    PanelChoice choice;
    for (int i = 0; i < steps; ++i) choice = Ask(load(i));
    return choice;
  }
  static constexpr double kLoad = 2'000;
  static double Calm(int) { return kLoad; }

  PanelPool pool_;
  PanelMemory memory_;
  Instant now_ = FromUnixMillis(1'767'225'600'000);
};

TEST_F(ShadowPanelTest, AtFirstWhatIsBelievedCounts) {
  const PanelChoice first = Ask(kLoad);
  EXPECT_GT(BaseOf(first.rule).reach, 0) << "a rise is taken for one that goes on";
  EXPECT_GE(first.asked, kLoad);
  EXPECT_LT(first.asked, 1.1 * kLoad);
}

TEST_F(ShadowPanelTest, OnACalmDayWhatCostsMoreThanTheNeedSoonCountsNoMore) {
  const PanelChoice calm = Live(8 * kHour, Calm);
  EXPECT_GE(calm.asked, kLoad);
  EXPECT_LT(calm.asked, 1.01 * kLoad);
}

// The best rule alone would say one product of a load and a headroom or another, and change it
// after a burst; the mean lies between them and moves by less.
TEST_F(ShadowPanelTest, WhereRulesAreAboutAsGoodTheirMeanIsAskedFor) {
  const auto bursts = [](int i) { return i % 360 >= 320 ? 2.5 * kLoad : kLoad; };
  const PanelChoice mixed = Live(8 * kHour + 200, bursts);
  EXPECT_LT(mixed.weight, 0.9);
  const double times = mixed.asked / kLoad;
  EXPECT_TRUE(std::ranges::none_of(kHeadrooms, [&](double headroom) {
    return std::abs(headroom - times) < 1e-6;
  })) << "no rule asks for just that";
}

TEST_F(ShadowPanelTest, ABurstCountsFromTheNextLookOn) {
  Live(2 * kHour, Calm);
  PanelMemory other = memory_;
  const PanelChoice calm = Ask(kLoad);
  // By the same rules ten times the load asks for ten times as much, but for bursts and trends.
  const PanelChoice burst = AskPanel(pool_, {.now = now_, .rate = 10 * kLoad}, other);
  EXPECT_EQ(burst.rule, calm.rule);
  EXPECT_EQ(burst.weight, calm.weight);
  EXPECT_GE(burst.asked, 10 * calm.asked * (1 - 1e-9));
}

TEST_F(ShadowPanelTest, AfterABurstMoreIsAskedForAndLessEachDayAfter) {
  const double before = Live(4 * kHour, Calm).asked;
  Live(kHour / 6, [](int) { return 4 * kLoad; });
  const double after = Live(2 * kHour, Calm).asked;
  EXPECT_GT(after, 1.05 * before);
  const double later = Live(6 * 24 * kHour, Calm).asked;
  EXPECT_LT(later, after);
}

// Means over longer intervals hide more of what is late.
TEST_F(ShadowPanelTest, WhatFailedCountsMoreWhereSamplesAreFurtherApart) {
  Live(8 * kHour + 200, [](int i) { return i % 360 >= 320 ? 2.5 * kLoad : kLoad; });
  PanelMemory other = memory_;
  const double close = Ask(kLoad).asked;
  pool_.apart = Duration(30'000);
  EXPECT_GT(AskPanel(pool_, {.now = now_, .rate = kLoad}, other).asked, close);
}

// Rules look back one lead time, and what they asked for is kept for one more.
TEST_F(ShadowPanelTest, WhatWasAskedForIsKeptForOneLeadTime) {
  Live(8 * kHour, Calm);
  const int lag = static_cast<int>(pool_.lead / kPanelStep);
  constexpr double kBurst = 1.2 * kLoad;
  Live(12, [](int) { return kBurst; });
  const PanelChoice kept = Live(lag + lag / 2, Calm);
  EXPECT_LT(kept.asked, kBurst);
  EXPECT_GE(kept.load, kBurst);
  EXPECT_LT(Live(lag, Calm).load, kBurst);
}

TEST_F(ShadowPanelTest, AStricterShareAsksForMore) {
  const auto bursts = [](int i) { return i % 360 >= 320 ? 2.5 * kLoad : kLoad; };
  PanelMemory strict_memory;
  PanelChoice easy, strict;
  for (int i = 0; i < 8 * kHour + 200; ++i) {
    now_ += kPanelStep;
    easy = AskPanel(pool_, {.now = now_, .rate = bursts(i), .allowed = 0.05}, memory_);
    strict = AskPanel(pool_, {.now = now_, .rate = bursts(i), .allowed = 1e-4}, strict_memory);
  }
  EXPECT_GT(strict.asked, 1.1 * easy.asked);
}

}  // namespace
}  // namespace tidegate::sizing
