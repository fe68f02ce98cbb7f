// The policy `keda`: triggers, activation, idle, cooldown, fallback, cron and formulas, with the
// guards that belong to it.
#include "policies/sizing/keda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/ready_pool.h"

namespace tidegate::sizing {
namespace {

using guards::Desired;
using guards::Reason;
using signals::Quality;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }

KedaTrigger Trigger(std::string signal, std::string name = {}, std::optional<double> target = {},
                    KedaType type = KedaType::kAverageValue) {
  KedaTrigger trigger;
  trigger.signal = std::move(signal);
  trigger.name = std::move(name);
  trigger.target = target;
  trigger.type = type;
  return trigger;
}

// Its windows are switched off.
struct Pool : testing::ReadyPool {
  KedaOptions options;
  KedaMemory memory;
  Sizing sizing;

  explicit Pool(Replicas size) {
    targets = {{"queue", 10}};
    readings = {{"queue", Quality::kOk, 0, {}, 0, 0, ""}};
    current = size;
    guards.min = 0;
    guards.max = 100;
    guards.behavior_written = true;
    guards.guarding = Keda::kGuardingWithBehavior;
    guards.behavior.down.stabilization_window = Duration(0);
  }
  void Fail(Quality quality = Quality::kError) {
    readings[0] = {"queue", quality, 0, {}, 0, 0, "gone"};
  }
  Desired Tick(int second) {
    sizing =
        Propose(At(second), [&](const Input& input) { return Keda::Size(input, options, memory); });
    return Take(sizing, At(second));
  }
  Replicas Tick(int second, double value) {
    readings[0] = {"queue", Quality::kOk, value, {}, 0, 0, ""};
    return Tick(second).replicas;
  }
};

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

TEST(KedaIdleTest, ASizeBelowTheMinimumWithoutIdleIsLifted) {
  Pool pool(1);
  pool.options.min_replica_count = 3;
  EXPECT_EQ(pool.Tick(0, 0), 3);
}

// --- fallback ------------------------------------------------------------------------------------

struct Falling : Pool {
  explicit Falling(Replicas size, KedaFallbackBehavior behavior = KedaFallbackBehavior::kStatic)
      : Pool(size) {
    options.fallback = {3, 6, behavior};
    Fail();
  }
  Replicas After(int failures) {
    for (int i = 0; i < failures; ++i) (void)Tick(15 * i);
    return current;
  }
};

TEST(KedaFallbackTest, AtTheThresholdItselfThePoolIsHeld) {
  EXPECT_EQ(Falling(10).After(3), 10);
  Falling pool(10);
  EXPECT_EQ(pool.After(4), 6);
  EXPECT_EQ(pool.sizing.proposals.at(0).quality, Quality::kOk);
  EXPECT_THAT(pool.sizing.proposals.at(0).note,
              HasSubstr("queue has failed more than 3 times: static 6"));
}

TEST(KedaFallbackTest, OneGoodAnswerBeginsTheCountAnew) {
  Falling pool(10);
  EXPECT_EQ(pool.After(3), 10);
  EXPECT_EQ(pool.Tick(45, 100), 10);
  EXPECT_TRUE(pool.memory.health.empty());
  pool.Fail();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.Tick(60 + 15 * i).replicas, 10);
  EXPECT_EQ(pool.Tick(105).replicas, 6);
}

TEST(KedaFallbackTest, EveryBehavior) {
  using enum KedaFallbackBehavior;
  EXPECT_EQ(Falling(10, kCurrent).After(4), 10);
  EXPECT_EQ(Falling(10, kCurrentIfHigher).After(4), 10);
  EXPECT_EQ(Falling(4, kCurrentIfHigher).After(4), 6);
  EXPECT_EQ(Falling(10, kCurrentIfLower).After(4), 6);
  EXPECT_EQ(Falling(4, kCurrentIfLower).After(4), 4);
}

TEST(KedaFallbackTest, OtherTriggersCountBesideIt) {
  Falling pool(10);
  pool.targets.push_back({"orders", 10});
  pool.readings.push_back({"orders", Quality::kOk, 80, {}, 0, 0, ""});
  EXPECT_EQ(pool.After(4), 8);
}

TEST(KedaFallbackTest, OfAValueItNeedsAReadyReplica) {
  Falling pool(10);
  pool.options.triggers = {Trigger("queue", "", {}, KedaType::kValue)};
  EXPECT_EQ(pool.After(4), 6);  // target * 6 / 10, times 10
  Falling empty(0);
  empty.options.triggers = pool.options.triggers;
  EXPECT_EQ(empty.After(6), 0);
}

