// Ticks that don't wait for their period because something happened, as the daemon's.

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/compile.h"
#include "scheduler/loop/next_tick.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::Each;

constexpr Duration kGap = loop::NextTick::kLeastGap;

Scenario FlashCrowd() {
  LoadedScenario loaded = LoadScenario(TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml");
  EXPECT_EQ(loaded.problems.text(), "");
  loaded.scenario.tick = seconds(5);
  loaded.scenario.service.startup = Duration(1'700);
  return loaded.scenario;
}

std::vector<decision::Decision> Play(const Scenario& scenario) {
  std::vector<decision::Decision> decisions;
  const config::Compiled compiled = config::LoadAndCompile(scenario.manifests, {});
  const auto trace = traces::ReadTrace(scenario.trace);
  Recorder recorder;
  recorder.decision = [&](const decision::Decision& decision) { decisions.push_back(decision); };
  const auto run = Simulate(scenario, compiled.config, *trace, recorder);
  EXPECT_TRUE(run) << run.error().message;
  EXPECT_EQ(run ? ToText(run->breaches) : "", "");
  return decisions;
}

std::vector<Duration> Gaps(const std::vector<decision::Decision>& decisions) {
  std::vector<Duration> gaps;
  for (std::size_t i = 1; i < decisions.size(); ++i) {
    gaps.push_back(decisions[i].at - decisions[i - 1].at);
  }
  return gaps;
}

TEST(EarlyTicksTest, AStepIsFollowedAtOnceAndSoIsAReplicaThatGetsReady) {
  const Scenario scenario = FlashCrowd();
  const auto decisions = Play(scenario);
  bool alone = false;  // a start whose replica nothing else disturbed
  for (std::size_t i = 0; i + 2 < decisions.size(); ++i) {
    const Duration next = decisions[i + 1].at - decisions[i].at;
    if (decisions[i].plan.steps.empty()) continue;
    EXPECT_EQ(next, kGap) << i;
    const bool start = decisions[i].plan.steps[0].kind == rollout::StepKind::kStart;
    if (!start || !decisions[i + 1].plan.steps.empty()) continue;
    EXPECT_LE(decisions[i + 2].at - decisions[i].at, scenario.service.startup) << i;
    alone = alone || decisions[i + 2].at - decisions[i].at == scenario.service.startup;
  }
  EXPECT_TRUE(alone);
}

TEST(EarlyTicksTest, TicksAreNeitherCloserThanTheGapNorFurtherThanThePeriod) {
  const auto gaps = Gaps(Play(FlashCrowd()));
  EXPECT_EQ(*std::ranges::max_element(gaps), seconds(5));
  EXPECT_EQ(*std::ranges::min_element(gaps), kGap);
  EXPECT_THAT(gaps, Contains(::testing::Gt(kGap)));
}

TEST(EarlyTicksTest, TheyCanBeOffAndAreWithADeployment) {
  Scenario off = FlashCrowd();
  off.early_ticks = false;
  EXPECT_THAT(Gaps(Play(off)), Each(seconds(5)));
  Scenario deployment = FlashCrowd();
  deployment.fleet.owner = Owner::kDeployment;
  EXPECT_THAT(Gaps(Play(deployment)), Each(seconds(5)));
  deployment.early_ticks = true;
  EXPECT_THAT(Gaps(Play(deployment)), Contains(kGap));
}

TEST(EarlyTicksTest, ANewTemplateIsActedOnAtOnce) {
  Scenario scenario = FlashCrowd();
  scenario.fleet.rollouts = {seconds(13) + Duration(250)};
  const Instant changed = scenario.start + scenario.fleet.rollouts[0];
  const auto decisions = Play(scenario);
  const auto first = std::ranges::find_if(
      decisions, [&](const auto& one) { return one.revision != decisions[0].revision; });
  ASSERT_NE(first, decisions.end());
  EXPECT_EQ(first->at, changed);
}

TEST(EarlyTicksTest, WhatHappensWhileATickWaitsIsActedOnAfterIt) {
  Scenario scenario = FlashCrowd();
  scenario.tick_takes.queries = seconds(3);  // replicas get ready meanwhile
  const auto gaps = Gaps(Play(scenario));
  EXPECT_EQ(*std::ranges::min_element(gaps), seconds(3) + kGap);
}

TEST(EarlyTicksTest, TheFirstTickIsWhenTheScenarioSays) {
  Scenario scenario = FlashCrowd();
  scenario.first_tick = Duration(137);
  EXPECT_EQ(Play(scenario)[0].at, scenario.start + Duration(137));
  scenario.first_tick.reset();
  EXPECT_EQ(Play(scenario)[0].at, scenario.start + scenario.service.startup + Duration(1));
}

}  // namespace
}  // namespace tidegate::sim
