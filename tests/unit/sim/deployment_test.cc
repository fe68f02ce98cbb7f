// Examples are named after what they show; those that the controller's own source and documents
// work out in numbers keep these numbers.

#include "sim/world/deployment.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr IntOrPercent Percent(Replicas value) { return {value, true}; }
constexpr IntOrPercent Pods(Replicas value) { return {value, false}; }

// Scaled by a Deployment of size `desired` that allowed `most` pods.
ReplicaSet Set(const char* revision, Replicas spec, Replicas available, Replicas desired,
               Replicas most) {
  return {revision, spec, spec, available, desired, most};
}

Deployment Of(Replicas replicas, IntOrPercent surge, IntOrPercent unavailable,
              std::vector<ReplicaSet> sets) {
  Deployment deployment;
  deployment.replicas = replicas;
  deployment.surge = surge;
  deployment.unavailable = unavailable;
  deployment.revision = sets.empty() ? "new" : sets.back().revision;
  deployment.sets = std::move(sets);
  return deployment;
}

// A rolled out Deployment whose template changes now.
Deployment Changed(Replicas replicas, IntOrPercent surge, IntOrPercent unavailable) {
  Deployment deployment = Of(replicas, surge, unavailable, {});
  deployment.sets = {Set("old", replicas, replicas, replicas, Resolve(deployment).most)};
  return deployment;
}

std::vector<Replicas> Specs(const Deployment& deployment) {
  std::vector<Replicas> specs;
  for (const ReplicaSet& set : deployment.sets) specs.push_back(set.spec);
  return specs;
}

// What ReplicaSets make of it at once where `ready` pods of the new set can be available.
void Obey(Deployment& deployment, Replicas ready = kMaxReplicas) {
  for (ReplicaSet& set : deployment.sets) {
    const bool is_new = set.revision == deployment.revision;
    set.pods = set.spec;
    set.available = std::min(set.spec, is_new ? ready : set.available);
  }
}

// Syncs until nothing changes; new pods don't become available.
Deployment Settle(Deployment deployment) {
  for (int i = 0; i < 100; ++i) {
    Synced synced = Sync(deployment);
    Obey(synced.deployment, 0);
    if (synced.deployment == deployment) return deployment;
    deployment = std::move(synced.deployment);
  }
  ADD_FAILURE() << "it goes round in circles";
  return deployment;
}

struct PeakCase {
  Replicas desired, surge, unavailable, peak, least;
};

class FencepostsTest : public ::testing::TestWithParam<PeakCase> {};

TEST_P(FencepostsTest, AtSurge100AndUnavailable25) {
  const PeakCase& c = GetParam();
  const Fenceposts posts = Resolve(Of(c.desired, Percent(100), Percent(25), {}));
  EXPECT_EQ(posts.surge, c.surge);
  EXPECT_EQ(posts.unavailable, c.unavailable);
  EXPECT_EQ(posts.most, c.peak);
  EXPECT_EQ(posts.least, c.least);
}

INSTANTIATE_TEST_SUITE_P(
    Of, FencepostsTest,
    ::testing::Values(PeakCase{1, 1, 0, 2, 1}, PeakCase{2, 2, 0, 4, 2}, PeakCase{3, 3, 0, 6, 3},
                      PeakCase{4, 4, 1, 8, 3}, PeakCase{5, 5, 1, 10, 4}, PeakCase{7, 7, 1, 14, 6},
                      PeakCase{8, 8, 2, 16, 6}, PeakCase{10, 10, 2, 20, 8},
                      PeakCase{20, 20, 5, 40, 15}, PeakCase{40, 40, 10, 80, 30}),
    [](const auto& test) { return std::to_string(test.param.desired) + "Replicas"; });

TEST(FencepostsRoundingTest, SurgeRoundsUpAndUnavailableDown) {
  const Fenceposts posts = Resolve(Of(7, Percent(25), Percent(25), {}));
  EXPECT_EQ(posts.surge, 2);
  EXPECT_EQ(posts.unavailable, 1);
}

TEST(FencepostsRoundingTest, BothZeroMakesOneUnavailable) {
  EXPECT_EQ(Resolve(Of(3, Percent(0), Percent(25), {})).unavailable, 1);
  EXPECT_EQ(Resolve(Of(3, Pods(0), Pods(0), {})).unavailable, 1);
}

