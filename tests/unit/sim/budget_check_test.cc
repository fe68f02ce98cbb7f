// The account that budgets are judged by, where it once went wrong.

#include "sim/checks/budget_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using rollout::Step;
using rollout::StepKind;
using rollout::StepReason;
using signals::Phase;
using signals::ReplicaView;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

ReplicaView View(const std::string& name, const Revision& revision, Phase phase) {
  ReplicaView view{name, revision, phase, kStart, kStart, std::nullopt};
  if (phase == Phase::kReady) view.ready_at = kStart;
  return view;
}

Step Start(const std::string& name, const Revision& revision) {
  return {StepKind::kStart, name, revision, StepReason::kRollout};
}
Step Drain(const std::string& name, const Revision& revision) {
  return {StepKind::kDrain, name, revision, StepReason::kSuperseded};
}

BudgetPromise OneAtATime() {
  BudgetPromise promise;
  promise.surge = promise.unavailable = {1, false};
  return promise;
}

// Four serve and two start, of a revision that is no longer wanted; four are wanted.
std::vector<ReplicaView> SixOfRevisionA() {
  std::vector<ReplicaView> views;
  for (int i = 1; i <= 6; ++i) {
    views.push_back(
        View("p-a-" + std::to_string(i), "a", i <= 4 ? Phase::kReady : Phase::kStarting));
  }
  return views;
}

// Both orders come to the same pool, so they come to the same size.
TEST(BudgetCheckTest, ReplacingAFreeDrainLeavesTheSizeInAnyOrder) {
  for (const bool drain_first : {true, false}) {
    BudgetCheck check(OneAtATime());
    check.Observe(kStart, "a", 6, std::nullopt, SixOfRevisionA());
    check.Observe(kStart, "b", 4, std::nullopt, SixOfRevisionA());
    ASSERT_EQ(check.declared(), 6);
    std::vector<Step> steps{Drain("p-a-5", "a"), Start("p-b-7", "b")};
    if (!drain_first) std::ranges::reverse(steps);
    for (const Step& step : steps) check.Request(kStart, step);
    EXPECT_EQ(check.declared(), 6) << drain_first;
  }
}

// So what is lost afterwards is a loss, and its replacement no growth: B3 does not hold it.
TEST(BudgetCheckTest, ALossAfterAFreeDrainWasReplacedIsNoGrowth) {
  BudgetCheck check(OneAtATime());
  std::vector<ReplicaView> views = SixOfRevisionA();
  check.Observe(kStart, "a", 6, std::nullopt, views);
  check.Observe(kStart, "b", 4, std::nullopt, views);
  check.Request(kStart, Drain("p-a-5", "a"));
  check.Request(kStart, Start("p-b-7", "b"));

  check.Gone(kStart, "p-a-5");
  check.Entered(kStart, "p-b-7", Phase::kStarting);
  std::erase_if(views, [](const ReplicaView& view) { return view.name == "p-a-5"; });
  views[0].phase = Phase::kFailed;
  views.push_back(View("p-b-7", "b", Phase::kStarting));
  check.Observe(kStart + seconds(5), "b", 8, std::nullopt, views);
  ASSERT_EQ(check.declared(), 6);
  check.Request(kStart + seconds(5), Start("p-b-8", "b"));  // for p-a-1
  EXPECT_THAT(check.breaches(), IsEmpty());
  check.Request(kStart + seconds(5), Start("p-b-9", "b"));
  ASSERT_THAT(check.breaches(), SizeIs(1));
  EXPECT_EQ(check.breaches()[0].rule, "B3");
}

// One that came and went between two observations was never seen. By the progress deadline nobody
// waits for it, even where its drain was refused.
TEST(BudgetCheckTest, AStartThatCameAndWentUnseenIsGivenUp) {
  BudgetCheck check(OneAtATime());
  const std::vector<ReplicaView> one{View("p-a-1", "a", Phase::kReady)};
  check.Observe(kStart, "a", 1, std::nullopt, one);
  check.Observe(kStart, "a", 3, std::nullopt, one);
  check.Request(kStart, Start("p-a-2", "a"));
  check.Entered(kStart, "p-a-2", Phase::kStarting);
  check.Gone(kStart, "p-a-2");
  const Instant later = kStart + OneAtATime().progress_deadline + seconds(1);
  check.Observe(later, "a", 3, std::nullopt, one);
  check.Observe(later + seconds(1), "a", 3, std::nullopt, one);
  check.Request(later + seconds(1), Start("p-a-3", "a"));
  EXPECT_THAT(check.breaches(), IsEmpty());
}

}  // namespace
}  // namespace tidegate::sim
