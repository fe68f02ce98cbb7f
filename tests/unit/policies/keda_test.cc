// The policy `keda`: triggers, activation, idle, cooldown, cron windows and what is checked, with
// the guards that belong to it. Fallback and formulas: keda_fallback_test.cc.
#include "policies/sizing/keda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/keda_pool.h"

namespace tidegate::sizing {
namespace {

using signals::Quality;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::KedaAt;
using testing::KedaPool;
using testing::Resolve;
using testing::Trigger;
using testing::Window;
using Pool = KedaPool;

// --- activation ----------------------------------------------------------------------------------

TEST(KedaActivationTest, AnActiveTriggerTakesThePoolFromZeroToItsMinimumAtOnce) {
  Pool pool(0);
  EXPECT_EQ(pool.Tick(0, 0), 0);
  EXPECT_EQ(pool.Tick(30, 500), 1);  // at least 1, and the HPA does the rest
  EXPECT_EQ(pool.Tick(45, 500), 5);
  Pool more(0);
  more.options.min_replica_count = 3;
  EXPECT_EQ(more.Tick(0, 500), 3);
}

TEST(KedaActivationTest, TheThresholdItselfIsNotActive) {
  Pool pool(0);
  pool.options.triggers = {Trigger("queue")};
  pool.options.triggers[0].activation_threshold = 5;
  EXPECT_EQ(pool.Tick(0, 5), 0);
  EXPECT_EQ(pool.Tick(30, 5.001), 1);
}

TEST(KedaActivationTest, TheOperatorLooksOncePerPollingInterval) {
  Pool pool(0);
  EXPECT_EQ(pool.Tick(0, 0), 0);
  EXPECT_EQ(pool.Tick(29, 500), 0);
  EXPECT_EQ(pool.Tick(30, 500), 1);
}

TEST(KedaActivationTest, BelowItsThresholdNothingIsProposedThatWouldOutweighTheWayToZero) {
  Pool pool(4);
  pool.options.triggers = {Trigger("queue")};
  pool.options.triggers[0].activation_threshold = 50;
  EXPECT_EQ(pool.Tick(0, 40), 4);
  EXPECT_EQ(pool.Tick(30, 40), 0);
  EXPECT_THAT(pool.sizing.why, HasSubstr("nothing has been active since"));
}

TEST(KedaActivationTest, OneActiveTriggerKeepsThePool) {
  Pool pool(2);
  pool.targets.push_back({"orders", 10});
  pool.readings.push_back({"orders", Quality::kOk, 1, {}, 0, 0, ""});
  for (int second = 0; second < 600; second += 30) EXPECT_EQ(pool.Tick(second, 20), 2);
  for (int second = 600; second < 1200; second += 30) EXPECT_GE(pool.Tick(second, 0), 1);
}

// --- cooldown and idle ---------------------------------------------------------------------------

TEST(KedaCooldownTest, ThePoolRestsOnceTheCooldownIsOver) {
  Pool pool(1);
  EXPECT_EQ(pool.Tick(0, 5), 1);
  for (int second = 30; second <= 300; second += 30) EXPECT_EQ(pool.Tick(second, 0), 1) << second;
  EXPECT_EQ(pool.Tick(330, 0), 0);  // strictly later than last active + 300 s
}

TEST(KedaCooldownTest, ActivityBeginsItAnew) {
  Pool pool(1);
  EXPECT_EQ(pool.Tick(0, 5), 1);
  EXPECT_EQ(pool.Tick(240, 5), 1);
  EXPECT_EQ(pool.Tick(540, 0), 1);
  EXPECT_EQ(pool.Tick(570, 0), 0);
}

TEST(KedaCooldownTest, APoolThatWasNeverActiveWaitsForTheInitialOne) {
  Pool pool(1);
  pool.options.initial_cooldown_period = Duration(60'000);
  EXPECT_EQ(pool.Tick(0, 0), 1);
  EXPECT_EQ(pool.Tick(60, 0), 1);
  EXPECT_EQ(pool.Tick(90, 0), 0);
}

TEST(KedaCooldownTest, WithAMinimumThePoolNeverGoesToZero) {
  Pool pool(5);
  pool.options.min_replica_count = 2;
  (void)pool.Tick(0, 50);
  for (int second = 30; second <= 900; second += 30) EXPECT_GE(pool.Tick(second, 0), 2);
  EXPECT_EQ(pool.current, 2);
}

TEST(KedaIdleTest, ThePoolIdlesBelowItsMinimumAndComesBackToIt) {
  Pool pool(4);
  pool.options.min_replica_count = 3;
  pool.options.idle_replica_count = 1;
  pool.options.cooldown_period = Duration(60'000);
  EXPECT_EQ(pool.Tick(0, 40), 4);
  EXPECT_EQ(pool.Tick(30, 0), 3);
  EXPECT_EQ(pool.Tick(60, 0), 3);
  EXPECT_EQ(pool.Tick(90, 0), 1);
  EXPECT_EQ(pool.Tick(105, 0), 1);  // and the HPA does not lift it
  EXPECT_EQ(pool.Tick(120, 20), 3);
}

TEST(KedaIdleTest, AFailureWithAFallbackOfNoneDoesNotKeepThePoolFromItsMinimum) {
  Pool pool(0);
  pool.options.min_replica_count = 3;
  pool.options.fallback = {3, 0, KedaFallbackBehavior::kStatic};
  pool.Fail();
  EXPECT_EQ(pool.Tick(0).replicas, 3);
}

// --- pauses --------------------------------------------------------------------------------------

TEST(KedaPauseTest, ScaleInStopsTheWayToZeroToo) {
  Pool pool(6);
  pool.options.cooldown_period = Duration(0);
  pool.options.paused_scale_in = true;
  for (int second = 0; second < 300; second += 30) EXPECT_EQ(pool.Tick(second, 0), 6);
  EXPECT_EQ(pool.sizing.proposals.at(0).note, "1, but pausedScaleIn is set");
  EXPECT_EQ(pool.Tick(300, 90), 9);
}

TEST(KedaPauseTest, ScaleOutStopsTheWayFromZeroToo) {
  Pool pool(0);
  pool.options.paused_scale_out = true;
  for (int second = 0; second < 300; second += 30) EXPECT_EQ(pool.Tick(second, 90), 0);
  Pool running(3);
  running.options.paused_scale_out = true;
  EXPECT_EQ(running.Tick(0, 90), 3);
  EXPECT_EQ(running.Tick(30, 20), 2);
}

TEST(KedaIdleTest, ASizeBelowTheMinimumWithoutIdleIsLifted) {
  Pool pool(1);
  pool.options.min_replica_count = 3;
  EXPECT_EQ(pool.Tick(0, 0), 3);
}

// --- what is missing -----------------------------------------------------------------------------

TEST(KedaCompatTest, AbsenceIsNotZeroUnlessKedasRuleIsAskedFor) {
  for (const Quality quality : {Quality::kEmpty, Quality::kNaN}) {
    Pool ours(6);
    (void)ours.Tick(0, 60);
    ours.Fail(quality);
    for (int second = 15; second < 900; second += 15) EXPECT_EQ(ours.Tick(second).replicas, 6);
    Pool theirs(6);
    theirs.options.compat = KedaCompat::kKeda;
    (void)theirs.Tick(0, 60);
    theirs.Fail(quality);
    EXPECT_EQ(theirs.Tick(15).replicas, 1);
    for (int second = 30; second < 900; second += 15) (void)theirs.Tick(second);
    EXPECT_EQ(theirs.current, 0);
  }
}

TEST(KedaCompatTest, KedaToldNotToIgnoreNullValuesFails) {
  Pool pool(6);
  pool.options.compat = KedaCompat::kKeda;
  pool.options.triggers = {Trigger("queue")};
  pool.options.triggers[0].ignore_null_values = false;
  pool.Fail(Quality::kEmpty);
  EXPECT_EQ(pool.Tick(0).replicas, 6);
  pool.options.triggers[0].ignore_null_values = true;
  pool.Fail(Quality::kError);  // an error is one for KEDA as well
  EXPECT_EQ(pool.Tick(15).replicas, 6);
}

TEST(KedaCompatTest, ANegativeValueIsNoDemandForKedaWhateverTheSwitchAndAFailureForUs) {
  for (const bool ignore : {true, false}) {
    Pool theirs(6);
    theirs.options.compat = KedaCompat::kKeda;
    theirs.options.triggers = {Trigger("queue")};
    theirs.options.triggers[0].ignore_null_values = ignore;
    EXPECT_EQ(theirs.Tick(0, -1), 1);
  }
  EXPECT_EQ(Pool(6).Tick(0, -1), 6);
}

TEST(KedaCompatTest, OldAndPartialSamplesShrinkAPoolOfKedasOnly) {
  for (const KedaCompat compat : {KedaCompat::kTidegate, KedaCompat::kKeda}) {
    const Replicas expected = compat == KedaCompat::kKeda ? 2 : 6;
    Pool pool(6);
    pool.options.compat = compat;
    pool.readings[0] = {"queue", Quality::kPartial, 20, {}, 2, 6, ""};
    EXPECT_EQ(pool.Tick(0).replicas, expected);
    Pool stale(6);
    stale.options.compat = compat;
    stale.readings[0] = {"queue", Quality::kStale, 0, Duration(90'000), 0, 0, ""};
    stale.readings[0].last = 20;
    EXPECT_EQ(stale.Tick(0).replicas, expected);
  }
}

TEST(KedaCompatTest, APartialSumBelowTheThresholdDoesNotSendAPoolToZero) {
  Pool pool(1);
  (void)pool.Tick(0, 5);
  pool.readings[0] = {"queue", Quality::kPartial, 0, {}, 0, 1, ""};
  for (int second = 30; second < 900; second += 30) EXPECT_EQ(pool.Tick(second).replicas, 1);
}

// --- cron ----------------------------------------------------------------------------------------

// Seconds from KedaAt(0), which is 2027-01-15 08:00:00 UTC, to a time of that day.
constexpr int Of(int hour, int minute, int second = 0) {
  return (hour - 8) * 3600 + minute * 60 + second;
}

TEST(KedaCronTest, IsAFloorFromItsStartUntilJustBeforeItsEnd) {
  ASSERT_EQ(FormatInstant(KedaAt(0)), "2027-01-15T08:00:00Z");
  Pool pool(2);
  pool.options.cron = {Window("day", "0 9 * * *", "0 10 * * *", 8)};
  Resolve(pool.options);
  EXPECT_EQ(pool.Tick(Of(8, 59, 59), 20), 2);
  EXPECT_EQ(pool.Tick(Of(9, 0), 20), 6);  // 4 at once, by the rate limit
  EXPECT_EQ(pool.Tick(Of(9, 1), 20), 8);
  EXPECT_EQ(pool.Tick(Of(9, 30), 200), 16);  // a floor and no ceiling: 20, by the rate limit
  EXPECT_EQ(pool.Tick(Of(9, 59, 59), 20), 8);
  EXPECT_EQ(pool.Tick(Of(10, 0), 20), 2);
}

TEST(KedaCronTest, WakesAPoolAndKeepsItActive) {
  Pool pool(0);
  pool.targets.clear();
  pool.readings.clear();
  pool.options.cron = {Window("day", "0 9 * * *", "0 10 * * *", 8)};
  Resolve(pool.options);
  EXPECT_EQ(pool.Tick(Of(8, 59)).replicas, 0);
  EXPECT_EQ(pool.Tick(Of(9, 0)).replicas, 1);
  EXPECT_EQ(pool.Tick(Of(9, 0, 30)).replicas, 5);
  EXPECT_EQ(pool.Tick(Of(9, 1)).replicas, 8);
  EXPECT_EQ(pool.Tick(Of(9, 59, 30)).replicas, 8);
  EXPECT_EQ(pool.Tick(Of(10, 0)).replicas, 1);  // it was active until just now
  EXPECT_EQ(pool.Tick(Of(10, 5)).replicas, 0);
}

// 15 January 2027 is a Friday.
TEST(KedaCronTest, MoreEndsThanStartsDoNotKeepOursOpen) {
  for (const KedaCompat compat : {KedaCompat::kTidegate, KedaCompat::kKeda}) {
    Pool pool(2);
    pool.options.compat = compat;
    pool.options.cron = {Window("work", "0 8 * * 1-5", "0 20 * * *", 9)};
    Resolve(pool.options);
    (void)pool.Tick(Of(12 + 24, 0), 20);
    const Replicas saturday = pool.sizing.proposals.back().replicas.value_or(-1);
    EXPECT_EQ(saturday, compat == KedaCompat::kKeda ? 9 : 1);
  }
}

TEST(KedaCronTest, AStartWithTheEndIsWithinForKeda) {
  Pool pool(2);
  pool.options.compat = KedaCompat::kKeda;
  pool.options.cron = {Window("ever", "0 9 * * *", "0 9 * * 0-6", 9)};
  Resolve(pool.options);
  (void)pool.Tick(Of(12, 0), 20);
  EXPECT_EQ(pool.sizing.proposals.back().replicas, 9);
}

TEST(KedaCronTest, UnresolvedTimesAreAFailingTriggerAndNotTheirAbsence) {
  Pool pool(5);
  pool.options.cron = {Window("day", "0 9 * * *", "0 10 * * *", 8)};
  EXPECT_EQ(pool.Tick(Of(9, 0), 10), 5);
}

// --- checks --------------------------------------------------------------------------------------

TEST(KedaCheckTest, EverythingThatIsWrongIsSaid) {
  KedaOptions options;
  options.min_replica_count = 1;
  options.idle_replica_count = 1;
  options.triggers = {Trigger("gone", "x", 1), Trigger("bare", "x")};
  options.cron = {Window("day", "0 25 * * *", "0 10 * * *", 8),
                  Window("same", "0 9 * * *", "0 9 * * *", 8)};
  const std::vector<SignalTarget> targets{{"queue", 10}, {"bare", {}}};
  std::vector<std::string> said;
  for (const OptionProblem& problem : Keda::Check(options, targets)) {
    said.push_back(problem.field + ": " + problem.message);
  }
  EXPECT_THAT(said, ElementsAre("idleReplicaCount: expected less than minReplicaCount, which is 1",
                                "triggers[0].signal: no signal is called gone",
                                "triggers[1].name: another trigger is called x too",
                                "triggers[1].target: neither it nor its signal has a target",
                                HasSubstr("cron[0].start: hour: 25"),
                                "cron[1].end: is the same as start: it is never over"));
}

TEST(KedaCheckTest, ATriggerIsNotCalledLikeASignalThatIsOneByItself) {
  KedaOptions options;
  options.triggers = {Trigger("queue", "rps")};
  const std::vector<SignalTarget> targets{{"queue", 10}, {"rps", 5}};
  const auto problems = Keda::Check(options, targets);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, "triggers[0].name");
  EXPECT_EQ(problems[0].message, "another trigger is called rps too");
}

TEST(KedaCheckTest, SomethingHasToBeATrigger) {
  const std::vector<SignalTarget> targets{{"queue", {}}};
  const auto problems = Keda::Check({}, targets);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "there is none: no trigger, no cron and no signal with a target");
}

TEST(KedaCheckTest, TheFallbackScalingModifiersNeedsSome) {
  KedaOptions options;
  options.fallback = {3, 2, KedaFallbackBehavior::kScalingModifiers};
  const std::vector<SignalTarget> targets{{"queue", 10}};
  ASSERT_EQ(Keda::Check(options, targets).size(), 1u);
  options.modifiers = {"queue", 10, 0, KedaType::kAverageValue};
  EXPECT_TRUE(Keda::Check(options, targets).empty());
}

TEST(KedaCheckTest, AFormulaIsReadAndItsNamesAreTriggers) {
  KedaOptions options;
  options.triggers = {Trigger("queue", "q")};
  const std::vector<SignalTarget> targets{{"queue", 10}, {"rps", 5}};
  options.modifiers = {"q + rps + queue", 1, 0, KedaType::kAverageValue};
  EXPECT_THAT(Keda::Check(options, targets).at(0).message,
              "no trigger is called queue; there are rps, q");
  options.modifiers->formula = "q +";
  EXPECT_THAT(Keda::Check(options, targets).at(0).message, HasSubstr("character 4"));
  options.modifiers->formula = "max(q, rps)";
  EXPECT_TRUE(Keda::Check(options, targets).empty());
}

}  // namespace
}  // namespace tidegate::sizing
