// Journals decided again: what a replay carries on, and what it makes of the differences.
#include "scheduler/decision/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/decision/replay.h"
#include "tests/testing/recorded_story.h"

namespace tidegate::decision {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);
constexpr Duration kStep = seconds(60);

PoolSpec WithWindow(Duration down) {
  PoolSpec spec = testing::StorySpec();
  spec.guards.behavior.down.stabilization_window = down;
  spec.config_version = "0000beef";
  return spec;
}

// 2 -> 10 replicas, then 2 again once five minutes have passed.
std::vector<Decision> Recorded() {
  const std::vector<double> loads{100, 500, 500, 100, 100, 100, 100, 100, 100, 100};
  return testing::RecordedStory(testing::StorySpec(), kStart, kStep, loads);
}

std::vector<Replicas> Sizes(const std::vector<Decision>& decisions) {
  std::vector<Replicas> sizes;
  for (const Decision& decision : decisions) sizes.push_back(decision.desired.replicas);
  return sizes;
}

std::vector<Decision> Replayed(const PoolSpec& spec, const std::vector<Decision>& recorded) {
  Replay replay(spec);
  std::vector<Decision> decisions;
  for (const Decision& decision : recorded) decisions.push_back(replay.Next(decision));
  return decisions;
}

PoolDiff DiffOf(const PoolSpec& spec, const std::vector<Decision>& recorded,
                Instant since = kStart) {
  Differ differ(spec, since);
  for (const Decision& decision : recorded) differ.Take(decision);
  return std::move(differ).Finish();
}

TEST(ReplayTest, DecidesAsRecordedUnderTheSameSpec) {
  const std::vector<Decision> recorded = Recorded();
  ASSERT_THAT(Sizes(recorded), ElementsAre(2, 6, 10, 10, 10, 10, 10, 2, 2, 2));
  EXPECT_EQ(Sizes(Replayed(testing::StorySpec(), recorded)), Sizes(recorded));
}

TEST(ReplayTest, GoesOnFromItsOwnSize) {
  PoolSpec spec = WithWindow(Duration(0));
  spec.guards.behavior.down.policies = {{guards::PolicyType::kPods, 1, seconds(60)}};
  EXPECT_THAT(Sizes(Replayed(spec, Recorded())), ElementsAre(2, 6, 10, 9, 8, 7, 6, 5, 4, 3));
}

TEST(ReplayTest, HoldsThePoolWhereTheFleetCouldNotBeSeen) {
  std::vector<Decision> recorded = Recorded();
  recorded[2].error = "the fleet can't be observed: timeout";
  EXPECT_THAT(Sizes(Replayed(WithWindow(Duration(0)), recorded)),
              ElementsAre(2, 6, 6, 2, 2, 2, 2, 2, 2, 2));
}

TEST(ReplayTest, FindsWhatEachReplicaSaid) {
  PoolSpec spec = testing::StorySpec();
  spec.policies = {FindPolicy("hpa")->options};
  sizing::HpaMetric metric;
  metric.signal = "rps";
  metric.type = sizing::HpaType::kPods;
  std::get<sizing::HpaOptions>(spec.policies[0]).metrics = {metric};
  std::vector<Decision> recorded = Recorded();
  recorded.resize(1);
  recorded[0].readings[0].each = {{"edge-1", 100, Duration(0)}, {"edge-2", 100, Duration(0)}};
  EXPECT_THAT(Sizes(Replayed(spec, recorded)), ElementsAre(4)) << "two replicas, at twice 50 rps";
}

TEST(ReplayTest, BecomesAnotherSpecWithTheMemoryOfTheFirst) {
  const std::vector<Decision> recorded = Recorded();
  Replay replay(testing::StorySpec());
  for (int i = 0; i < 4; ++i) replay.Next(recorded[static_cast<std::size_t>(i)]);
  Replay other = replay;
  PoolSpec spec = testing::StorySpec();
  spec.guards.without.Add(guards::Stage::kStabilization);
  other.Become(spec);
  EXPECT_EQ(other.Next(recorded[4]).desired.replicas, 2);
  EXPECT_EQ(replay.Next(recorded[4]).desired.replicas, 10);
}

TEST(ReplayTest, KeepsAHistoryForPoliciesThatLearnFromIt) {
  PoolSpec spec = testing::StorySpec();
  spec.policies = {FindPolicy("forecast")->options};
  const Decision last = Replayed(spec, Recorded()).back();
  ASSERT_EQ(last.proposals.size(), 2U);
  EXPECT_THAT(last.proposals[1].note, HasSubstr("forecasts have come due"));
}

TEST(ReplayTest, NeedsAllOfAPastWhereThePolicyLearnsFromIt) {
  PoolSpec spec = testing::StorySpec();
  EXPECT_EQ(WarmUp(spec), hours(1));
  spec.policies = {FindPolicy("forecast")->options};
  EXPECT_EQ(WarmUp(spec), signals::History::kSpan);
}