TEST(FencepostsRoundingTest, UnavailableIsAtMostAllAndNoneOfNone) {
  EXPECT_EQ(Resolve(Of(3, Pods(1), Pods(9), {})).unavailable, 3);
  EXPECT_EQ(Resolve(Of(0, Pods(1), Pods(9), {})).unavailable, 0);
  EXPECT_EQ(Resolve(Of(0, Pods(0), Pods(0), {})).least, 0);
}

// Growth of the new set.

TEST(NewSetTest, IsCreatedWithWhatTheSurgeAllows) {
  const Synced synced = Sync(Changed(10, Pods(3), Pods(0)));
  EXPECT_THAT(synced.resizes, ElementsAre(Resize{"new", 0, 3, ResizeReason::kCreated}));
  EXPECT_EQ(synced.deployment.sets[1].desired_then, 10);
  EXPECT_EQ(synced.deployment.sets[1].max_then, 13);
}

TEST(NewSetTest, IsCreatedAndOldPodsGoInOneSync) {
  const Synced synced = Sync(Changed(10, Pods(3), Pods(2)));
  EXPECT_THAT(synced.resizes, ElementsAre(Resize{"new", 0, 3, ResizeReason::kCreated},
                                          Resize{"old", 10, 8, ResizeReason::kOldSet}));
}

TEST(NewSetTest, OneStepASync) {
  Deployment deployment = Sync(Changed(10, Pods(3), Pods(2))).deployment;
  Obey(deployment, 3);
  // There is room for two, and three old ones may go: growth comes first, and alone.
  const Synced growth = Sync(deployment);
  EXPECT_THAT(growth.resizes, ElementsAre(Resize{"new", 3, 5, ResizeReason::kNewSet}));
  deployment = growth.deployment;
  Obey(deployment, 3);
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"old", 8, 5, ResizeReason::kOldSet}));
}

TEST(NewSetTest, ThatIsTooLargeShrinksToTheSize) {
  const Deployment deployment =
      Of(10, Pods(3), Pods(2), {Set("old", 2, 2, 10, 13), Set("new", 12, 12, 10, 13)});
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"new", 12, 10, ResizeReason::kNewSet}));
}

// Old sets: 10 replicas, 3 surge, 2 unavailable.

TEST(OldSetsTest, NothingGoesWhileNewPodsAreUnready) {
  const Deployment settled = Settle(Changed(10, Pods(3), Pods(2)));
  EXPECT_THAT(Specs(settled), ElementsAre(8, 5));
  // 13 - 8 - 5 = 0.
  EXPECT_THAT(Sync(settled).resizes, IsEmpty());
}

TEST(OldSetsTest, NothingGoesWhenAnOldPodFailsMeanwhile) {
  Deployment deployment = Settle(Changed(10, Pods(3), Pods(2)));
  deployment.sets[0].available = 7;  // 13 - 8 - 5 is 0 as before
  EXPECT_THAT(Sync(deployment).resizes, IsEmpty());
}

TEST(OldSetsTest, RollbackRemovesFourOfTheCrashingPods) {
  Deployment deployment = Settle(Changed(10, Pods(3), Pods(2)));
  deployment.sets[0].available = 7;
  deployment.revision = "old";
  // 13 - 8 - 1 = 4.
  const Synced undone = Sync(deployment);
  EXPECT_THAT(undone.resizes, ElementsAre(Resize{"new", 5, 1, ResizeReason::kUnhealthy}));
  // Nine are left, and the good set grows to ten.
  Deployment next = undone.deployment;
  next.sets[1].pods = 1;
  EXPECT_THAT(Sync(next).resizes, ElementsAre(Resize{"old", 8, 10, ResizeReason::kNewSet}));
}

TEST(OldSetsTest, RollOverCreatesAnEmptySetAndRemovesTheFiveCrashingPods) {
  Deployment deployment = Settle(Changed(10, Pods(3), Pods(2)));
  deployment.revision = "newer";
  // 13 - 8 - 0 = 5.
  const Synced over = Sync(deployment);
  EXPECT_THAT(over.resizes, ElementsAre(Resize{"new", 5, 0, ResizeReason::kUnhealthy}));
  EXPECT_THAT(Specs(over.deployment), ElementsAre(8, 0, 0));
  Deployment next = over.deployment;
  next.sets[1].pods = 0;
  EXPECT_THAT(Sync(next).resizes, ElementsAre(Resize{"newer", 0, 5, ResizeReason::kNewSet}));
}

TEST(OldSetsTest, ACrashLoopingRevisionTakesNoMoreThanUnavailable) {
  for (Replicas replicas = 1; replicas <= 40; ++replicas) {
    const Deployment start = Changed(replicas, Percent(100), Percent(25));
    EXPECT_EQ(Settle(start).sets[0].spec, replicas - Resolve(start).unavailable);
  }
}