TEST(KedaFallbackTest, ItKeepsThePoolActive) {
  Falling pool(6);
  pool.options.cooldown_period = Duration(30'000);
  for (int second = 0; second < 1'200; second += 15) EXPECT_EQ(pool.Tick(second).replicas, 6);
}

TEST(KedaFallbackTest, WithoutOneAFailingTriggerLeavesThePoolAlone) {
  Pool pool(6);
  (void)pool.Tick(0, 60);
  pool.Fail();
  for (int second = 15; second < 1'200; second += 15) EXPECT_EQ(pool.Tick(second).replicas, 6);
}

TEST(KedaFallbackTest, KedaCountsInBothItsLoops) {
  Falling ours(10);
  EXPECT_EQ(ours.After(2), 10);
  EXPECT_EQ(ours.memory.health.at(0).failures, 2);
  Falling theirs(10);
  theirs.options.compat = KedaCompat::kKeda;
  EXPECT_EQ(theirs.After(2), 10);
  EXPECT_EQ(theirs.memory.health.at(0).failures, 3);  // one look of the operator's among them
  EXPECT_EQ(theirs.Tick(30).replicas, 6);
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

KedaCron Window(std::string name, std::string start, std::string end, Replicas replicas) {
  return {std::move(name), "UTC", std::move(start), std::move(end), replicas};
}
void Resolve(KedaOptions& options) {
  for (const KedaCron& cron : options.cron) {
    options.resolved.push_back({Zone{}, *ParseCron(cron.start), *ParseCron(cron.end)});
  }
}
// Seconds from At(0), which is 2027-01-15 08:00:00 UTC, to a time of that day.
constexpr int Of(int hour, int minute, int second = 0) {
  return (hour - 8) * 3600 + minute * 60 + second;
}

TEST(KedaCronTest, IsAFloorFromItsStartUntilJustBeforeItsEnd) {
  ASSERT_EQ(FormatInstant(At(0)), "2027-01-15T08:00:00Z");
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

TEST(KedaCronTest, UnresolvedTimesAreAFailingTriggerAndNotTheirAbsence) {
  Pool pool(5);
  pool.options.cron = {Window("day", "0 9 * * *", "0 10 * * *", 8)};
  EXPECT_EQ(pool.Tick(Of(9, 0), 10), 5);
}

// --- scaling modifiers ---------------------------------------------------------------------------

struct Composed : Pool {
  explicit Composed(Replicas size, std::string formula) : Pool(size) {
    targets = {{"a", {}}, {"b", {}}};
    readings = {{"a", Quality::kOk, 30, {}, 0, 0, ""}, {"b", Quality::kOk, 60, {}, 0, 0, ""}};
    options.triggers = {Trigger("a"), Trigger("b")};
    options.modifiers = {std::move(formula), 10, 0, KedaType::kAverageValue};
  }
  void FailA() { readings[0] = {"a", Quality::kError, 0, {}, 0, 0, "gone"}; }
};

TEST(KedaFormulaTest, OneMetricTakesThePlaceOfAllTriggers) {
  Composed pool(5, "(a + b) / 2");
  EXPECT_EQ(pool.Tick(0).replicas, 5);  // 45 of 10: 4.5, within tolerance of 5
  Composed larger(3, "(a + b) / 2");
  EXPECT_EQ(larger.Tick(0).replicas, 5);
  ASSERT_EQ(larger.sizing.proposals.size(), 1u);
  EXPECT_EQ(larger.sizing.proposals[0].source, "composite-metric");
}

TEST(KedaFormulaTest, ActivityIsTheResultsAndNotTheTriggers) {
  Composed pool(0, "a - 30");
  EXPECT_EQ(pool.Tick(0).replicas, 0);
  pool.readings[0].value = 31;
  EXPECT_EQ(pool.Tick(30).replicas, 1);
  Composed above(0, "a");
  above.options.modifiers->activation_target = 30;
  EXPECT_EQ(above.Tick(0).replicas, 0);
}

TEST(KedaFormulaTest, WithAStaticFallbackAFailingTriggerIsNilAfterItsThreshold) {
  Composed pool(10, "a ?? b");
  pool.options.fallback = {1, 2, KedaFallbackBehavior::kStatic};
  pool.FailA();
  EXPECT_EQ(pool.Tick(0).replicas, 10);
  EXPECT_EQ(pool.Tick(15).replicas, 6);
}

TEST(KedaFormulaTest, AFormulaThatComesToNilIsTheFallback) {
  Composed pool(10, "a");
  pool.options.fallback = {0, 7, KedaFallbackBehavior::kStatic};
  pool.FailA();
  EXPECT_EQ(pool.Tick(0).replicas, 7);
}

TEST(KedaFormulaTest, OtherBehaviorsPassTheFormulaBy) {
  Composed pool(10, "a ?? b");
  pool.options.fallback = {0, 8, KedaFallbackBehavior::kCurrentIfLower};
  pool.FailA();
  EXPECT_EQ(pool.Tick(0).replicas, 8);
}

TEST(KedaFormulaTest, WithoutAFallbackNilIsOursAndAFailureKedas) {
  Composed ours(10, "a ?? b");
  ours.FailA();
  EXPECT_EQ(ours.Tick(0).replicas, 6);
  Composed theirs(10, "a ?? b");
  theirs.options.compat = KedaCompat::kKeda;
  theirs.FailA();
  EXPECT_EQ(theirs.Tick(0).replicas, 10);
  Composed calculating(10, "a + b");
  calculating.FailA();
  EXPECT_EQ(calculating.Tick(0).replicas, 10);
  EXPECT_EQ(calculating.sizing.proposals.at(0).note,
            "it calculates with a signal that has no value");
}

TEST(KedaFormulaTest, ANegativeResultIsNoDemand) {
  Composed pool(3, "a - b");
  (void)pool.Tick(0);
  EXPECT_EQ(pool.sizing.proposals.at(0).value, 0);
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

TEST(KedaCheckTest, AFormulaIsReadAndItsNamesAreTriggers) {
  KedaOptions options;
  options.triggers = {Trigger("queue", "q")};
  const std::vector<SignalTarget> targets{{"queue", 10}, {"rps", 5}};
  options.modifiers = {"q + rps + queue", 1, 0, KedaType::kAverageValue};
  EXPECT_THAT(Keda::Check(options, targets).at(0).message,
              "no trigger is called queue; there are q, rps");
  options.modifiers->formula = "q +";
  EXPECT_THAT(Keda::Check(options, targets).at(0).message, HasSubstr("character 4"));
  options.modifiers->formula = "max(q, rps)";
  EXPECT_TRUE(Keda::Check(options, targets).empty());
}

}  // namespace
}  // namespace tidegate::sizing
