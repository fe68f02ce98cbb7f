// What each guard would have left: the same decision with one stage left out.
#include <gtest/gtest.h>

#include "policies/guards/apply.h"

namespace tidegate::guards {
namespace {

using signals::Quality;

constexpr Instant kNow = FromUnixMillis(1'000'000'000);

sizing::Proposal Asks(std::optional<Replicas> replicas, Quality quality = Quality::kOk) {
  sizing::Proposal proposal;
  proposal.source = "rps";
  proposal.replicas = replicas;
  proposal.quality = quality;
  return proposal;
}

// A pool of 20 between 5 and 50 replicas.
struct Pool {
  Options options;
  Memory memory;
  std::optional<AtOnce> at_once;
  Pool() {
    options.min = 5;
    options.max = 50;
    memory.desired = 20;
  }
  Applied Decide(const sizing::Proposal& proposal) const {
    return Apply({proposal}, 20, options, memory, kNow, at_once);
  }
  Replicas Without(Stage stage, const sizing::Proposal& proposal) const {
    Pool other = *this;
    other.options.without.Add(stage);
    return other.Decide(proposal).desired.replicas;
  }
};

TEST(GuardWithoutTest, HoldLetsAPartialReadingShrink) {
  Pool pool;
  pool.options.guarding.stabilization = false;
  const sizing::Proposal partial = Asks(10, Quality::kPartial);
  EXPECT_EQ(pool.Decide(partial).desired.replicas, 20);
  EXPECT_EQ(pool.Without(Stage::kHold, partial), 10);
}

TEST(GuardWithoutTest, HoldWithoutAnyReadingLeavesTheSize) {
  EXPECT_EQ(Pool().Without(Stage::kHold, Asks(std::nullopt, Quality::kStale)), 20);
}

TEST(GuardWithoutTest, FallbackLeavesTheHold) {
  Pool pool;
  pool.options.fallback = Fallback{std::chrono::minutes(3), 30, FallbackBehavior::kStatic};
  pool.memory.bad_since = kNow - std::chrono::hours(1);
  const sizing::Proposal stale = Asks(std::nullopt, Quality::kStale);
  EXPECT_EQ(pool.Decide(stale).desired.replicas, 30);
  EXPECT_EQ(pool.Without(Stage::kFallback, stale), 20);
}

TEST(GuardWithoutTest, ToleranceActsOnASmallChange) {
  EXPECT_EQ(Pool().Decide(Asks(21)).desired.replicas, 20);
  EXPECT_EQ(Pool().Without(Stage::kTolerance, Asks(21)), 21);
}

TEST(GuardWithoutTest, StabilizationShrinksAtOnce) {
  Pool pool;
  pool.memory.recommendations = {{kNow - std::chrono::minutes(1), 20}};
  EXPECT_EQ(pool.Decide(Asks(8)).desired.replicas, 20);
  EXPECT_EQ(pool.Without(Stage::kStabilization, Asks(8)), 8);
}

TEST(GuardWithoutTest, RateLimitGrowsAtOnce) {
  EXPECT_EQ(Pool().Decide(Asks(49)).desired.replicas, 40);
  EXPECT_EQ(Pool().Without(Stage::kRateLimit, Asks(49)), 49);
}

TEST(GuardWithoutTest, BoundsGoesBeyondThem) {
  Pool pool;
  pool.options.guarding = {false, false, false};
  EXPECT_EQ(pool.Without(Stage::kBounds, Asks(70)), 70);
  EXPECT_EQ(pool.Without(Stage::kBounds, Asks(2)), 2);
}

TEST(GuardWithoutTest, PauseDecidesAsIfItWereNone) {
  Pool pool;
  pool.options.paused = true;
  EXPECT_EQ(pool.Decide(Asks(30)).desired.replicas, 20);
  EXPECT_EQ(pool.Without(Stage::kPause, Asks(30)), 30);
}

TEST(GuardWithoutTest, SizingLeavesSizesThatPoliciesSetOut) {
  Pool pool;
  pool.at_once = AtOnce{33, "woken"};
  EXPECT_EQ(pool.Decide(Asks(30)).desired.replicas, 33);
  EXPECT_EQ(pool.Without(Stage::kSizing, Asks(30)), 30);
}

TEST(GuardWithoutTest, SizingLeavesFloorsOut) {
  sizing::Proposal floor = Asks(45);
  floor.floor = true;
  const Pool pool;
  Options options = pool.options;
  EXPECT_EQ(Apply({Asks(30), floor}, 20, options, pool.memory, kNow).desired.replicas, 40)
      << "45, as far as the rate limit lets it";
  options.without.Add(Stage::kSizing);
  EXPECT_EQ(Apply({Asks(30), floor}, 20, options, pool.memory, kNow).desired.replicas, 30);
}

TEST(GuardWithoutTest, SizingScalesWhatAPolicyLeavesAlone) {
  const Pool pool;
  const std::string alone = "the HPA scales no pool of size 0";
  Options options = pool.options;
  const auto decide = [&] {
    return Apply({Asks(30)}, 20, options, pool.memory, kNow, std::nullopt, alone).desired.replicas;
  };
  EXPECT_EQ(decide(), 20);
  options.without.Add(Stage::kSizing);
  EXPECT_EQ(decide(), 30);
}

TEST(GuardWithoutTest, WhatIsLeftOutGoesOnRemembering) {
  Pool pool;
  const Memory as_it_is = pool.Decide(Asks(8)).memory;
  pool.options.without.Add(Stage::kStabilization);
  EXPECT_EQ(pool.Decide(Asks(8)).memory.recommendations, as_it_is.recommendations);
}

TEST(StageNamedTest, FindsEveryStageByItsName) {
  for (int i = 0; i < kStageCount; ++i) {
    const auto stage = static_cast<Stage>(i);
    EXPECT_EQ(StageNamed(Name(stage)), stage);
  }
  EXPECT_EQ(StageNamed("unknown"), std::nullopt);
}

}  // namespace
}  // namespace tidegate::guards
