// The guards one by one, with the HPA's worked rules.
#include <gtest/gtest.h>

#include "policies/guards/bounds.h"
#include "policies/guards/hold.h"
#include "policies/guards/rate_limit.h"
#include "policies/guards/stabilization.h"
#include "policies/guards/tolerance.h"

namespace tidegate::guards {
namespace {

using signals::Quality;

constexpr Instant At(int seconds) { return FromUnixMillis(1'000'000 + 1000LL * seconds); }
constexpr Duration Sec(int seconds) { return Duration(1000LL * seconds); }

sizing::Proposal Propose(std::optional<Replicas> replicas, Quality quality = Quality::kOk) {
  sizing::Proposal proposal;
  proposal.source = "rps";
  proposal.replicas = replicas;
  proposal.quality = quality;
  return proposal;
}

Behavior Rules(SelectPolicy select, std::vector<ScalingPolicy> policies) {
  Behavior behavior = DefaultBehavior();
  behavior.up.select = behavior.down.select = select;
  behavior.up.policies = behavior.down.policies = std::move(policies);
  return behavior;
}

ScalingPolicy Pods(Replicas value, int period = 15) {
  return {PolicyType::kPods, value, Sec(period)};
}
ScalingPolicy Percent(Replicas value, int period = 15) {
  return {PolicyType::kPercent, value, Sec(period)};
}

TEST(DefaultBehaviorTest, IsTheHpas) {
  const Behavior behavior = DefaultBehavior();
  EXPECT_EQ(behavior.up.stabilization_window, Sec(0));
  EXPECT_EQ(behavior.up.policies, (std::vector{Pods(4), Percent(100)}));
  EXPECT_EQ(behavior.down.stabilization_window, Sec(300));
  EXPECT_EQ(behavior.down.policies, (std::vector{Percent(100)}));
  EXPECT_EQ(behavior.up.select, SelectPolicy::kMax);
  EXPECT_EQ(behavior.down.select, SelectPolicy::kMax);
  EXPECT_FALSE(behavior.up.tolerance);
  EXPECT_FALSE(behavior.down.tolerance);
  EXPECT_EQ(kDefaultTolerance, 0.1);
}

TEST(NameTest, EveryReasonHasItsOwn) {
  for (int i = 0; i < kReasonCount; ++i) {
    EXPECT_STRNE(Name(static_cast<Reason>(i)), "Unknown");
    for (int j = 0; j < i; ++j) {
      EXPECT_STRNE(Name(static_cast<Reason>(i)), Name(static_cast<Reason>(j)));
    }
  }
}

TEST(HoldTest, TakesTheLargestProposal) {
  EXPECT_EQ(Hold(Weigh({Propose(3), Propose(8), Propose(5)}), 4).replicas, 8);
}

TEST(HoldTest, OkReadingsMayShrink) {
  const Guarded held = Hold(Weigh({Propose(3), Propose(2)}), 9);
  EXPECT_EQ(held.replicas, 3);
  EXPECT_FALSE(held.limit);
}

TEST(HoldTest, OneBadReadingBlocksAShrink) {
  const Guarded held = Hold(Weigh({Propose(3), Propose(std::nullopt, Quality::kStale)}), 9);
  EXPECT_EQ(held.replicas, 9);
  ASSERT_TRUE(held.limit);
  EXPECT_EQ(held.limit->reason, Reason::kSamplesNotOk);
  EXPECT_NE(held.limit->detail.find("rps: stale"), std::string::npos);
}

TEST(HoldTest, OneBadReadingDoesNotBlockGrowth) {
  EXPECT_EQ(Hold(Weigh({Propose(12), Propose(std::nullopt, Quality::kError)}), 9).replicas, 12);
}

TEST(HoldTest, PartialReadingMayGrowButNotShrink) {
  EXPECT_EQ(Hold(Weigh({Propose(12, Quality::kPartial)}), 9).replicas, 12);
  EXPECT_EQ(Hold(Weigh({Propose(3, Quality::kPartial)}), 9).replicas, 9);
}

TEST(HoldTest, NoUsableReadingHolds) {
  for (const Quality quality : {Quality::kStale, Quality::kEmpty, Quality::kNaN, Quality::kError}) {
    EXPECT_EQ(Hold(Weigh({Propose(std::nullopt, quality)}), 9).replicas, 9);
  }
  EXPECT_EQ(Hold(Weigh({}), 9).replicas, 9);
}

TEST(FallbackTest, WaitsForItsTime) {
  const Fallback fallback{Sec(180), 20, FallbackBehavior::kStatic};
  EXPECT_FALSE(FallBack(fallback, 9, At(0), At(179)));
  EXPECT_TRUE(FallBack(fallback, 9, At(0), At(180)));
}

TEST(FallbackTest, Behaviors) {
  const auto size = [](FallbackBehavior behavior, Replicas current) {
    return FallBack({Sec(0), 6, behavior}, current, At(0), At(0))->replicas;
  };
  EXPECT_EQ(size(FallbackBehavior::kStatic, 9), 6);
  EXPECT_EQ(size(FallbackBehavior::kStatic, 3), 6);
  EXPECT_EQ(size(FallbackBehavior::kCurrentReplicas, 9), 9);
  EXPECT_EQ(size(FallbackBehavior::kCurrentReplicasIfHigher, 9), 9);
  EXPECT_EQ(size(FallbackBehavior::kCurrentReplicasIfHigher, 3), 6);
  EXPECT_EQ(size(FallbackBehavior::kCurrentReplicasIfLower, 9), 6);
  EXPECT_EQ(size(FallbackBehavior::kCurrentReplicasIfLower, 3), 3);
}

TEST(ToleranceTest, HoldsUpToTheFractionInclusive) {
  const Behavior behavior = DefaultBehavior();
  EXPECT_EQ(Tolerate(11, 10, behavior).replicas, 10);
  EXPECT_EQ(Tolerate(12, 10, behavior).replicas, 12);
  EXPECT_EQ(Tolerate(9, 10, behavior).replicas, 10);
  EXPECT_EQ(Tolerate(8, 10, behavior).replicas, 8);
  EXPECT_EQ(Tolerate(33, 30, behavior).replicas, 30);
  EXPECT_EQ(Tolerate(421, 383, behavior).replicas, 383);
  EXPECT_EQ(Tolerate(422, 383, behavior).replicas, 422);
}

TEST(ToleranceTest, SmallPoolsAreNotHeld) {
  EXPECT_EQ(Tolerate(6, 5, DefaultBehavior()).replicas, 6);
  EXPECT_EQ(Tolerate(1, 0, DefaultBehavior()).replicas, 1);
}

TEST(ToleranceTest, IsPerDirection) {
  Behavior behavior = DefaultBehavior();
  behavior.up.tolerance = 0;
  behavior.down.tolerance = 0.5;
  EXPECT_EQ(Tolerate(101, 100, behavior).replicas, 101);
  EXPECT_EQ(Tolerate(50, 100, behavior).replicas, 100);
  EXPECT_EQ(Tolerate(49, 100, behavior).replicas, 49);
}

TEST(StabilizationTest, ShrinksToTheHighestOfTheDownWindow) {
  const std::vector<Recommendation> recommendations{{At(0), 9}, {At(100), 7}, {At(200), 8}};
  const Guarded now = Stabilize(3, 10, DefaultBehavior(), recommendations, At(250));
  EXPECT_EQ(now.replicas, 9);
  EXPECT_EQ(now.limit->reason, Reason::kScaleDownStabilized);
}

TEST(StabilizationTest, WindowsAreOpenAtTheirFarEnd) {
  const std::vector<Recommendation> recommendations{{At(0), 9}};
  EXPECT_EQ(Stabilize(3, 10, DefaultBehavior(), recommendations, At(299)).replicas, 9);
  EXPECT_EQ(Stabilize(3, 10, DefaultBehavior(), recommendations, At(300)).replicas, 3);
}

TEST(StabilizationTest, GrowsToTheLowestOfTheUpWindow) {
  Behavior behavior = DefaultBehavior();
  behavior.up.stabilization_window = Sec(60);
  const std::vector<Recommendation> recommendations{{At(0), 12}, {At(20), 14}};
  const Guarded limited = Stabilize(20, 10, behavior, recommendations, At(30));
  EXPECT_EQ(limited.replicas, 12);
  EXPECT_EQ(limited.limit->reason, Reason::kScaleUpStabilized);
  EXPECT_EQ(Stabilize(20, 10, behavior, {{At(0), 4}}, At(30)).replicas, 10);
}

TEST(StabilizationTest, NoUpWindowGrowsAtOnce) {
  EXPECT_EQ(Stabilize(20, 10, DefaultBehavior(), {{At(0), 4}}, At(1)).replicas, 20);
}

TEST(StabilizationTest, KeepsTheCurrentSizeBetweenTheWindows) {
  Behavior behavior = DefaultBehavior();
  behavior.up.stabilization_window = Sec(300);
  const std::vector<Recommendation> recommendations{{At(0), 4}, {At(10), 20}};
  EXPECT_EQ(Stabilize(15, 10, behavior, recommendations, At(20)).replicas, 10);
  EXPECT_EQ(Stabilize(5, 10, behavior, recommendations, At(20)).replicas, 10);
}

TEST(RememberTest, KeepsWhatAWindowCanStillAskFor) {
  Behavior behavior = DefaultBehavior();
  std::vector<Recommendation> memory{{At(0), 9}, {At(10), 5}, {At(20), 7}};
  memory = Remember(memory, 6, behavior, At(30));
  EXPECT_EQ(memory, (std::vector<Recommendation>{{At(0), 9}, {At(20), 7}, {At(30), 6}}));
  behavior.up.stabilization_window = Sec(300);
  memory = Remember({{At(0), 9}, {At(10), 5}, {At(20), 7}}, 6, behavior, At(30));
  EXPECT_EQ(memory.size(), 4U);
  EXPECT_EQ(Remember(memory, 6, behavior, At(400)), (std::vector<Recommendation>{{At(400), 6}}));
}

TEST(RateLimitTest, PodsAndPercentUpTakeTheLarger) {
  const Behavior behavior = DefaultBehavior();
  EXPECT_EQ(LimitRate(100, 1, behavior, {}, At(0)).replicas, 5);
  EXPECT_EQ(LimitRate(100, 10, behavior, {}, At(0)).replicas, 20);
  EXPECT_EQ(LimitRate(7, 10, behavior, {}, At(0)).replicas, 7);
}

TEST(RateLimitTest, MinTakesTheSmallerChange) {
  const Behavior behavior = Rules(SelectPolicy::kMin, {Pods(4), Percent(100)});
  EXPECT_EQ(LimitRate(100, 10, behavior, {}, At(0)).replicas, 14);
  EXPECT_EQ(LimitRate(0, 10, behavior, {}, At(0)).replicas, 6);
}

TEST(RateLimitTest, MaxDownTakesTheSmallerNumber) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Pods(4), Percent(50)});
  EXPECT_EQ(LimitRate(0, 10, behavior, {}, At(0)).replicas, 5);
}

