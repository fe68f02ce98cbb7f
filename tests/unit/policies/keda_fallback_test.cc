// The policy `keda`, where triggers fail: its fallback, and formulas of several triggers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/sizing/keda.h"
#include "tests/testing/keda_pool.h"

namespace tidegate::sizing {
namespace {

using signals::Quality;
using ::testing::HasSubstr;
using testing::KedaComposed;
using testing::KedaPool;
using testing::Trigger;
using Pool = KedaPool;
using Composed = KedaComposed;

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

// As a poll that finds it active does.
TEST(KedaFallbackTest, TheCooldownBeginsWhenItEnds) {
  Falling pool(6);
  pool.options.cooldown_period = Duration(60'000);
  for (int second = 0; second <= 210; second += 30) EXPECT_EQ(pool.Tick(second).replicas, 6);
  for (int second = 240; second <= 270; second += 30) EXPECT_EQ(pool.Tick(second, 0), 1);
  EXPECT_EQ(pool.Tick(300, 0), 0);
}

TEST(KedaFallbackTest, FailuresBeforeThereWasOneDoNotCount) {
  Pool pool(6);
  pool.Fail();
  for (int second = 0; second < 300; second += 15) (void)pool.Tick(second);
  EXPECT_TRUE(pool.memory.health.empty());
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

// --- scaling modifiers ---------------------------------------------------------------------------

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

TEST(KedaFormulaTest, AFallbackPassesTheFormulaBy) {
  using enum KedaFallbackBehavior;
  for (const auto& [behavior, replicas] :
       {std::pair(kStatic, 8), std::pair(kCurrentIfLower, 8), std::pair(kCurrent, 10)}) {
    Composed pool(10, "a ?? b");
    pool.options.fallback = {1, 8, behavior};
    pool.FailA();
    EXPECT_EQ(pool.Tick(0).replicas, 10);
    EXPECT_EQ(pool.Tick(15).replicas, replicas);
  }
}

TEST(KedaFormulaTest, WithTheFallbackScalingModifiersAFailingTriggerIsNilAfterItsThreshold) {
  Composed pool(10, "a ?? b");
  pool.options.fallback = {1, 2, KedaFallbackBehavior::kScalingModifiers};
  pool.FailA();
  EXPECT_EQ(pool.Tick(0).replicas, 10);
  EXPECT_EQ(pool.Tick(15).replicas, 6);
}

TEST(KedaFormulaTest, AFormulaThatComesToNilIsTheFallback) {
  Composed pool(10, "a");
  pool.options.fallback = {0, 7, KedaFallbackBehavior::kScalingModifiers};
  pool.FailA();
  EXPECT_EQ(pool.Tick(0).replicas, 7);
}

// KEDA sets target * replicas, which the HPA multiplies by what is ready where it is a Value.
TEST(KedaFormulaTest, OfAValueThatComesToNilKedaDividesNothing) {
  for (const KedaCompat compat : {KedaCompat::kTidegate, KedaCompat::kKeda}) {
    Composed pool(4, "a");
    pool.options.compat = compat;
    pool.options.modifiers->type = KedaType::kValue;
    pool.options.fallback = {0, 6, KedaFallbackBehavior::kScalingModifiers};
    pool.FailA();
    (void)pool.Tick(0);
    EXPECT_EQ(pool.sizing.proposals.at(0).replicas, compat == KedaCompat::kKeda ? 24 : 6);
  }
}

TEST(KedaFormulaTest, TheFallbackIsOfTheModifiersTypeAndNotTheTriggers) {
  Composed value(4, "a + b");
  value.options.modifiers->type = KedaType::kValue;
  value.options.fallback = {0, 8, KedaFallbackBehavior::kStatic};
  value.FailA();
  EXPECT_EQ(value.Tick(0).replicas, 8);
  Composed empty(0, "a + b");
  empty.options = value.options;
  empty.FailA();
  EXPECT_EQ(empty.Tick(0).replicas, 0);  // a Value needs one that is ready
  Composed average(0, "a + b");
  average.options.triggers[0].type = KedaType::kValue;
  average.options.fallback = value.options.fallback;
  average.FailA();
  EXPECT_EQ(average.Tick(0).replicas, 1);
}

TEST(KedaFormulaTest, OneTriggerThatFallsBackIsEnoughThoughAnotherFails) {
  Composed pool(10, "a + b");
  pool.options.fallback = {2, 4, KedaFallbackBehavior::kCurrentIfLower};
  pool.FailB();
  for (const int second : {0, 15}) EXPECT_EQ(pool.Tick(second).replicas, 10);
  pool.FailA();
  EXPECT_EQ(pool.Tick(30).replicas, 4);  // b's fallback; a has failed once
}

TEST(KedaFormulaTest, AFallbackBelowTheActivationTargetRestsKedasPoolAndNotOurs) {
  for (const KedaCompat compat : {KedaCompat::kTidegate, KedaCompat::kKeda}) {
    Composed pool(6, "a + b");
    pool.options.compat = compat;
    pool.options.cooldown_period = Duration(30'000);
    pool.options.modifiers->activation_target = 70;
    pool.options.fallback = {0, 6, KedaFallbackBehavior::kStatic};
    EXPECT_EQ(pool.Tick(0).replicas, 9);
    pool.FailA();
    for (int second = 30; second <= 90; second += 30) (void)pool.Tick(second);
    EXPECT_EQ(pool.current, compat == KedaCompat::kKeda ? 0 : 6);
  }
}

TEST(KedaFormulaTest, ResultsAreWholeThousandths) {
  Composed pool(0, "a / 100000");
  EXPECT_EQ(pool.Tick(0).replicas, 0);
  Composed more(0, "a / 30000");
  EXPECT_EQ(more.Tick(0).replicas, 1);
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

}  // namespace
}  // namespace tidegate::sizing