TEST(OldSetsTest, UnhealthyOldPodsGoFirstTheOldestSetsBefore) {
  // 4 may go: 12 - 6 - 2; the oldest set has 2 unhealthy ones, the next 3.
  const Deployment deployment = Of(
      8, Pods(4), Pods(2), {Set("a", 4, 2, 8, 12), Set("b", 4, 1, 8, 12), Set("c", 4, 2, 8, 12)});
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"a", 4, 2, ResizeReason::kUnhealthy},
                                                    Resize{"b", 4, 2, ResizeReason::kUnhealthy}));
}

TEST(OldSetsTest, TheOldestSetShrinksFirst) {
  const Deployment deployment =
      Of(6, Pods(3), Pods(1), {Set("a", 2, 2, 6, 9), Set("b", 4, 4, 6, 9), Set("c", 3, 3, 6, 9)});
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"a", 2, 0, ResizeReason::kOldSet},
                                                    Resize{"b", 4, 2, ResizeReason::kOldSet}));
}

// Changes of size.

TEST(ScaleTest, GrowsAtOnceWhateverTheSurge) {
  Deployment deployment = Of(4, Percent(25), Percent(25), {Set("a", 4, 4, 4, 5)});
  deployment.replicas = 40;
  const Synced synced = Sync(deployment);
  EXPECT_THAT(synced.resizes, ElementsAre(Resize{"a", 4, 40, ResizeReason::kOnlySet}));
  EXPECT_EQ(synced.deployment.sets[0].desired_then, 40);
  EXPECT_EQ(synced.deployment.sets[0].max_then, 50);
}

TEST(ScaleTest, ShrinksAtOnceWhateverIsUnavailable) {
  Deployment deployment = Of(40, Percent(25), Percent(25), {Set("a", 40, 40, 40, 50)});
  deployment.replicas = 4;
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"a", 40, 4, ResizeReason::kOnlySet}));
}

TEST(ScaleTest, FromNoneTheNewestSetGrows) {
  Deployment deployment = Of(0, Pods(1), Pods(0), {Set("a", 0, 0, 5, 6), Set("b", 0, 0, 5, 6)});
  deployment.replicas = 3;
  deployment.paused = true;  // or else no active set would tell that the size changed
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"b", 0, 3, ResizeReason::kOnlySet}));
}

TEST(ScaleTest, ASaturatedNewSetEmptiesTheOldOnes) {
  Deployment deployment =
      Of(5, Pods(2), Pods(1), {Set("a", 2, 2, 9, 11), Set("b", 1, 1, 5, 7), Set("c", 5, 5, 5, 7)});
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"a", 2, 0, ResizeReason::kSaturated},
                                                    Resize{"b", 1, 0, ResizeReason::kSaturated}));
}

TEST(ScaleTest, Old8AndNew5Of10To15GoTo11And7) {
  Deployment deployment =
      Of(10, Pods(3), Pods(2), {Set("old", 8, 8, 10, 13), Set("new", 5, 0, 10, 13)});
  deployment.replicas = 15;
  const Synced synced = Sync(deployment);
  EXPECT_THAT(Specs(synced.deployment), ElementsAre(11, 7));
  for (const ReplicaSet& set : synced.deployment.sets) {
    EXPECT_EQ(set.desired_then, 15);
    EXPECT_EQ(set.max_then, 18);
  }
}

TEST(ScaleTest, Old10AndNew10Of10To20GoTo20And20) {
  Deployment deployment =
      Of(10, Percent(100), Percent(25), {Set("old", 10, 10, 10, 20), Set("new", 10, 0, 10, 20)});
  deployment.replicas = 20;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(20, 20));
}

TEST(ScaleTest, Old10AndNew10Of10To5GoTo5And5) {
  Deployment deployment =
      Of(10, Percent(100), Percent(25), {Set("old", 10, 10, 10, 20), Set("new", 10, 0, 10, 20)});
  deployment.replicas = 5;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(5, 5));
}

TEST(ScaleTest, ToNoneTakesAllOfEach) {
  Deployment deployment =
      Of(10, Pods(3), Pods(2), {Set("old", 8, 8, 10, 13), Set("new", 5, 0, 10, 13)});
  deployment.replicas = 0;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(0, 0));
}

