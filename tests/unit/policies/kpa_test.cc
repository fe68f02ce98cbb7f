// Knative's stable / panic decision, rule by rule.
#include "policies/sizing/kpa.h"

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }
constexpr KpaTarget kTen{.total = 10, .value = 10};

// One scaler at one target, tick by tick.
struct Scaler {
  KpaOptions options;
  KpaTarget target = kTen;
  KpaState state;

  KpaScale Tick(int second, double stable, double panic, Replicas ready) {
    return Scale(options, target, {stable, panic}, ready, At(second), state);
  }
  Replicas Desired(int second, double stable, double panic, Replicas ready) {
    return Tick(second, stable, panic, ready).desired;
  }
};

TEST(KpaOptionsTest, DefaultsAreKnatives) {
  const KpaOptions options;
  EXPECT_EQ(options.stable_window, seconds(60));
  EXPECT_EQ(options.panic_window_percentage, 10);
  EXPECT_EQ(options.panic_threshold_percentage, 200);
  EXPECT_EQ(options.max_scale_up_rate, 1000);
  EXPECT_EQ(options.max_scale_down_rate, 2);
  EXPECT_EQ(options.scale_down_delay, seconds(0));
  EXPECT_EQ(options.target_burst_capacity, 211);
  EXPECT_EQ(options.activator_capacity, 100);
  EXPECT_EQ(options.scale_to_zero_grace_period, seconds(30));
  EXPECT_EQ(options.scale_to_zero_pod_retention_period, seconds(0));
}

TEST(KpaOptionsTest, ThePanicWindowIsATenthInWholeSecondsAndAtLeastOne) {
  const auto panic = [](int stable, double percentage = 10) {
    KpaOptions options;
    options.stable_window = seconds(stable);
    options.panic_window_percentage = percentage;
    return LengthsOf(options).panic;
  };
  EXPECT_EQ(panic(60), seconds(6));
  EXPECT_EQ(panic(6), seconds(1));
  EXPECT_EQ(panic(14), seconds(1));
  EXPECT_EQ(panic(15), seconds(2));
  EXPECT_EQ(panic(6, 1), seconds(1));
  EXPECT_EQ(panic(60, 100), seconds(60));
}

TEST(KpaTargetTest, ConcurrencyIsAHundredAtSeventyPercentAndRateTwoHundred) {
  EXPECT_DOUBLE_EQ(TargetOf({}, std::nullopt, std::nullopt, false).value, 70);
  EXPECT_DOUBLE_EQ(TargetOf({}, std::nullopt, std::nullopt, true).value, 140);
}

TEST(KpaTargetTest, TheSmallerOfTargetAndHardLimitCounts) {
  EXPECT_EQ(TargetOf({}, 50, std::nullopt, false).total, 50);
  EXPECT_EQ(TargetOf({}, 50, 20, false).total, 20);
  EXPECT_EQ(TargetOf({}, 50, 80, false).total, 50);
  EXPECT_EQ(TargetOf({}, std::nullopt, 20, false).total, 20);
}

TEST(KpaTargetTest, IsNeverBelowAHundredth) {
  EXPECT_EQ(TargetOf({}, 0.001, std::nullopt, false).value, 0.01);
}

TEST(KpaScaleTest, RoundsUpByTheStableWindow) {
  Scaler scaler;
  EXPECT_EQ(scaler.Desired(0, 101, 101, 8), 11);
  EXPECT_EQ(scaler.Desired(2, 100, 100, 11), 10);
  EXPECT_FALSE(scaler.state.panic_since);
}

TEST(KpaScaleTest, WithoutReadyReplicasItCountsOne) {
  Scaler scaler;
  scaler.options.max_scale_up_rate = 4;
  EXPECT_EQ(scaler.Desired(0, 15, 15, 0), 2);
  EXPECT_EQ(scaler.Desired(2, 500, 500, 0), 4);
}

TEST(KpaScaleTest, GrowsAtMostByTheUpRateRoundedUp) {
  Scaler scaler;
  scaler.options.max_scale_up_rate = 1.1;
  // 3 wanted of 2 ready: ceil(2.2) = 3, so that a small rate still grows.
  EXPECT_EQ(scaler.Desired(0, 30, 30, 2), 3);
  EXPECT_EQ(scaler.Tick(2, 500, 30, 2).most, 3);
}