TEST(RateLimitTest, DisabledAllowsNone) {
  const Behavior behavior = Rules(SelectPolicy::kDisabled, {Percent(100)});
  EXPECT_EQ(LimitRate(100, 10, behavior, {}, At(0)).replicas, 10);
  EXPECT_EQ(LimitRate(1, 10, behavior, {}, At(0)).replicas, 10);
}

TEST(RateLimitTest, PercentUpRoundsUp) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Percent(10)});
  EXPECT_EQ(LimitRate(100, 1, behavior, {}, At(0)).replicas, 2);
  EXPECT_EQ(LimitRate(100, 21, behavior, {}, At(0)).replicas, 24);  // 23.1
}

TEST(RateLimitTest, PercentUpKeepsTheControllersDoubles) {
  // 50 * (1 + 10 / 100.0) is 55.00000000000001, whose ceiling is 56 in the HPA too.
  const Behavior behavior = Rules(SelectPolicy::kMax, {Percent(10)});
  EXPECT_EQ(LimitRate(100, 50, behavior, {}, At(0)).replicas, 56);
}

TEST(RateLimitTest, PercentDownTruncates) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Percent(10)});
  EXPECT_EQ(LimitRate(0, 3, behavior, {}, At(0)).replicas, 2);    // 2.7
  EXPECT_EQ(LimitRate(0, 25, behavior, {}, At(0)).replicas, 22);  // 22.5
}

