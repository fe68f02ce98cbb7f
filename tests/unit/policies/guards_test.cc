// All guards together: sequences of ticks as a pool lives them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/guards/apply.h"

namespace tidegate::guards {
namespace {

using signals::Quality;
using testing::ElementsAre;

constexpr Instant At(int seconds) { return FromUnixMillis(1'000'000 + 1000LL * seconds); }
constexpr Duration Sec(int seconds) { return Duration(1000LL * seconds); }

// A pool whose proposals are given tick by tick.
class Pool {
 public:
  Pool(Replicas size, Replicas min, Replicas max) : size_(size) {
    options.min = min;
    options.max = max;
  }

  // One tick; returns the desired size.
  Replicas Want(std::optional<Replicas> replicas, int at, Quality quality = Quality::kOk) {
    sizing::Proposal proposal;
    proposal.source = "rps";
    proposal.replicas = replicas;
    proposal.quality = replicas ? quality : Quality::kError;
    return Want(std::vector{proposal}, at);
  }
  Replicas Want(const std::vector<sizing::Proposal>& proposals, int at) {
    Applied applied = Apply(proposals, memory.desired.value_or(size_), options, memory, At(at));
    memory = applied.memory;
    last = applied.desired;
    return last.replicas;
  }
  // `ticks` ticks, 15 s apart, with one demand.
  std::vector<Replicas> Ladder(Replicas demand, int ticks) {
    std::vector<Replicas> sizes;
    for (int i = 0; i < ticks; ++i) sizes.push_back(Want(demand, 15 * i));
    return sizes;
  }

  Options options;
  Memory memory;
  Desired last;