TEST(KpaScaleTest, ShrinksAtMostByTheDownRateRoundedDown) {
  Scaler scaler;
  EXPECT_EQ(scaler.Desired(0, 10, 10, 9), 4);
  EXPECT_EQ(scaler.Desired(2, 0, 0, 9), 4);
  EXPECT_EQ(scaler.Desired(4, 0, 0, 1), 0);
}

TEST(KpaScaleTest, AnUnreachablePoolShrinksAtOnceAndWithoutDelay) {
  Scaler scaler;
  scaler.options.scale_down_delay = seconds(60);
  EXPECT_EQ(scaler.Desired(0, 90, 90, 9), 9);
  scaler.options.reachable = false;
  EXPECT_EQ(scaler.Desired(2, 0, 0, 9), 0);
}

TEST(KpaScaleTest, TheActivationScaleIsTheLeastOtherThanZero) {
  Scaler scaler;
  scaler.options.activation_scale = 5;
  EXPECT_EQ(scaler.Desired(0, 0, 0, 1), 0);
  EXPECT_EQ(scaler.Desired(2, 1, 1, 1), 5);
  EXPECT_EQ(scaler.Desired(4, 70, 70, 5), 7);
  // Even past the up rate.
  scaler.options.max_scale_up_rate = 2;
  EXPECT_EQ(scaler.Desired(6, 1, 1, 1), 5);
  // An activation scale of 1 is none.
  scaler.options.activation_scale = 1;
  EXPECT_EQ(scaler.Desired(8, 0, 0, 1), 0);
}

TEST(KpaScaleTest, TheActivationScaleIsTheLeastOfThePanicWindowToo) {
  Scaler scaler;
  scaler.options.activation_scale = 5;
  const KpaScale scale = scaler.Tick(0, 0, 20, 1);  // the stable window has seen nothing yet
  EXPECT_TRUE(scale.panicking);
  EXPECT_EQ(scale.panic, 5);
  EXPECT_EQ(scale.desired, 5);
}

TEST(KpaPanicTest, BeginsAtTwiceWhatIsReady) {
  Scaler scaler;
  EXPECT_FALSE(scaler.Tick(0, 40, 190, 10).panicking);
  const KpaScale scale = scaler.Tick(2, 40, 191, 10);  // ceil(19.1) = 20
  EXPECT_TRUE(scale.panicking);
  EXPECT_EQ(scale.desired, 20);
  EXPECT_EQ(scaler.state.panic_since, At(2));
}

TEST(KpaPanicTest, TheThresholdIsMetByTheRoundedCount) {
  Scaler scaler;
  EXPECT_TRUE(scaler.Tick(0, 11, 11, 1).panicking);  // ceil(1.1) = 2 of 1
  Scaler calm;
  EXPECT_FALSE(calm.Tick(0, 10, 10, 1).panicking);
}

TEST(KpaPanicTest, TakesTheLargerOfTheTwoWindows) {
  Scaler scaler;
  EXPECT_EQ(scaler.Desired(0, 300, 250, 10), 30);
}

TEST(KpaPanicTest, NeverShrinksAndGrowsOn) {
  Scaler scaler;
  EXPECT_EQ(scaler.Desired(0, 40, 250, 10), 25);
  EXPECT_EQ(scaler.Desired(2, 50, 120, 12), 25);
  EXPECT_EQ(scaler.Desired(4, 60, 400, 25), 40);
  EXPECT_EQ(scaler.Desired(6, 10, 10, 40), 40);
}

TEST(KpaPanicTest, IsExtendedWhileOverTheThreshold) {
  Scaler scaler;
  (void)scaler.Tick(0, 40, 250, 10);
  (void)scaler.Tick(50, 40, 250, 10);
  EXPECT_EQ(scaler.state.panic_since, At(50));
  EXPECT_TRUE(scaler.Tick(110, 10, 10, 10).panicking);
  EXPECT_FALSE(scaler.Tick(111, 10, 10, 10).panicking);
}

