// The policy `hpa`: from readings to an HPA's decision, with the guards that belong to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/sizing/hpa.h"
#include "tests/testing/ready_pool.h"

namespace tidegate::sizing {
namespace {

using guards::Desired;
using guards::Reason;
using signals::Quality;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }

// One replica takes 10.
struct Pool : testing::ReadyPool {
  HpaOptions options;

  explicit Pool(Replicas size) {
    targets = {{"rps", 10}};
    readings = {{"rps", Quality::kOk, 0, {}, 0, 0, ""}};
    current = size;
    guards.min = 1;
    guards.max = 1'000;
    WithBehavior(true);
  }
  void WithBehavior(bool written) {
    guards.behavior_written = written;
    guards.guarding = written ? Hpa::kGuardingWithBehavior : Hpa::kGuarding;
  }
  Sizing Size(int second) const {
    return Propose(At(second), [&](const Input& input) {
      NoFields none;
      return Hpa::Size(input, options, none);
    });
  }
  Desired Tick(int second) { return Take(Size(second), At(second)); }
  // With demand for so many replicas.
  Desired Tick(int second, Replicas demand) {
    readings[0].value = 10.0 * demand;
    return Tick(second);
  }
  std::vector<Replicas> Ladder(Replicas demand, int ticks) {
    std::vector<Replicas> sizes;
    for (int i = 0; i < ticks; ++i) sizes.push_back(Tick(15 * i, demand).replicas);
    return sizes;
  }
};

HpaMetric Metric(std::string signal, HpaType type, std::optional<double> target = {},
                 std::optional<double> request = {}) {
  return {std::move(signal), type, target, request};
}

// --- several metrics -----------------------------------------------------------------------------

struct TwoMetrics : Pool {
  explicit TwoMetrics(Replicas size) : Pool(size) {
    targets.push_back({"inflight", 10});
    readings.push_back({"inflight", Quality::kOk, 0, {}, 0, 0, ""});
    guards.behavior.down.stabilization_window = Duration(0);
  }
  Desired Tick(Replicas one, std::optional<Replicas> other) {
    readings[0].value = 10.0 * one;
    readings[1].quality = other ? Quality::kOk : Quality::kError;
    readings[1].value = other ? 10.0 * *other : 0;
    return Pool::Tick(0);
  }
};

TEST(HpaPolicyTest, TheLargestOfAllMetricsCounts) {
  EXPECT_EQ(TwoMetrics(10).Tick(12, 15).replicas, 15);
  EXPECT_EQ(TwoMetrics(10).Tick(4, 6).replicas, 6);
}

TEST(HpaPolicyTest, AFailingMetricBlocksShrinksButNotGrowth) {
  EXPECT_EQ(TwoMetrics(10).Tick(15, std::nullopt).replicas, 15);
  const Desired held = TwoMetrics(10).Tick(4, std::nullopt);
  EXPECT_EQ(held.replicas, 10);
  EXPECT_EQ(held.reason, Reason::kSamplesNotOk);
}

// The HPA holds where the others come to less than the size; where they come to just that, it has
// a recommendation as any other.
TEST(HpaPolicyTest, AFailingMetricBesideOneThatAsksForTheSizeIsNoHold) {
  TwoMetrics pool(10);
  pool.guards.behavior.down.stabilization_window = Duration(60'000);
  const Desired kept = pool.Tick(10, std::nullopt);
  EXPECT_EQ(kept.replicas, 10);
  EXPECT_EQ(kept.reason, Reason::kDesiredWithinRange);
  EXPECT_EQ(pool.guard_memory.recommendations.back(), (guards::Recommendation{At(0), 10}));
}

TEST(HpaPolicyTest, WhereAllMetricsFailNothingIsRecommended) {
  Pool pool(10);
  (void)pool.Tick(0, 20);
  const auto before = pool.guard_memory.recommendations;
  pool.readings[0].quality = Quality::kError;
  EXPECT_EQ(pool.Tick(15).replicas, 20);
  EXPECT_EQ(pool.guard_memory.recommendations, before);
}

// --- readings ------------------------------------------------------------------------------------

TEST(HpaPolicyTest, PartialAndStaleReadingsAreTakenAsTheyAre) {
  Pool pool(10);
  pool.readings[0] = {"rps", Quality::kPartial, 40, {}, 4, 10, "4 of 10"};
  Proposal proposal = pool.Size(0).proposals.at(0);
  EXPECT_EQ(proposal.replicas, 4);
  EXPECT_EQ(proposal.quality, Quality::kOk);
  EXPECT_THAT(proposal.note, HasSubstr("partial, and taken as it is"));
  pool.readings[0] = {"rps", Quality::kStale, 0, Duration(90'000), 4, 10, "old"};
  EXPECT_FALSE(pool.Size(0).proposals.at(0).replicas);
  pool.readings[0].last = 40;
  proposal = pool.Size(0).proposals.at(0);
  EXPECT_EQ(proposal.replicas, 4);
  EXPECT_EQ(proposal.value, 40);
  EXPECT_EQ(proposal.quality, Quality::kOk);
}

TEST(HpaPolicyTest, NoAnswerIsAFailingMetricAndNeverZero) {
  for (const Quality quality : {Quality::kEmpty, Quality::kNaN, Quality::kError}) {
    Pool pool(10);
    pool.readings[0] = {"rps", quality, 0, {}, 0, 0, "gone"};
    EXPECT_EQ(pool.Tick(0).replicas, 10);
    EXPECT_FALSE(pool.Size(0).proposals.at(0).replicas);
    EXPECT_EQ(pool.Size(0).proposals.at(0).note, "gone");
  }
  Pool unread(10);
  unread.readings.clear();
  EXPECT_EQ(unread.Tick(0).replicas, 10);
  Pool wild(10);
  wild.readings[0].value = -3;
  EXPECT_EQ(wild.Size(0).proposals.at(0).quality, Quality::kNaN);
}

TEST(HpaPolicyTest, MissingReplicasAreFilledInAndTheProposalIsAGoodOne) {
  Pool pool(4);
  pool.options.metrics = {Metric("rps", HpaType::kPods)};
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.readings[0] = {"rps", Quality::kPartial, 6, {}, 3, 4, ""};
  pool.readings[0].each = {{"", 2, {}}};  // the views of this pool have no names
  const Proposal proposal = pool.Size(0).proposals.at(0);
  EXPECT_EQ(proposal.quality, Quality::kOk);
  EXPECT_EQ(proposal.replicas, 4);  // (2 + 3 * 10) / 4 = 8: 0.8 * 4
  EXPECT_THAT(proposal.note, HasSubstr("with missing and unready replicas filled in"));
}

TEST(HpaPolicyTest, AMetricOfReplicasWithoutTheirValuesFails) {
  Pool pool(4);
  pool.options.metrics = {Metric("rps", HpaType::kPods)};
  EXPECT_EQ(pool.Size(0).proposals.at(0).quality, Quality::kError);
  EXPECT_TRUE(Hpa::EachReplica(pool.options, "rps"));
  EXPECT_FALSE(Hpa::EachReplica(pool.options, "other"));
  EXPECT_FALSE(Hpa::EachReplica({}, "rps"));
}

// What is left of a pool of 4: replicas, and a sample of one that is gone.
Desired LeftOver(HpaMetric metric, std::span<const signals::ReplicaView> replicas) {
  Pool pool(4);
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.options.metrics = {std::move(metric)};
  pool.readings[0].each = {{"gone-1", 0.4, {}}};
  Input input;
  input.now = At(0);
  input.current = 4;
  input.min = 1;
  input.targets = pool.targets;
  input.readings = pool.readings;
  input.replicas = replicas;
  NoFields none;
  return pool.Take(Hpa::Size(input, pool.options, none), At(0));
}

TEST(HpaPolicyTest, ASampleLeftOfAFleetWithoutReplicasHoldsThePool) {
  const Desired held = LeftOver(Metric("rps", HpaType::kPods, 0.5), {});
  EXPECT_EQ(held.replicas, 4);
  EXPECT_EQ(held.reason, Reason::kSamplesNotOk);
}

TEST(HpaPolicyTest, AUtilizationOfDrainingReplicasAndOneThatIsGoneHoldsThePool) {
  std::vector<signals::ReplicaView> draining(2);
  for (auto& view : draining) view.phase = signals::Phase::kDraining;
  const Desired held = LeftOver(Metric("rps", HpaType::kUtilization, 50, 1), draining);
  EXPECT_EQ(held.replicas, 4);
  EXPECT_EQ(held.reason, Reason::kSamplesNotOk);
}

TEST(HpaPolicyTest, AValueMultipliesTheSize) {
  Pool pool(4);
  pool.options.metrics = {Metric("rps", HpaType::kValue, 100)};
  pool.readings[0].value = 200;
  EXPECT_EQ(pool.Size(0).proposals.at(0).replicas, 8);
}

TEST(HpaPolicyTest, OptionsThatFitNoSignalAreSaid) {
  HpaOptions options;
  constexpr HpaType kAverage = HpaType::kAverageValue;
  options.metrics = {Metric("rps", kAverage),
                     Metric("rps", kAverage),
                     Metric("gone", kAverage),
                     Metric("bare", kAverage),
                     Metric("cpu", HpaType::kUtilization, 60),
                     Metric("odd", kAverage, 1, 2)};
  const std::vector<SignalTarget> targets{{"rps", 10}, {"bare", {}}, {"cpu", {}}, {"odd", {}}};
  std::vector<std::string> said;
  for (const OptionProblem& problem : Hpa::Check(options, targets)) {
    said.push_back(problem.field + ": " + problem.message);
  }
  EXPECT_THAT(
      said, ::testing::ElementsAre(
                "metrics[1]: there are two metrics of rps", "metrics[2]: no signal is called gone",
                "metrics[3]: neither it nor its signal has a target",
                "metrics[4]: a Utilization needs a target in percent, and requestPerReplica",
                "metrics[5]: requestPerReplica is of a Utilization"));
}

TEST(HpaPolicyTest, ATargetOfAUtilizationIsInWholePercent) {
  const std::vector<SignalTarget> targets{{"cpu", {}}};
  HpaOptions options;
  options.metrics = {Metric("cpu", HpaType::kUtilization, 60, 1)};
  EXPECT_TRUE(Hpa::Check(options, targets).empty());
  options.metrics[0].target = 60.9;
  const auto problems = Hpa::Check(options, targets);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "expected a whole number of percent, got 60.9");
}

// --- with a behavior -----------------------------------------------------------------------------

TEST(HpaBehaviorTest, GrowsByTheDefaultLadder) {
  EXPECT_EQ(Pool(1).Ladder(160, 7), (std::vector<Replicas>{5, 10, 20, 40, 80, 160, 160}));
  EXPECT_EQ(Pool(3).Ladder(112, 6), (std::vector<Replicas>{7, 14, 28, 56, 112, 112}));
  EXPECT_EQ(Pool(10).Ladder(80, 4), (std::vector<Replicas>{20, 40, 80, 80}));
}

TEST(HpaBehaviorTest, ToleranceIsOfTheRatioAndOfNothingElse) {
  // 5 of 5.5 is a ratio of 1.1: within tolerance, though a sixth replica is missing.
  Pool pool(5);
  pool.readings[0].value = 55;
  EXPECT_EQ(pool.Tick(0).replicas, 5);
  // 1.11 of 50 is 56: an HPA acts on it, whatever share of the size 6 replicas are.
  Pool large(50);
  large.readings[0].value = 555.1;
  EXPECT_EQ(large.Tick(0).replicas, 56);
}

TEST(HpaBehaviorTest, EachDirectionHasItsTolerance) {
  Pool pool(10);
  pool.guards.behavior.up.tolerance = 0;
  pool.guards.behavior.down.tolerance = 0.5;
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.readings[0].value = 101;
  EXPECT_EQ(pool.Tick(0).replicas, 11);
  pool.readings[0].value = 56;
  EXPECT_EQ(pool.Tick(15).replicas, 11);
  pool.readings[0].value = 54;
  EXPECT_EQ(pool.Tick(30).replicas, 6);
}

TEST(HpaBehaviorTest, ADirectionWithoutAToleranceHasThatOfTheControllersFlag) {
  Pool pool(10);
  pool.options.tolerance = 0.3;
  pool.guards.behavior.down.tolerance = 0;
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.readings[0].value = 130;
  EXPECT_EQ(pool.Tick(0).replicas, 10);
  pool.readings[0].value = 90;
  EXPECT_EQ(pool.Tick(15).replicas, 9);
}

TEST(HpaBehaviorTest, ShrinksByTheHighestOfTheWindowAndAfterItAtOnce) {
  Pool pool(20);
  (void)pool.Tick(0, 20);
  const Desired held = pool.Tick(15, 5);
  EXPECT_EQ(held.replicas, 20);
  EXPECT_EQ(held.reason, Reason::kScaleDownStabilized);
  EXPECT_EQ(pool.Tick(299, 5).replicas, 20);
  EXPECT_EQ(pool.Tick(300, 5).replicas, 5);  // strictly newer than a window counts
}

TEST(HpaBehaviorTest, ThePoolStaysAtItsSizeForOneWindowAfterAStartWithoutMemory) {
  Pool pool(20);
  EXPECT_EQ(pool.Tick(0, 5).replicas, 20);
  EXPECT_EQ(pool.Tick(299, 5).replicas, 20);
  EXPECT_EQ(pool.Tick(300, 5).replicas, 5);
}

TEST(HpaBehaviorTest, GrowsToTheLowestOfItsWindow) {
  Pool pool(10);
  pool.guards.behavior.up.stabilization_window = Duration(60'000);
  (void)pool.Tick(0, 10);
  (void)pool.Tick(15, 14);
  const Desired held = pool.Tick(30, 18);
  EXPECT_EQ(held.replicas, 10);
  EXPECT_EQ(held.reason, Reason::kScaleUpStabilized);
  EXPECT_EQ(pool.Tick(60, 18).replicas, 14);
}

TEST(HpaBehaviorTest, AFractionalPercentDownIsCutOff) {
  Pool pool(3);
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.guards.behavior.down.policies = {{guards::PolicyType::kPercent, 10, Duration(60'000)}};
  const Desired limited = pool.Tick(0, 1);
  EXPECT_EQ(limited.replicas, 2);  // 3 - 10 % = 2.7
  EXPECT_EQ(limited.reason, Reason::kScaleDownLimit);
}

TEST(HpaBehaviorTest, PercentUpRoundsUpAndPodsAdd) {
  Pool pool(3);
  pool.guards.behavior.up.policies = {{guards::PolicyType::kPercent, 10, Duration(60'000)}};
  EXPECT_EQ(pool.Tick(0, 50).replicas, 4);
  Pool pods(3);
  pods.guards.behavior.up.policies = {{guards::PolicyType::kPods, 2, Duration(60'000)}};
  EXPECT_EQ(pods.Tick(0, 50).replicas, 5);
}

TEST(HpaBehaviorTest, MinTakesTheSmallestChangeInEitherDirection) {
  Pool up(10);
  up.guards.behavior.up.select = guards::SelectPolicy::kMin;
  EXPECT_EQ(up.Tick(0, 50).replicas, 14);  // 4 pods, and not 100 %
  Pool down(10);
  down.guards.behavior.down.stabilization_window = Duration(0);
  down.guards.behavior.down.select = guards::SelectPolicy::kMin;
  down.guards.behavior.down.policies = {{guards::PolicyType::kPods, 1, Duration(60'000)},
                                        {guards::PolicyType::kPercent, 50, Duration(60'000)}};
  EXPECT_EQ(down.Tick(0, 1).replicas, 9);
}

TEST(HpaBehaviorTest, DisabledStopsItsDirectionOnly) {
  Pool pool(10);
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.guards.behavior.up.select = guards::SelectPolicy::kDisabled;
  const Desired held = pool.Tick(0, 50);
  EXPECT_EQ(held.replicas, 10);
  EXPECT_EQ(held.reason, Reason::kScaleUpLimit);
  EXPECT_EQ(pool.Tick(15, 4).replicas, 4);
  pool.guards.behavior.down.select = guards::SelectPolicy::kDisabled;
  const Desired stays = pool.Tick(30, 1);
  EXPECT_EQ(stays.replicas, 4);
  EXPECT_EQ(stays.reason, Reason::kScaleDownLimit);
}

TEST(HpaBehaviorTest, APeriodCountsFromTheSizeAtItsStartInBothDirections) {
  Pool pool(10);
  pool.guards.behavior.up.policies = {{guards::PolicyType::kPods, 4, Duration(60'000)}};
  pool.guards.behavior.down.stabilization_window = Duration(0);
  pool.guards.behavior.down.policies = {{guards::PolicyType::kPercent, 100, Duration(15'000)}};
  EXPECT_EQ(pool.Tick(0, 50).replicas, 14);
  EXPECT_EQ(pool.Tick(15, 50).replicas, 14);  // 14 - 4 + 4
  EXPECT_EQ(pool.Tick(30, 9).replicas, 9);
  // The shrink by 5 counts as well, though shrinks are asked about for 15 s only: 9 - 4 + 5 + 4.
  EXPECT_EQ(pool.Tick(45, 50).replicas, 14);
}

TEST(HpaBehaviorTest, LimitsCarryKubernetesNames) {
  Pool pool(10);
  pool.guards.max = 20;
  Desired limited = pool.Tick(0, 50);
  EXPECT_EQ(limited.replicas, 20);
  EXPECT_STREQ(Name(limited.reason), "TooManyReplicas");  // as large as the policies allow
  pool.guards.max = 100;
  limited = pool.Tick(15, 50);
  EXPECT_STREQ(Name(limited.reason), "ScaleUpLimit");
  pool.guards.min = 10;
  pool.guards.behavior.down.stabilization_window = Duration(0);
  limited = pool.Tick(30, 2);
  EXPECT_EQ(limited.replicas, 10);
  EXPECT_STREQ(Name(limited.reason), "TooFewReplicas");
  EXPECT_STREQ(Name(pool.Tick(45, 10).reason), "DesiredWithinRange");
}

// --- bounds and zero -----------------------------------------------------------------------------

TEST(HpaBoundsTest, ASizeOutsideTheBoundsGoesToTheNearerOneWithoutMetricsWindowsOrRates) {
  for (const bool behavior : {true, false}) {
    Pool above(50);
    above.WithBehavior(behavior);
    above.guards.max = 20;
    above.readings[0].quality = Quality::kError;
    const Desired lowered = above.Tick(0);
    EXPECT_EQ(lowered.replicas, 20);
    EXPECT_EQ(lowered.reason, Reason::kTooManyReplicas);
    Pool below(2);
    below.WithBehavior(behavior);
    below.guards.min = 30;
    const Desired raised = below.Tick(0, 1);
    EXPECT_EQ(raised.replicas, 30);
    EXPECT_EQ(raised.reason, Reason::kTooFewReplicas);
  }
}

TEST(HpaBoundsTest, APoolOfSizeZeroIsLeftAlone) {
  Pool pool(0);
  const Desired left = pool.Tick(0, 50);
  EXPECT_EQ(left.replicas, 0);
  EXPECT_STREQ(Name(left.reason), "ScalingDisabled");
  EXPECT_EQ(pool.guard_memory, guards::Memory{});
}

TEST(HpaBoundsTest, FromZeroWithAMinimumOfZeroMetricsCount) {
  Pool pool(0);
  pool.guards.min = 0;
  EXPECT_EQ(pool.Tick(0, 3).replicas, 3);
}

// --- without a behavior --------------------------------------------------------------------------

struct Classic : Pool {
  explicit Classic(Replicas size) : Pool(size) { WithBehavior(false); }
};

TEST(HpaClassicTest, GrowsToTwiceTheSizeOrFour) {
  EXPECT_EQ(Classic(1).Ladder(80, 6), (std::vector<Replicas>{4, 8, 16, 32, 64, 80}));
  EXPECT_EQ(Classic(3).Ladder(80, 3), (std::vector<Replicas>{6, 12, 24}));
  const Desired limited = Classic(1).Tick(0, 80);
  EXPECT_STREQ(Name(limited.reason), "ScaleUpLimit");
}

TEST(HpaClassicTest, GrowsToFourFromZero) {
  Classic pool(0);
  pool.guards.min = 0;
  const Desired limited = pool.Tick(0, 80);
  EXPECT_EQ(limited.replicas, 4);
  EXPECT_STREQ(Name(limited.reason), "ScaleUpLimit");
}

TEST(HpaClassicTest, AHigherRecommendationOfTheWindowGrowsThePool) {
  Classic pool(5);
  EXPECT_EQ(pool.Tick(0, 20).replicas, 10);  // capped
  const Desired grown = pool.Tick(15, 8);
  EXPECT_EQ(grown.replicas, 20);
  EXPECT_STREQ(Name(grown.reason), "ScaleDownStabilized");
  // With a behavior it does not.
  Pool modern(5);
  EXPECT_EQ(modern.Tick(0, 20).replicas, 10);
  EXPECT_EQ(modern.Tick(15, 8).replicas, 10);
}

TEST(HpaClassicTest, ARecommendationOfExactlyOneWindowAgoCounts) {
  Classic pool(20);
  (void)pool.Tick(0, 20);
  EXPECT_EQ(pool.Tick(300, 5).replicas, 20);
  EXPECT_EQ(pool.Tick(301, 5).replicas, 5);
}

TEST(HpaClassicTest, ToleranceIsTheControllersFlag) {
  Classic pool(10);
  pool.readings[0].value = 111;
  EXPECT_EQ(pool.Tick(0).replicas, 12);
  pool.options.tolerance = 0.3;
  pool.readings[0].value = 150;
  EXPECT_EQ(pool.Tick(15).replicas, 12);
}

TEST(HpaClassicTest, TheBoundIsTheReasonWhereItIsNoLooserThanTheCap) {
  Classic pool(10);
  pool.guards.max = 20;
  EXPECT_STREQ(Name(pool.Tick(0, 50).reason), "TooManyReplicas");
  Classic looser(10);
  looser.guards.max = 21;
  EXPECT_STREQ(Name(looser.Tick(0, 50).reason), "ScaleUpLimit");
}

TEST(HpaClassicTest, ARestartKeepsTheWindow) {
  Classic pool(20);
  (void)pool.Tick(0, 20);
  (void)pool.Tick(15, 5);
  Classic restarted(20);
  restarted.guard_memory = pool.guard_memory;
  EXPECT_EQ(restarted.Tick(290, 5).replicas, 20);
  EXPECT_THAT(restarted.guard_memory.recommendations, ::testing::Not(IsEmpty()));
  EXPECT_EQ(restarted.Tick(301, 5).replicas, 5);
}

}  // namespace
}  // namespace tidegate::sizing
