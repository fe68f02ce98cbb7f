// Requests that are refused or lost, seen by the planner.

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/rollout/plan.h"

namespace tidegate::rollout {
namespace {

using signals::Phase;
using signals::ReplicaView;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

std::vector<ReplicaView> Ready(int count) {
  std::vector<ReplicaView> views;
  for (int i = 1; i <= count; ++i) {
    const Instant since = kStart - seconds(3600 - i);
    views.push_back({"edge-a-" + std::to_string(i), "a", Phase::kReady, since, since, since});
  }
  return views;
}

Options OneByOne() {
  Options options;
  options.budget = {{1, false}, {1, false}};
  return options;
}

// A planner with its state and the time; a tick plans for what is shown and has some refused.
struct Pool {
  Options options = OneByOne();
  State state;
  Instant now = kStart;

  explicit Pool(Replicas size) {
    state.size = size;
    state.next_ordinal = size + 1;
  }
  std::vector<Step> Tick(Replicas desired, const std::vector<ReplicaView>& shown,
                         std::size_t refuse = 0) {
    const Input input{now, {"shop", "edge"}, desired, "a", shown};
    Planned planned = MakePlan(input, options, state);
    state = planned.state;
    const auto& steps = planned.plan.steps;
    std::vector<Step> refused(steps.end() - static_cast<std::ptrdiff_t>(refuse), steps.end());
    TakeBack(planned.plan, refused, planned.basis, state);
    now += seconds(5);
    return steps;
  }
};

TEST(RolloutRefusalTest, RefusedGrowthIsNotMadeUpForInOneWave) {
  Pool pool(2);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(pool.Tick(9, Ready(2), 1), SizeIs(1));
    EXPECT_EQ(pool.state.size, 2);
    EXPECT_THAT(pool.state.pending, IsEmpty());
  }
  EXPECT_THAT(pool.Tick(9, Ready(2)), SizeIs(1));  // B3: one at a time
  EXPECT_EQ(pool.state.size, 3);
}

TEST(RolloutRefusalTest, WhatWasNotRefusedCounts) {
  Pool pool(2);
  pool.options.budget.surge = {3, false};
  EXPECT_THAT(pool.Tick(9, Ready(2), 2), SizeIs(3));
  EXPECT_EQ(pool.state.size, 3);
  EXPECT_THAT(pool.state.pending, SizeIs(1));
}

TEST(RolloutRefusalTest, RefusedShrinkLeavesTheSize) {
  Pool pool(2);
  pool.state.size = 6;
  EXPECT_THAT(pool.Tick(2, Ready(6), 1), SizeIs(1));
  EXPECT_EQ(pool.state.size, 6);
  EXPECT_THAT(pool.state.pending, IsEmpty());
}

// It is still there, and may become ready: then it takes a shrink's wave to drain it.
TEST(RolloutRefusalTest, RefusedDrainOfOneThatIsFreeLeavesTheSize) {
  Pool pool(2);
  std::vector<ReplicaView> shown = Ready(1);
  shown.push_back({"edge-old-2", "old", Phase::kStarting, kStart, kStart, std::nullopt});
  const std::vector<Step> steps = pool.Tick(1, shown, 1);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].reason, StepReason::kSuperseded);
  EXPECT_EQ(pool.state.size, 2);
}

TEST(RolloutRefusalTest, RefusedRepeatStaysPending) {
  Pool pool(2);
  const std::vector<Step> asked = pool.Tick(3, Ready(2));
  ASSERT_THAT(asked, SizeIs(1));
  const std::vector<Step> again = pool.Tick(3, Ready(2), 1);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].reason, StepReason::kRepeat);
  EXPECT_EQ(again[0].replica, asked[0].replica);
  ASSERT_THAT(pool.state.pending, SizeIs(1));
  EXPECT_EQ(pool.state.size, 3);
}

TEST(RolloutRefusalTest, LostDrainIsAskedForAgain) {
  Pool pool(2);
  pool.state.size = 3;
  const std::vector<Step> asked = pool.Tick(2, Ready(3));
  ASSERT_THAT(asked, SizeIs(1));
  for (int i = 0; i < 30; ++i) {
    const std::vector<Step> again = pool.Tick(2, Ready(3));
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ(again[0].replica, asked[0].replica);
    EXPECT_EQ(again[0].reason, StepReason::kRepeat);
  }
}

// The load came back while the drain was lost: asking again would take a replica that is needed.
TEST(RolloutRefusalTest, LostDrainIsNotAskedForAgainWhereItWouldBreakB2) {
  Pool pool(3);
  pool.options.quota = 3;
  pool.options.budget = {{1, false}, {0, false}};
  const std::vector<Step> asked = pool.Tick(2, Ready(3));
  ASSERT_THAT(asked, SizeIs(1));
  ASSERT_EQ(asked[0].kind, StepKind::kDrain);
  while (pool.now <= kStart + pool.options.progress_deadline + seconds(10)) {
    EXPECT_THAT(pool.Tick(3, Ready(3)), IsEmpty()) << FormatInstant(pool.now);
  }
  // It shows no more: the replica serves, and the pool has its size.
  EXPECT_THAT(pool.state.pending, IsEmpty());
  EXPECT_EQ(pool.state.size, 3);
}

// Two of an old revision were to go at once; each repeat was refused, so by the progress deadline
// both serve again, and a shrink drains them one at a time (B3).
TEST(RolloutRefusalTest, DrainsWhoseRepeatsWereRefusedAreLostByTheDeadline) {
  Pool pool(2);
  pool.options.quota = 0;  // a shrink to nothing, for which B2 allows every repeat
  pool.state.pending = {{StepKind::kDrain, "edge-a-1", "a", kStart},
                        {StepKind::kDrain, "edge-a-2", "a", kStart}};
  pool.now += seconds(5);
  while (pool.now <= kStart + pool.options.progress_deadline) {
    const std::vector<Step> again = pool.Tick(2, Ready(2), 2);
    ASSERT_THAT(again, SizeIs(2));
    EXPECT_EQ(again[0].reason, StepReason::kRepeat);
    ASSERT_THAT(pool.state.pending, SizeIs(2));
    EXPECT_EQ(pool.state.pending[0].at, kStart);
  }
  const std::vector<Step> anew = pool.Tick(2, Ready(2));
  ASSERT_THAT(anew, SizeIs(1));
  EXPECT_EQ(anew[0].reason, StepReason::kShrink);
}

// The next tick finds requests by name: their order has to hold when one goes and one comes at
// once.
TEST(RolloutRefusalTest, RequestsStaySortedWhenAGivenUpDrainMakesWayForAStart) {
  Pool pool(2);
  pool.options.budget = {{2, false}, {0, false}};
  pool.state.next_ordinal = 10;
  const Instant long_ago = kStart - pool.options.progress_deadline - seconds(1);
  pool.state.pending = {{StepKind::kDrain, "edge-a-2", "a", long_ago},
                        {StepKind::kStart, "edge-a-9", "a", kStart}};
  const auto steps = pool.Tick(4, Ready(2));
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].replica, "edge-a-10");
  EXPECT_THAT(pool.state.pending, SizeIs(2));
  EXPECT_TRUE(std::ranges::is_sorted(pool.state.pending, {}, &Pending::replica));
}

}  // namespace
}  // namespace tidegate::rollout
