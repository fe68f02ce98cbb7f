// What one metric asks for, by the rules and examples of the HPA's replica calculator.
#include <gtest/gtest.h>

#include "policies/sizing/hpa.h"

namespace tidegate::sizing {
namespace {

using signals::Phase;
using signals::ReplicaValue;
using signals::ReplicaView;

constexpr Tolerances kTenth{};
constexpr Instant kNow = FromUnixMillis(1'800'000'000'000);
constexpr Duration kHour{3'600'000};

ReplicaView View(std::string name, Phase phase, Duration age = kHour, Duration since = kHour) {
  ReplicaView view;
  view.name = std::move(name);
  view.phase = phase;
  view.started = kNow - age;
  view.since = kNow - since;
  return view;
}
std::vector<ReplicaView> Ready(int count) {
  std::vector<ReplicaView> views;
  for (int i = 0; i < count; ++i) {
    views.push_back(View("r" + std::string(1, static_cast<char>('a' + i)), Phase::kReady));
  }
  return views;
}

// Pods that are there without any question: samples in thousandths.
HpaPods Sampled(int samples, std::int64_t each) {
  HpaPods pods;
  pods.sum = samples * each;
  pods.known = pods.ready = samples;
  return pods;
}

TEST(HpaReplicasTest, CountsInThousandths) {
  EXPECT_EQ(MilliValue(0.29), 290);
  EXPECT_EQ(MilliValue(1.9999), 1'999);  // cut off
  EXPECT_EQ(MilliValue(1e300), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(MilliTarget(0.29), 290);
  EXPECT_EQ(MilliTarget(0.0001), 1);
  EXPECT_EQ(MilliTarget(2.0004), 2'001);  // rounded up
}

// A sum of doubles that is a little more than 3 replicas' worth is no fourth one, and one that is a
// thousandth more is.
TEST(HpaReplicasTest, NothingBelowAThousandthCounts) {
  EXPECT_EQ(ByAverageValue(MilliValue(30.0000001), MilliTarget(10), 1, kTenth).replicas, 3);
  EXPECT_EQ(ByAverageValue(MilliValue(30.001), MilliTarget(10), 1, kTenth).replicas, 4);
}

TEST(HpaReplicasTest, ToleranceIsInclusiveOnBothSides) {
  EXPECT_TRUE(Tolerated(1.1, kTenth));
  EXPECT_TRUE(Tolerated(0.9, kTenth));
  EXPECT_FALSE(Tolerated(1.1001, kTenth));
  EXPECT_FALSE(Tolerated(0.8999, kTenth));
  const Tolerances uneven{0, 0.5};
  EXPECT_TRUE(Tolerated(0.5, uneven));
  EXPECT_FALSE(Tolerated(1.001, uneven));
}

// --- AverageValue --------------------------------------------------------------------------------

TEST(HpaReplicasTest, AverageValueIsTheTotalOverTheTarget) {
  EXPECT_EQ(ByAverageValue(81'000, 10'000, 5, kTenth).replicas, 9);
  EXPECT_EQ(ByAverageValue(0, 10'000, 5, kTenth).replicas, 0);
  EXPECT_EQ(ByAverageValue(0, 10'000, 0, kTenth).replicas, 0);  // 0 of 0
  EXPECT_EQ(ByAverageValue(15'000, 10'000, 0, kTenth).replicas, 2);
}

// Within tolerance the answer is what runs, not what is declared: surge replicas come back as a
// recommendation, and the tolerance bounds how far (100 -> 105 -> 110 -> 100).
TEST(HpaReplicasTest, WithinToleranceAverageValueEchoesWhatRuns) {
  const std::int64_t total = 100 * 10'000;
  EXPECT_EQ(ByAverageValue(total, 10'000, 100, kTenth).replicas, 100);
  EXPECT_EQ(ByAverageValue(total, 10'000, 105, kTenth).replicas, 105);
  EXPECT_EQ(ByAverageValue(total, 10'000, 110, kTenth).replicas, 110);
  EXPECT_EQ(ByAverageValue(total, 10'000, 112, kTenth).replicas, 100);
}

// A doubled load during a rollout that doubles the replicas reads as 1.0.
TEST(HpaReplicasTest, ADoubledLoadHidesBehindASurgeOfTheWholePool) {
  EXPECT_EQ(ByAverageValue(2 * 100 * 10'000, 10'000, 200, kTenth).replicas, 200);
  EXPECT_EQ(ByAverageValue(100 * 10'000, 10'000, 200, kTenth).replicas, 100);
}

// --- Value ---------------------------------------------------------------------------------------

TEST(HpaReplicasTest, ValueMultipliesTheReadyReplicas) {
  EXPECT_EQ(ByValue(20'000, 10'000, 4, Ready(4), kTenth).replicas, 8);
  std::vector<ReplicaView> rolling = Ready(3);
  rolling.push_back(View("young", Phase::kStarting));
  EXPECT_EQ(ByValue(20'000, 10'000, 4, rolling, kTenth).replicas, 6);
  EXPECT_EQ(ByValue(10'900, 10'000, 4, rolling, kTenth).replicas, 4);  // the declared size
}

TEST(HpaReplicasTest, ValueFromZeroIgnoresToleranceAndReplicas) {
  EXPECT_EQ(ByValue(10'500, 10'000, 0, {}, kTenth).replicas, 2);
  EXPECT_EQ(ByValue(0, 10'000, 0, {}, kTenth).replicas, 0);
}

// kubernetes#130130: nothing is ready, and any multiple of it is 0; minReplicas catches it.
TEST(HpaReplicasTest, ValueWithoutReadyReplicasIsZero) {
  const std::vector<ReplicaView> starting{View("a", Phase::kStarting)};
  EXPECT_EQ(ByValue(90'000, 10'000, 4, starting, kTenth).replicas, 0);
  EXPECT_FALSE(ByValue(90'000, 10'000, 4, {}, kTenth).replicas);
}

// --- Pods and Resource ---------------------------------------------------------------------------

TEST(HpaReplicasTest, PodsAverageIsAnIntegerDivision) {
  HpaPods pods = Sampled(3, 0);
  pods.sum = 3 * 11'001 + 2;  // 11.0016 on average; floor: 11.001
  EXPECT_EQ(ByPods(pods, 10'000, {}, 3, kTenth).replicas, 4);
  pods.sum = 3 * 11'000 + 2;  // floor: exactly the tolerance
  EXPECT_EQ(ByPods(pods, 10'000, {}, 3, kTenth).replicas, 3);
}

TEST(HpaReplicasTest, UtilizationIsCutToWholePercent) {
  // 55.9 % of the requests at a target of 50: 55 / 50 = 1.1 is within tolerance; 56 is not.
  EXPECT_EQ(ByPods(Sampled(10, 559), 50, 1'000, 10, kTenth).replicas, 10);
  EXPECT_EQ(ByPods(Sampled(10, 560), 50, 1'000, 10, kTenth).replicas, 12);
}

TEST(HpaReplicasTest, WithoutAnySampleTheMetricFails) {
  HpaPods pods;
  pods.known = pods.unready = 2;
  EXPECT_FALSE(ByPods(pods, 10'000, {}, 2, kTenth).replicas);
}

TEST(HpaReplicasTest, MissingReplicasAreAtTheirTargetWhenShrinking) {
  HpaPods pods = Sampled(3, 2'000);  // 0.2 of the target
  pods.missing = 1;
  // (6 + 10) / 4 = 4: 0.4 * 4 = 1.6
  EXPECT_EQ(ByPods(pods, 10'000, {}, 4, kTenth).replicas, 2);
  pods.missing = 0;
  EXPECT_EQ(ByPods(pods, 10'000, {}, 4, kTenth).replicas, 1);
}

TEST(HpaReplicasTest, MissingReplicasAreAtZeroWhenGrowing) {
  HpaPods pods = Sampled(3, 20'000);
  pods.missing = 1;  // 60 / 4 = 15: 1.5 * 4
  EXPECT_EQ(ByPods(pods, 10'000, {}, 4, kTenth).replicas, 6);
}

TEST(HpaReplicasTest, MissingReplicasUseAllOfTheirRequestOrTheTargetWhereThatIsMore) {
  HpaPods pods = Sampled(3, 200);  // 20 % at a target of 50
  pods.missing = 1;                // (600 + 1000) / 4000 = 40 %: 0.8 * 4
  EXPECT_EQ(ByPods(pods, 50, 1'000, 4, kTenth).replicas, 4);
  pods = Sampled(3, 300);  // 30 % at a target of 200
  pods.missing = 1;        // (900 + 2000) / 4000 = 72 %: 0.36 * 4
  EXPECT_EQ(ByPods(pods, 200, 1'000, 4, kTenth).replicas, 2);
}

TEST(HpaReplicasTest, UnreadyReplicasAreAtZeroOnGrowthOnly) {
  HpaPods pods = Sampled(3, 30'000);
  pods.unready = 3;  // 90 / 6 = 15: 1.5 * 6, and not 3.0 * 3
  EXPECT_EQ(ByPods(pods, 10'000, {}, 6, kTenth).replicas, 9);
  pods = Sampled(3, 5'000);
  pods.unready = 3;  // left out: 0.5 * 3
  EXPECT_EQ(ByPods(pods, 10'000, {}, 6, kTenth).replicas, 2);
}

TEST(HpaReplicasTest, AMetricThatOnlyUnreadyReplicasBringBelowItsTargetHolds) {
  HpaPods pods = Sampled(2, 15'000);
  pods.unready = 4;  // 30 / 6 = 5: below the target, so it would turn the direction
  EXPECT_EQ(ByPods(pods, 10'000, {}, 6, kTenth).replicas, 6);
  pods.unready = 1;  // 30 / 3 = 10: within tolerance
  EXPECT_EQ(ByPods(pods, 10'000, {}, 3, kTenth).replicas, 3);
}

TEST(HpaReplicasTest, MissingReplicasThatTurnAShrinkIntoGrowthHold) {
  HpaPods pods = Sampled(1, 800);  // 80 % at a target of 90
  pods.missing = 9;                // 98 %: 1.08 of the target
  const Tolerances none{0, 0};
  EXPECT_EQ(ByPods(pods, 90, 1'000, 10, none).replicas, 10);
}

// kubernetes#85027: during a rollout there are more replicas than the declared size, so that a
// shrink by the ratio would still be growth.
TEST(HpaReplicasTest, AShrinkThatWouldGrowThePoolHolds) {
  HpaPods pods = Sampled(15, 8'000);
  pods.missing = 1;  // (120 + 10) / 16 = 8.125: 0.8125 * 16 = 13 of 10
  EXPECT_EQ(ByPods(pods, 10'000, {}, 10, kTenth).replicas, 10);
  EXPECT_EQ(ByPods(pods, 10'000, {}, 16, kTenth).replicas, 13);
}

TEST(HpaReplicasTest, GrowthThatWouldShrinkThePoolHolds) {
  HpaPods pods = Sampled(4, 20'000);
  pods.unready = 1;  // 80 / 5 = 16: 1.6 * 5 = 8 of 10
  EXPECT_EQ(ByPods(pods, 10'000, {}, 10, kTenth).replicas, 10);
}

TEST(HpaReplicasTest, ARatioOfExactlyOneHoldsWhateverIsMissing) {
  HpaPods pods = Sampled(3, 10'000);
  pods.missing = 2;  // not filled in: neither 30 / 5 nor 50 / 5
  const Tolerances none{0, 0};
  EXPECT_EQ(ByPods(pods, 10'000, {}, 7, none).replicas, 7);
}

// --- strangers -----------------------------------------------------------------------------------

// Samples of so many replicas, beside those of others that the fleet does not know.
HpaPods WithStrangers(int samples, std::int64_t each, int strangers, std::int64_t strange) {
  HpaPods pods = Sampled(samples, each);
  pods.strangers = strangers;
  pods.strange_sum = strangers * strange;
  return pods;
}

TEST(HpaStrangerTest, AUtilizationPassesOverABusyOne) {
  EXPECT_EQ(ByPods(WithStrangers(3, 500, 1, 2'000), 50, 1'000, 3, kTenth).replicas, 3);
}

TEST(HpaStrangerTest, AUtilizationPassesOverIdleOnes) {
  // 46 of 50 is within tolerance.
  EXPECT_EQ(ByPods(WithStrangers(4, 460, 2, 200), 50, 1'000, 4, kTenth).replicas, 4);
}

TEST(HpaStrangerTest, AUtilizationOfNoneButStrangersFails) {
  HpaPods pods = WithStrangers(0, 0, 1, 400);
  pods.known = 4;  // draining
  EXPECT_FALSE(ByPods(pods, 50, 1'000, 4, kTenth).replicas);
}

TEST(HpaStrangerTest, TheyCountInTheMeanOfOtherMetrics) {
  // (3 * 10 + 20) / 4 = 12.5: 1.25 * 3
  EXPECT_EQ(ByPods(WithStrangers(3, 10'000, 1, 20'000), 10'000, {}, 3, kTenth).replicas, 4);
}

TEST(HpaStrangerTest, TheyMultiplyTheRatioWhereReplicasAreFilledIn) {
  HpaPods pods = WithStrangers(3, 200, 2, 0);  // 20 % at a target of 50
  pods.missing = 1;                            // (600 + 1000) / 4000 = 40 %: 0.8 * 6
  EXPECT_EQ(ByPods(pods, 50, 1'000, 6, kTenth).replicas, 5);
}

TEST(HpaStrangerTest, AFleetWithoutReplicasFails) {
  const HpaPods pods = WithStrangers(0, 0, 1, 400);
  EXPECT_FALSE(ByPods(pods, 500, {}, 4, kTenth).replicas);
  EXPECT_FALSE(ByPods(pods, 50, 1'000, 4, kTenth).replicas);
}

// --- groups --------------------------------------------------------------------------------------

HpaPods Group(const ReplicaView& view, bool sampled, bool cpu, Duration sample_age = Duration(0)) {
  const std::vector<ReplicaView> views{view};
  std::vector<ReplicaValue> values;
  if (sampled) values.push_back({view.name, 1, sample_age});
  return GroupPods(views, values, cpu, HpaOptions{}, kNow);
}

TEST(HpaGroupTest, DrainingAndFailedReplicasAreNotThere) {
  for (const Phase phase : {Phase::kDraining, Phase::kFailed}) {
    const HpaPods pods = Group(View("a", phase), true, false);
    EXPECT_EQ(pods.ready + pods.unready + pods.missing + pods.strangers, 0);
    EXPECT_EQ(pods.known, 1);
  }
}

TEST(HpaGroupTest, WithoutASampleAStartingReplicaIsPendingAndAReadyOneMissing) {
  EXPECT_EQ(Group(View("a", Phase::kStarting), false, false).unready, 1);
  EXPECT_EQ(Group(View("a", Phase::kReady), false, false).missing, 1);
}

TEST(HpaGroupTest, ReadinessDoesNotMatterToMetricsOtherThanTheCpu) {
  const Duration young{10'000};
  EXPECT_EQ(Group(View("a", Phase::kStarting, young, young), true, false).ready, 1);
  EXPECT_EQ(Group(View("a", Phase::kStarting, young, young), true, true).unready, 1);
}

TEST(HpaGroupTest, TheCpuOfAYoungReplicaCountsOnceAWindowLiesAfterItsReadiness) {
  const ReplicaView view = View("a", Phase::kReady, Duration(100'000), Duration(40'000));
  EXPECT_EQ(Group(view, true, true, Duration(10'000)).ready, 1);  // a window of 30 s, exactly
  EXPECT_EQ(Group(view, true, true, Duration(10'001)).unready, 1);
}

TEST(HpaGroupTest, AfterTheInitializationPeriodOnlyOnesThatWereNeverReadyAreUnready) {
  const Duration old{301'000};
  EXPECT_EQ(Group(View("a", Phase::kReady, old, Duration(1'000)), true, true).ready, 1);
  EXPECT_EQ(Group(View("a", Phase::kStarting, old, old), true, true).unready, 1);
  // Unready again 31 s after its start, at the earliest: it was ready in between.
  EXPECT_EQ(Group(View("a", Phase::kStarting, old, old - Duration(31'000)), true, true).ready, 1);
  // The period ends with its last instant.
  const ReplicaView young = View("a", Phase::kReady, Duration(300'000), Duration(1'000));
  EXPECT_EQ(Group(young, true, true).ready, 1);
  const ReplicaView younger = View("a", Phase::kReady, Duration(299'999), Duration(1'000));
  EXPECT_EQ(Group(younger, true, true).unready, 1);
}

TEST(HpaGroupTest, SamplesOfReplicasThatTheFleetDoesNotKnowAreKeptApart) {
  const std::vector<ReplicaView> views{View("b", Phase::kReady), View("d", Phase::kReady)};
  const std::vector<ReplicaValue> values{{"a", 1, {}}, {"b", 2, {}}, {"c", 3, {}}, {"e", 4, {}}};
  const HpaPods pods = GroupPods(views, values, false, HpaOptions{}, kNow);
  EXPECT_EQ(pods.strangers, 3);
  EXPECT_EQ(pods.strange_sum, 8'000);
  EXPECT_EQ(pods.sum, 2'000);
  EXPECT_EQ(pods.known, 2);
  EXPECT_EQ(pods.ready, 1);
  EXPECT_EQ(pods.missing, 1);
}

}  // namespace
}  // namespace tidegate::sizing