TEST(ScaleTest, WhatRoundingLeavesGoesToTheNewerOfEqualsWhenGrowing) {
  // 3 of 6 is 3 * 9 / 6 = 4.5 and rounds to 5: the newer one gets it, the older one the rest.
  Deployment deployment = Of(6, Pods(0), Pods(1), {Set("old", 3, 3, 6, 6), Set("new", 3, 0, 6, 6)});
  deployment.replicas = 9;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(4, 5));
}

TEST(ScaleTest, WhatRoundingLeavesIsTakenFromTheOlderOfEqualsWhenShrinking) {
  // 3 * 5 / 6 = 2.5 rounds to 3, for both: the older one loses the one that is left.
  Deployment deployment = Of(6, Pods(0), Pods(1), {Set("old", 3, 3, 6, 6), Set("new", 3, 0, 6, 6)});
  deployment.replicas = 5;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(2, 3));
}

TEST(ScaleTest, WithoutAnAnnotationTheStatusIsTheMeasure) {
  Deployment deployment =
      Of(10, Pods(3), Pods(2), {Set("old", 8, 8, 10, 13), Set("new", 5, 0, 10, 13)});
  for (ReplicaSet& set : deployment.sets) set.max_then.reset();
  deployment.replicas = 15;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(11, 7));
}

TEST(ScaleTest, OfManySmallSetsMayKeepMoreThanIsAllowed) {
  // Each keeps its one (1 * 5 / 10 rounds to 1); the first can give no more than it has.
  std::vector<ReplicaSet> sets;
  for (const char* revision : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) {
    sets.push_back(Set(revision, 1, 1, 8, 10));
  }
  Deployment deployment = Of(8, Pods(2), Pods(1), sets);
  deployment.replicas = 3;
  EXPECT_THAT(Specs(Sync(deployment).deployment), ElementsAre(0, 1, 1, 1, 1, 1, 1, 1, 1, 1));
}

TEST(ScaleTest, APausedDeploymentScalesAndRollsNothingOut) {
  Deployment deployment = Changed(4, Pods(1), Pods(0));
  deployment.paused = true;
  EXPECT_THAT(Sync(deployment).resizes, IsEmpty());
  deployment.replicas = 6;
  EXPECT_THAT(Sync(deployment).resizes, ElementsAre(Resize{"old", 4, 6, ResizeReason::kOnlySet}));
}

TEST(ScaleTest, GetsStuckWhereTheOnlySetHasTheNewSizeAlready) {
  // Without surge a rollout begins by taking two away; then 8 are wanted, and 8 are there.
  Deployment deployment = Sync(Changed(10, Pods(0), Pods(2))).deployment;
  Obey(deployment);
  ASSERT_THAT(Specs(deployment), ElementsAre(8, 0));
  EXPECT_FALSE(IsStuck(deployment));
  deployment.replicas = 8;
  EXPECT_TRUE(IsStuck(deployment));
  EXPECT_EQ(Sync(deployment).deployment, deployment);
  deployment.replicas = 9;
  EXPECT_FALSE(IsStuck(deployment));
}

// Status.

TEST(StatusTest, CountsAllSetsAndNoTerminatingPods) {
  Deployment deployment =
      Of(10, Pods(3), Pods(2), {Set("old", 8, 7, 10, 13), Set("new", 5, 1, 10, 13)});
  const DeploymentStatus status = StatusOf(deployment);
  EXPECT_EQ(status.replicas, 13);
  EXPECT_EQ(status.updated, 5);
  EXPECT_EQ(status.available, 8);
  EXPECT_EQ(status.unavailable, 5);
  EXPECT_FALSE(IsComplete(deployment));
}

TEST(StatusTest, IsCompleteWhenOnlyTheNewSetHasPodsAndAllAreAvailable) {
  Deployment deployment = Of(3, Pods(1), Pods(0), {Set("old", 0, 0, 3, 4), Set("new", 3, 3, 3, 4)});
  EXPECT_TRUE(IsComplete(deployment));
  deployment.sets[1].available = 2;
  EXPECT_FALSE(IsComplete(deployment));
}

TEST(StatusTest, HistoryIsKeptUpToItsLimit) {
  std::vector<ReplicaSet> sets;
  for (const char* revision : {"a", "b", "c", "d"}) sets.push_back(Set(revision, 0, 0, 3, 4));
  sets.push_back(Set("new", 3, 3, 3, 4));
  Deployment deployment = Of(3, Pods(1), Pods(0), sets);
  deployment.history_limit = 2;
  const Deployment kept = Sync(deployment).deployment;
  ASSERT_EQ(kept.sets.size(), 3U);
  EXPECT_EQ(kept.sets[0].revision, "c");
}

}  // namespace
}  // namespace tidegate::sim