TEST(KpaPanicTest, StillLastsExactlyOneStableWindowLater) {
  Scaler scaler;
  EXPECT_EQ(scaler.Desired(0, 40, 250, 10), 25);
  EXPECT_EQ(scaler.Desired(60, 40, 40, 25), 25);
  const KpaScale after =
      Scale(scaler.options, kTen, {40, 40}, 25, At(60) + milliseconds(1), scaler.state);
  EXPECT_FALSE(after.panicking);
  EXPECT_EQ(after.desired, 12);  // what the down rate leaves of 25
  EXPECT_EQ(scaler.state.most_in_panic, 0);
}

TEST(KpaPanicTest, ASecondPanicForgetsTheFirst) {
  Scaler scaler;
  (void)scaler.Tick(0, 40, 900, 10);
  (void)scaler.Tick(61, 40, 40, 10);
  EXPECT_EQ(scaler.Desired(62, 40, 200, 10), 20);
}

TEST(KpaPanicTest, APanicFromTheFutureBeginsNow) {
  Scaler scaler;
  (void)scaler.Tick(1000, 40, 250, 10);
  (void)scaler.Tick(0, 40, 40, 10);  // the clock was set back
  EXPECT_EQ(scaler.state.panic_since, At(0));
}

TEST(KpaStartTest, ANewScalerOfSeveralReadyReplicasBeginsInPanic) {
  Scaler scaler;
  scaler.state = NewKpaState(7, At(0));
  // Without it: 7 -> 3 -> ... on the first thin data after a restart.
  EXPECT_EQ(scaler.Desired(0, 10, 10, 7), 7);
  EXPECT_EQ(scaler.Desired(60, 10, 10, 7), 7);
  EXPECT_EQ(scaler.Desired(61, 10, 10, 7), 3);
}

TEST(KpaStartTest, OfOneOrNoReadyReplicaItBeginsCalm) {
  for (const Replicas ready : {0, 1}) EXPECT_FALSE(NewKpaState(ready, At(0)).panic_since);
}

TEST(KpaDelayedScaleTest, ShrinksOnceTheDelayHasPassed) {
  Scaler scaler;
  scaler.options.scale_down_delay = seconds(10);  // 5 slots
  EXPECT_EQ(scaler.Desired(0, 100, 100, 10), 10);
  for (int second = 2; second < 10; second += 2) {
    EXPECT_EQ(scaler.Desired(second, 80, 80, 10), 10);
  }
  EXPECT_EQ(scaler.Desired(10, 80, 80, 10), 8);
}

TEST(KpaDelayedScaleTest, GrowsAtOnce) {
  Scaler scaler;
  scaler.options.scale_down_delay = seconds(10);
  EXPECT_EQ(scaler.Desired(0, 80, 80, 8), 8);
  EXPECT_EQ(scaler.Desired(2, 120, 120, 8), 12);
}

TEST(KpaBurstTest, IsWhatTheReadyReplicasCanTakeBesidesTheLoad) {
  Scaler scaler;
  scaler.target = {.total = 100, .value = 70};
  EXPECT_EQ(scaler.Tick(0, 50, 50, 3).excess_burst, 300 - 211 - 50);
  EXPECT_EQ(scaler.Tick(2, 50, 50.5, 2).excess_burst, -62);  // floor(-61.5)
  EXPECT_EQ(scaler.Tick(4, 50, 50, 0).excess_burst, -261);   // no ready replica is none
}

TEST(KpaBurstTest, ZeroIsNoneAndNegativeIsAlways) {
  Scaler scaler;
  scaler.options.target_burst_capacity = 0;
  EXPECT_EQ(scaler.Tick(0, 5000, 5000, 3).excess_burst, 0);
  scaler.options.target_burst_capacity = -1;
  EXPECT_EQ(scaler.Tick(2, 0, 0, 30).excess_burst, -1);
}

TEST(KpaBurstTest, ActivatorsCoverCapacityAndBurst) {
  const KpaTarget target{.total = 100, .value = 70};
  EXPECT_EQ(ActivatorsFor({}, target, 0), 3);  // 211 / 100
  EXPECT_EQ(ActivatorsFor({}, target, 10), 13);
  EXPECT_EQ(ActivatorsFor({}, {.total = 1, .value = 1}, 1), 3);
}