TEST(RateLimitTest, CountsFromTheSizeAtThePeriodsStart) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Pods(4, 60)});
  EXPECT_EQ(LimitRate(100, 13, behavior, {{At(0), 3}}, At(30)).replicas, 14);
  EXPECT_EQ(LimitRate(100, 13, behavior, {{At(0), 6}, {At(10), -3}}, At(30)).replicas, 14);
}

TEST(RateLimitTest, ChangesExactlyOnePeriodAgoHaveLeftIt) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Pods(4, 15)});
  EXPECT_EQ(LimitRate(100, 5, behavior, {{At(0), 4}}, At(15)).replicas, 9);
  EXPECT_EQ(LimitRate(100, 5, behavior, {{At(0), 4}}, At(14)).replicas, 5);
}

TEST(RateLimitTest, NeverTurnsTheDirection) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Pods(1, 60)});
  EXPECT_EQ(LimitRate(30, 20, behavior, {{At(0), 10}}, At(10)).replicas, 20);
  EXPECT_EQ(LimitRate(5, 20, behavior, {{At(0), -10}}, At(10)).replicas, 20);
}

TEST(RateLimitTest, ForgetsEventsOlderThanEveryPeriod) {
  const Behavior behavior = Rules(SelectPolicy::kMax, {Pods(1, 60), Percent(10, 20)});
  EXPECT_EQ(RememberChange({{At(0), 1}, {At(1), 2}}, 0, behavior, At(60)),
            (std::vector<ScaleEvent>{{At(1), 2}}));
  EXPECT_EQ(RememberChange({}, -3, behavior, At(60)), (std::vector<ScaleEvent>{{At(60), -3}}));
}

TEST(BoundsTest, Clamps) {
  EXPECT_EQ(Bound(1, {2, 9}).replicas, 2);
  EXPECT_EQ(Bound(10, {2, 9}).replicas, 9);
  EXPECT_EQ(Bound(5, {2, 9}).replicas, 5);
  EXPECT_FALSE(Bound(5, {2, 9}).limit);
}

}  // namespace
}  // namespace tidegate::guards