TEST(DifferTest, FindsNothingUnderTheSameSpec) {
  const PoolDiff diff = DiffOf(testing::StorySpec(), Recorded());
  EXPECT_EQ(diff.decisions, 10);
  EXPECT_EQ(diff.differing, 0);
  EXPECT_THAT(diff.stretches, IsEmpty());
  EXPECT_EQ(diff.recorded_hours, diff.replayed_hours);
}

TEST(DifferTest, JoinsNeighboursToAStretch) {
  const PoolDiff diff = DiffOf(WithWindow(Duration(0)), Recorded());
  EXPECT_EQ(diff.differing, 4);
  ASSERT_EQ(diff.stretches.size(), 1U);
  const Stretch& stretch = diff.stretches[0];
  EXPECT_EQ(stretch.begin, kStart + 3 * kStep);
  EXPECT_EQ(stretch.end, kStart + 7 * kStep);
  EXPECT_EQ(stretch.decisions, 4);
  EXPECT_EQ(stretch.recorded, (SizeRange{10, 10}));
  EXPECT_EQ(stretch.replayed, (SizeRange{2, 2}));
  EXPECT_EQ(stretch.recorded_reason, guards::Reason::kScaleDownStabilized);
  EXPECT_EQ(stretch.replayed_reason, guards::Reason::kDesiredWithinRange);
}

TEST(DifferTest, CountsReplicaHoursOfBoth) {
  const PoolDiff diff = DiffOf(WithWindow(Duration(0)), Recorded());
  // A minute each of 2, 6, five times 10, 2 and 2; the last decision has lasted no time.
  EXPECT_NEAR(diff.recorded_hours, 62.0 / 60, 1e-12);
  EXPECT_NEAR(diff.replayed_hours, (62.0 - 4 * 8) / 60, 1e-12);
  EXPECT_NEAR(diff.stretches[0].recorded_hours, 40.0 / 60, 1e-12);
}

TEST(DifferTest, AStretchThatIsNotOverEndsWithTheRecord) {
  std::vector<Decision> recorded = Recorded();
  recorded.resize(6);
  const PoolDiff diff = DiffOf(WithWindow(Duration(0)), recorded);
  ASSERT_EQ(diff.stretches.size(), 1U);
  EXPECT_EQ(diff.stretches[0].end, recorded.back().at);
}

TEST(DifferTest, WhatComesBeforeOnlyTeaches) {
  const Instant since = kStart + 5 * kStep;
  const PoolDiff diff = DiffOf(WithWindow(Duration(0)), Recorded(), since);
  EXPECT_EQ(diff.begin, since);
  EXPECT_EQ(diff.decisions, 5);
  EXPECT_EQ(diff.differing, 2);
  EXPECT_EQ(diff.stretches.at(0).begin, since);
}

TEST(DifferTest, NamesSignalsThatWereNeverRecorded) {
  PoolSpec spec = testing::StorySpec();
  spec.targets.push_back({"latency", 0.25, signals::Measure::kLatency});
  spec.targets.push_back({"watched", std::nullopt, signals::Measure::kOther});
  EXPECT_THAT(DiffOf(spec, Recorded()).missing, ElementsAre("latency"));
}

TEST(DifferTest, TellsItsOwnErrorsFromWhatTheConfigurationChanges) {
  std::vector<Decision> recorded = Recorded();
  recorded[1].desired.replicas = 17;  // as something may have led to that is not in the record
  EXPECT_EQ(DiffOf(testing::StorySpec(), recorded).unexplained, 1);
  PoolSpec other = testing::StorySpec();
  other.config_version = "0000beef";
  EXPECT_EQ(DiffOf(other, recorded).unexplained, 0);
}

TEST(DiffTextTest, SaysThatNothingWasRecorded) {
  EXPECT_EQ(ToText(DiffOf(testing::StorySpec(), {})), "shop/edge: no decision was recorded\n");
}

TEST(DiffTextTest, ListsStretchesWithSizesAndReasons) {
  EXPECT_EQ(ToText(DiffOf(WithWindow(Duration(0)), Recorded())),
            "shop/edge: 4 of 10 decisions would differ, 2027-01-15T08:00:00Z .. "
            "2027-01-15T08:09:00Z\n"
            "  replicas 2..10 -> 2..10, replica-hours 1.03 -> 0.50 (-51.6 %)\n"
            "  2027-01-15T08:03:00Z for 4m, 4 decisions: 10 -> 2 replicas, ScaleDownStabilized -> "
            "DesiredWithinRange\n");
}

TEST(DiffTextTest, ShowsTwentyStretchesAtMost) {
  std::vector<double> loads;
  for (int i = 0; i < 60; ++i) loads.push_back(i % 2 == 0 ? 100 : 200);
  PoolSpec calm = testing::StorySpec();
  PoolSpec nervous = WithWindow(Duration(0));
  const auto recorded = testing::RecordedStory(calm, kStart, kStep, loads);
  EXPECT_THAT(ToText(DiffOf(nervous, recorded)),
              HasSubstr("  and 9 more times; --output json lists them\n"));
}

}  // namespace
}  // namespace tidegate::decision