TEST(KpaBurstTest, WhereNoBurstIsToBeReadyForTwoActivatorsDoAtAnySize) {
  KpaOptions none;
  none.target_burst_capacity = 0;
  EXPECT_EQ(ActivatorsFor(none, {.total = 100, .value = 70}, 1'000), 2);
}

TEST(KpaBurstTest, AlwaysBufferedActivatorsCoverTheCapacity) {
  KpaOptions always;
  always.target_burst_capacity = -1;
  EXPECT_EQ(ActivatorsFor(always, {.total = 100, .value = 70}, 10), 10);
}

TEST(KpaSampleTest, KnowsAllOfThreeSevenOfTenAndSixteenOfAThousand) {
  EXPECT_EQ(KpaSampleSize(0), 0);
  EXPECT_EQ(KpaSampleSize(3), 3);
  EXPECT_EQ(KpaSampleSize(10), 7);
  EXPECT_EQ(KpaSampleSize(100), 14);
  EXPECT_EQ(KpaSampleSize(1000), 16);
}

// The way to zero of a pool with a minimum of 0.
struct ZeroPool {
  KpaOptions options;
  KpaZero zero;
  bool burst_fits = true;
  std::optional<Replicas> Tick(int second, std::optional<Replicas> wanted, Replicas current,
                               Replicas ready) {
    return ScaleToZero(options, wanted, {current, ready, 0, burst_fits}, At(second), zero);
  }
};

TEST(KpaZeroTest, OneWhileActiveForLessThanAStableWindow) {
  ZeroPool pool;
  EXPECT_EQ(pool.Tick(0, 3, 3, 3), 3);
  EXPECT_EQ(pool.Tick(30, 0, 3, 3), 1);
  EXPECT_EQ(pool.Tick(59, 0, 1, 1), 1);
}

TEST(KpaZeroTest, ThenInactiveForTheGracePeriodThenZero) {
  ZeroPool pool;
  EXPECT_EQ(pool.Tick(0, 1, 1, 1), 1);
  EXPECT_EQ(pool.Tick(60, 0, 1, 1), 1);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kInactive);
  EXPECT_EQ(pool.Tick(89, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(90, 0, 1, 1), 0);
  EXPECT_EQ(pool.Tick(92, 0, 0, 0), 0);
}

TEST(KpaZeroTest, TheRetentionPeriodProlongsTheGrace) {
  ZeroPool pool;
  pool.options.scale_to_zero_pod_retention_period = seconds(100);
  (void)pool.Tick(0, 1, 1, 1);
  (void)pool.Tick(60, 0, 1, 1);
  EXPECT_EQ(pool.Tick(159, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(160, 0, 1, 1), 0);
}

TEST(KpaZeroTest, AnUnreachablePoolHasNoRetentionPeriod) {
  ZeroPool pool;
  pool.options.reachable = false;
  pool.options.scale_to_zero_pod_retention_period = seconds(100);
  (void)pool.Tick(0, 1, 1, 1);
  (void)pool.Tick(60, 0, 1, 1);
  EXPECT_EQ(pool.Tick(89, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(90, 0, 1, 1), 0);
}

TEST(KpaZeroTest, ActivatorsThatWereInThePathAllAlongNeedNoGraceAnyMore) {
  ZeroPool pool;
  pool.burst_fits = false;
  EXPECT_EQ(pool.Tick(0, 1, 1, 1), 1);
  EXPECT_EQ(pool.zero.proxied_since, At(0));
  EXPECT_EQ(pool.Tick(60, 0, 1, 1), 1);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kInactive);
  EXPECT_EQ(pool.Tick(61, 0, 1, 1), 0);
}

TEST(KpaZeroTest, ActivatorsHaveToBeInThePathForTheGracePeriod) {
  ZeroPool pool;
  EXPECT_EQ(pool.Tick(0, 1, 1, 1), 1);
  EXPECT_FALSE(pool.zero.proxied_since);
  pool.burst_fits = false;
  EXPECT_EQ(pool.Tick(50, 1, 1, 1), 1);
  EXPECT_EQ(pool.Tick(60, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(79, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(80, 0, 1, 1), 0);
}

TEST(KpaZeroTest, ABurstThatFitsAgainTakesActivatorsOutOfThePath) {
  ZeroPool pool;
  pool.burst_fits = false;
  (void)pool.Tick(0, 1, 1, 1);
  pool.burst_fits = true;
  (void)pool.Tick(50, 2, 2, 2);
  EXPECT_FALSE(pool.zero.proxied_since);
}

TEST(KpaZeroTest, TheRetentionPeriodCountsFromInactivityWhateverIsInThePath) {
  ZeroPool pool;
  pool.burst_fits = false;
  pool.options.scale_to_zero_pod_retention_period = seconds(20);
  (void)pool.Tick(0, 1, 1, 1);
  (void)pool.Tick(60, 0, 1, 1);
  EXPECT_EQ(pool.Tick(79, 0, 1, 1), 1);
  EXPECT_EQ(pool.Tick(80, 0, 1, 1), 0);
}

TEST(KpaZeroTest, NoDataLeavesThePathAsItIs) {
  ZeroPool pool;
  pool.burst_fits = false;
  (void)pool.Tick(0, 1, 1, 1);
  pool.burst_fits = true;
  (void)pool.Tick(10, std::nullopt, 1, 1);
  EXPECT_EQ(pool.zero.proxied_since, At(0));
}

TEST(KpaZeroTest, LoadDuringTheGraceMakesItActiveAgain) {
  ZeroPool pool;
  (void)pool.Tick(0, 1, 1, 1);
  (void)pool.Tick(60, 0, 1, 1);
  EXPECT_EQ(pool.Tick(70, 2, 1, 1), 2);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kActive);
  EXPECT_EQ(pool.Tick(129, 0, 2, 2), 1);  // active for 59 s
}

TEST(KpaZeroTest, WakesThroughActivating) {
  ZeroPool pool;
  EXPECT_EQ(pool.Tick(0, 0, 0, 0), 0);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kInactive);
  EXPECT_EQ(pool.Tick(100, 2, 0, 0), 2);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kActivating);
  EXPECT_EQ(pool.Tick(110, 0, 2, 0), 2);  // not before it was ready
  EXPECT_EQ(pool.Tick(120, std::nullopt, 2, 1), std::nullopt);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kActive);
}

TEST(KpaZeroTest, AnActivationWhoseLoadHasGoneEndsOnceThePoolIsReady) {
  ZeroPool pool;
  (void)pool.Tick(0, 2, 2, 0);
  EXPECT_EQ(pool.Tick(10, 0, 2, 0), 2);
  EXPECT_EQ(pool.Tick(20, 0, 2, 1), 2);  // nothing is known yet: it keeps its size
  EXPECT_EQ(pool.zero.activity, KpaActivity::kActive);
  EXPECT_EQ(pool.zero.since, At(20));
  EXPECT_EQ(pool.Tick(79, 0, 2, 1), 1);
  EXPECT_EQ(pool.Tick(80, 0, 1, 1), 1);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kInactive);
}

TEST(KpaZeroTest, GivesUpAnActivationAfterTheProgressDeadline) {
  ZeroPool pool;
  (void)pool.Tick(0, 2, 2, 0);
  EXPECT_EQ(pool.Tick(630, 0, 2, 0), 2);  // exactly 600 s and 30 s: not yet
  EXPECT_EQ(pool.Tick(631, 0, 2, 0), 0);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kInactive);
}

TEST(KpaZeroTest, SwitchedOffItLeavesOne) {
  ZeroPool pool;
  pool.options.enable_scale_to_zero = false;
  (void)pool.Tick(0, 1, 1, 1);
  EXPECT_EQ(pool.Tick(1000, 0, 1, 1), 1);
}

TEST(KpaZeroTest, NoDataMovesNothing) {
  ZeroPool pool;
  EXPECT_EQ(pool.Tick(0, std::nullopt, 3, 3), std::nullopt);
  EXPECT_EQ(pool.zero.activity, KpaActivity::kActive);
}

}  // namespace
}  // namespace tidegate::sizing