 private:
  Replicas size_;
};

TEST(GuardsTest, DefaultLadderFromOne) {
  EXPECT_THAT(Pool(1, 1, 1000).Ladder(500, 7), ElementsAre(5, 10, 20, 40, 80, 160, 320));
}

TEST(GuardsTest, DefaultLadderFromThree) {
  EXPECT_THAT(Pool(3, 1, 1000).Ladder(500, 6), ElementsAre(7, 14, 28, 56, 112, 224));
}

TEST(GuardsTest, DefaultLadderFromTen) {
  EXPECT_THAT(Pool(10, 1, 1000).Ladder(80, 4), ElementsAre(20, 40, 80, 80));
}

TEST(GuardsTest, LadderIsTheSameAtAnyTick) {
  Pool pool(1, 1, 1000);
  std::vector<Replicas> sizes;
  for (int at = 0; at < 60; at += 5) sizes.push_back(pool.Want(500, at));
  EXPECT_THAT(sizes, ElementsAre(5, 5, 5, 10, 10, 10, 20, 20, 20, 40, 40, 40));
}

TEST(GuardsTest, FirstSightHoldsTheSizeForOneDownWindow) {
  Pool pool(10, 1, 100);
  EXPECT_EQ(pool.Want(2, 0), 10);
  EXPECT_EQ(pool.last.reason, Reason::kScaleDownStabilized);
  EXPECT_EQ(pool.Want(2, 299), 10);
  EXPECT_EQ(pool.Want(2, 300), 2);
}

TEST(GuardsTest, FirstSightHoldsGrowthForOneUpWindow) {
  Pool pool(10, 1, 100);
  pool.options.behavior.up.stabilization_window = Sec(60);
  EXPECT_EQ(pool.Want(20, 0), 10);
  EXPECT_EQ(pool.Want(20, 60), 20);
}

TEST(GuardsTest, SizeAboveMaxComesDownAtOnce) {
  Pool pool(50, 1, 20);
  EXPECT_EQ(pool.Want(50, 0), 20);
  EXPECT_EQ(pool.last.reason, Reason::kTooManyReplicas);
  EXPECT_THAT(pool.memory.events, ElementsAre(ScaleEvent{At(0), -30}));
}

TEST(GuardsTest, SizeBelowMinGoesUpAtOnceWithoutAnyReading) {
  Pool pool(1, 30, 60);
  EXPECT_EQ(pool.Want(std::nullopt, 0), 30);
  EXPECT_EQ(pool.last.reason, Reason::kTooFewReplicas);
}

TEST(GuardsTest, SizeZeroGoesToMin) { EXPECT_EQ(Pool(0, 2, 60).Want(40, 0), 2); }

TEST(GuardsTest, ReasonIsTooManyReplicasWhereThePoliciesAllowMore) {
  Pool pool(10, 1, 20);
  EXPECT_EQ(pool.Want(90, 0), 20);
  EXPECT_EQ(pool.last.reason, Reason::kTooManyReplicas);
}

TEST(GuardsTest, ReasonIsScaleUpLimitWhereItIsStricterThanMax) {
  Pool pool(10, 1, 21);
  EXPECT_EQ(pool.Want(90, 0), 20);
  EXPECT_EQ(pool.last.reason, Reason::kScaleUpLimit);
  EXPECT_EQ(pool.last.limits.size(), 2U);
}

TEST(GuardsTest, ReasonIsTooFewReplicasWhereThePoliciesAllowLess) {
  Pool pool(10, 4, 20);
  pool.options.behavior.down.stabilization_window = Sec(0);
  EXPECT_EQ(pool.Want(1, 0), 4);
  EXPECT_EQ(pool.last.reason, Reason::kTooFewReplicas);
}

TEST(GuardsTest, ReasonIsScaleDownLimitWhereItIsStricterThanMin) {
  Pool pool(10, 1, 20);
  pool.options.behavior.down.stabilization_window = Sec(0);
  pool.options.behavior.down.policies = {{PolicyType::kPods, 2, Sec(60)}};
  EXPECT_EQ(pool.Want(1, 0), 8);
  EXPECT_EQ(pool.last.reason, Reason::kScaleDownLimit);
  EXPECT_EQ(pool.Want(1, 59), 8);
  EXPECT_EQ(pool.Want(1, 60), 6);
}

TEST(GuardsTest, NothingInTheWayIsDesiredWithinRange) {
  Pool pool(10, 1, 20);
  EXPECT_EQ(pool.Want(14, 0), 14);
  EXPECT_EQ(pool.last.reason, Reason::kDesiredWithinRange);
  EXPECT_TRUE(pool.last.limits.empty());
}

TEST(GuardsTest, WithinToleranceKeepsTheSizeAndRemembersIt) {
  Pool pool(100, 1, 200);
  EXPECT_EQ(pool.Want(109, 0), 100);
  EXPECT_EQ(pool.last.reason, Reason::kWithinTolerance);
  EXPECT_EQ(pool.last.proposed, 109);
  EXPECT_EQ(pool.memory.recommendations.back().replicas, 100);
}

TEST(GuardsTest, RemembersTheUnstabilisedNumber) {
  Pool pool(10, 1, 100);
  pool.Want(10, 0);
  pool.Want(4, 10);
  EXPECT_EQ(pool.memory.recommendations.back(), (Recommendation{At(10), 4}));
}

TEST(GuardsTest, OutageNeverShrinks) {
  Pool pool(10, 1, 100);
  pool.Want(10, 0);
  for (int at = 5; at < 2000; at += 5) ASSERT_EQ(pool.Want(std::nullopt, at), 10);
  EXPECT_EQ(pool.last.reason, Reason::kSamplesNotOk);
}

TEST(GuardsTest, RecoversWithTheFirstGoodReading) {
  Pool pool(10, 1, 100);
  pool.Want(10, 0);
  for (int at = 5; at <= 60; at += 5) pool.Want(std::nullopt, at);
  EXPECT_EQ(pool.Want(18, 65), 18);
  EXPECT_FALSE(pool.memory.bad_since);
}

TEST(GuardsTest, FallbackActsExactlyAfterItsTime) {
  Pool pool(4, 1, 100);
  pool.options.fallback = Fallback{Sec(180), 7, FallbackBehavior::kCurrentReplicasIfHigher};
  EXPECT_EQ(pool.Want(std::nullopt, 0), 4);
  EXPECT_EQ(pool.Want(std::nullopt, 179), 4);
  EXPECT_EQ(pool.Want(std::nullopt, 180), 7);
  EXPECT_EQ(pool.last.reason, Reason::kFallback);
}

TEST(GuardsTest, AGoodReadingRestartsTheFallbacksTime) {
  Pool pool(4, 1, 100);
  pool.options.fallback = Fallback{Sec(180), 7, FallbackBehavior::kStatic};
  pool.Want(std::nullopt, 0);
  pool.Want(4, 170);
  EXPECT_EQ(pool.Want(std::nullopt, 180), 4);
  EXPECT_EQ(pool.Want(std::nullopt, 359), 4);
  EXPECT_EQ(pool.Want(std::nullopt, 360), 7);
}

TEST(GuardsTest, FallbackNeverLowersAHigherValidProposal) {
  Pool pool(4, 1, 100);
  pool.options.fallback = Fallback{Sec(0), 2, FallbackBehavior::kStatic};
  sizing::Proposal good;
  good.replicas = 8;
  good.quality = Quality::kOk;
  EXPECT_EQ(pool.Want({good, sizing::Proposal{}}, 0), 8);
}

TEST(GuardsTest, FallbackGoesThroughWindowsRatesAndBounds) {
  Pool pool(10, 1, 12);
  pool.options.fallback = Fallback{Sec(0), 50, FallbackBehavior::kStatic};
  EXPECT_EQ(pool.Want(std::nullopt, 0), 12);
  EXPECT_EQ(pool.last.reason, Reason::kTooManyReplicas);
  pool.options.fallback->replicas = 2;
  EXPECT_EQ(pool.Want(std::nullopt, 1), 12);
  EXPECT_EQ(pool.last.reason, Reason::kScaleDownStabilized);
}

TEST(GuardsTest, PartialAfterScaleOutDoesNotShrink) {
  Pool pool(10, 1, 100);
  pool.options.behavior.down.stabilization_window = Sec(0);
  EXPECT_EQ(pool.Want(3, 0, Quality::kPartial), 10);
  EXPECT_EQ(pool.Want(14, 5, Quality::kPartial), 14);
  EXPECT_EQ(pool.Want(3, 10), 3);
}

TEST(GuardsTest, PausedStays) {
  Pool pool(10, 1, 100);
  pool.options.paused = true;
  EXPECT_EQ(pool.Want(50, 0), 10);
  EXPECT_EQ(pool.last.reason, Reason::kPaused);
  EXPECT_EQ(pool.last.proposed, 50);
}

TEST(GuardsTest, PausedStaysOutsideTheBoundsToo) {
  Pool pool(10, 20, 100);
  pool.options.paused = true;
  EXPECT_EQ(pool.Want(50, 0), 10);
}

TEST(GuardsTest, AfterAPauseThePoolDoesNotDropAtOnce) {
  Pool pool(10, 1, 100);
  pool.options.paused = true;
  pool.Want(2, 0);
  pool.options.paused = false;
  EXPECT_EQ(pool.Want(2, 5), 10);
  EXPECT_EQ(pool.Want(2, 299), 10);
  EXPECT_EQ(pool.Want(2, 300), 2);
}

TEST(GuardsTest, WithoutProposalsThePoolIsHeldAndNoFallbackActs) {
  Pool pool(10, 1, 100);
  pool.options.fallback = Fallback{Sec(0), 50, FallbackBehavior::kStatic};
  EXPECT_EQ(pool.Want(std::vector<sizing::Proposal>{}, 0), 10);
  EXPECT_EQ(pool.last.reason, Reason::kSamplesNotOk);
}

// Knative bounds what a pool is to become, and not what it is.
Pool BoundedLast(Replicas size, Replicas min, Replicas max) {
  Pool pool(size, min, max);
  pool.options.guarding = {false, false, false, false, false};
  return pool;
}

TEST(GuardsTest, WithoutBoundsFirstASizeBelowTheMinimumGrowsToWhatIsWanted) {
  EXPECT_EQ(BoundedLast(1, 5, 100).Want(20, 0), 20);
}

TEST(GuardsTest, WithoutBoundsFirstASizeAboveTheMaximumShrinksToWhatIsWanted) {
  EXPECT_EQ(BoundedLast(30, 1, 20).Want(1, 0), 1);
}

TEST(GuardsTest, WithoutBoundsFirstASizeThatIsHeldIsBounded) {
  Pool pool = BoundedLast(30, 1, 20);
  EXPECT_EQ(pool.Want(std::nullopt, 0), 20);
  EXPECT_EQ(pool.last.reason, Reason::kTooManyReplicas);
}

// A pool that other policies sized until now, without windows: 20 -> 29.
Pool SizedWithoutWindows() {
  Pool pool(20, 1, 1000);
  pool.options.guarding = {false, false, false};
  EXPECT_EQ(pool.Want(29, 0), 29);
  return pool;
}

TEST(GuardsTest, APolicyThatBringsWindowsHoldsThePoolForOne) {
  Pool pool = SizedWithoutWindows();
  pool.options.guarding = {};
  EXPECT_EQ(pool.Want(3, 15), 29);
  EXPECT_EQ(pool.Want(3, 314), 29);
  EXPECT_EQ(pool.Want(3, 315), 3);
}

TEST(GuardsTest, APolicyThatBringsTheClassicWindowHoldsThePoolForIt) {
  Pool pool = SizedWithoutWindows();
  pool.options.guarding = {false, false, false, true};
  EXPECT_EQ(pool.Want(3, 15), 29);
  EXPECT_EQ(pool.Want(3, 315), 29);
  EXPECT_EQ(pool.Want(3, 316), 3);
}

TEST(GuardsTest, WhatWindowsKnewEndsWithTheLastPolicyThatHadAny) {
  Pool pool(3, 1, 1000);
  pool.options.behavior.up.policies = {{PolicyType::kPods, 100, Sec(15)}};
  EXPECT_EQ(pool.Want(3, 0), 3);
  pool.options.guarding = {false, false, false};
  EXPECT_EQ(pool.Want(29, 15), 29);
  pool.options.guarding = {};
  EXPECT_EQ(pool.Want(3, 30), 29);
}

}  // namespace
}  // namespace tidegate::guards
