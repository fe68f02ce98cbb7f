// Ticks that wait for Prometheus and for the fleet: what the daemon does then, in the simulator.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;

struct Played {
  RunResult run;
  std::vector<signals::PoolSnapshot> seen;  // of each tick
  std::vector<decision::Decision> decisions;
  std::vector<TickTimes> ticks;

  const PoolResult& pool() const { return run.summary.pools.at(0); }
  // From each tick to the one before.
  std::vector<Duration> Gaps() const {
    std::vector<Duration> gaps;
    for (std::size_t i = 1; i < decisions.size(); ++i) {
      gaps.push_back(decisions[i].at - decisions[i - 1].at);
    }
    return gaps;
  }
};

Scenario FlashCrowd(const TickModel& takes) {
  LoadedScenario loaded = LoadScenario(TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml");
  EXPECT_EQ(loaded.problems.text(), "");
  loaded.scenario.tick = seconds(1);
  loaded.scenario.tick_takes = takes;
  loaded.scenario.early_ticks = false;  // they are early_ticks_test's
  return loaded.scenario;
}

Played Play(const Scenario& scenario) {
  Played played;
  config::Compiled compiled = config::LoadAndCompile(scenario.manifests, {});
  EXPECT_EQ(compiled.problems.text(), "");
  const auto trace = traces::ReadTrace(scenario.trace);
  EXPECT_TRUE(trace);
  Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) {
    played.seen.push_back(snapshot.pools.at(0));
  };
  recorder.decision = [&](const decision::Decision& decision) {
    played.decisions.push_back(decision);
  };
  recorder.tick = [&](const loop::ControlLoop&, World&, const TickTimes& times) {
    played.ticks.push_back(times);
  };
  auto run = Simulate(scenario, compiled.config, *trace, recorder);
  EXPECT_TRUE(run) << run.error().message;
  if (run) played.run = *std::move(run);
  EXPECT_EQ(ToText(played.run.breaches), "");
  return played;
}

// When each replica that a tick asked for began to start, since that tick.
std::map<std::string, Duration> StartDelays(const Played& played) {
  std::map<std::string, Instant> asked, began;
  for (const decision::Decision& decision : played.decisions) {
    for (const rollout::Step& step : decision.plan.steps) {
      if (step.kind == rollout::StepKind::kStart) asked.emplace(step.replica, decision.at);
    }
  }
  for (const signals::PoolSnapshot& pool : played.seen) {
    for (const signals::ReplicaView& view : pool.replicas) began.emplace(view.name, view.started);
  }
  std::map<std::string, Duration> delays;
  for (const auto& [name, at] : asked) {
    const auto start = began.find(name);
    if (start != began.end()) delays.emplace(name, start->second - at);
  }
  return delays;
}

TEST(TickOverrunTest, ATickThatFitsIntoItsPeriodDelaysStepsAndNoTick) {
  const Played played = Play(FlashCrowd({.queries = Duration(700)}));
  EXPECT_THAT(played.Gaps(), Each(seconds(1)));
  const auto delays = StartDelays(played);
  EXPECT_GE(delays.size(), 4U);
  for (const auto& [name, delay] : delays) EXPECT_EQ(delay, Duration(700)) << name;
  for (const TickTimes& times : played.ticks) EXPECT_EQ(times.late, Duration(0));
}

TEST(TickOverrunTest, OneThatDoesNotIsFollowedAtOnceAndNoneIsMadeUpFor) {
  const Played played = Play(FlashCrowd({.queries = Duration(2'500)}));
  EXPECT_THAT(played.Gaps(), Each(Duration(2'500)));
  ASSERT_GE(played.ticks.size(), 3U);
  EXPECT_EQ(played.ticks[0].late, Duration(0));
  for (std::size_t i = 1; i < played.ticks.size(); ++i) {
    EXPECT_EQ(played.ticks[i].late, Duration(1'500));
    EXPECT_LE(played.ticks[i].took, Duration(2'500));  // the last one ends with the run
  }
}

TEST(TickOverrunTest, StepsAreTakenOneAfterTheOther) {
  const Played played = Play(FlashCrowd({.queries = Duration(100), .each_step = Duration(600)}));
  const Played swift = Play(FlashCrowd({}));
  std::size_t most = 0;
  for (std::size_t i = 0; i + 1 < played.ticks.size(); ++i) {
    const auto steps = played.decisions[i].plan.steps.size();
    most = std::max(most, steps);
    const Duration took = Duration(100) + Duration(600) * static_cast<int>(steps);
    EXPECT_EQ(played.ticks[i].took, took);
    EXPECT_EQ(played.Gaps()[i], std::max<Duration>(seconds(1), took));
  }
  EXPECT_GE(most, 2U);  // so that a tick overran because of its steps
  EXPECT_GE(played.pool().short_of_capacity, swift.pool().short_of_capacity);
}

TEST(TickOverrunTest, QueriesThatTakeTooLongAreErrorsAndShrinkNothing) {
  const Played played = Play(FlashCrowd({.queries = seconds(3), .query_timeout = Duration(2'000)}));
  EXPECT_THAT(played.Gaps(), Each(seconds(2)));
  for (const decision::Decision& decision : played.decisions) {
    ASSERT_FALSE(decision.readings.empty());
    EXPECT_EQ(decision.readings[0].quality, signals::Quality::kError);
    EXPECT_THAT(decision.readings[0].detail, HasSubstr("no answer within 2s"));
  }
  EXPECT_EQ(played.pool().drains, 0);
}

TEST(TickOverrunTest, ATemplateThatChangesDuringATickIsReadAfterIt) {
  Scenario scenario = FlashCrowd({.queries = Duration(2'500)});
  scenario.fleet.rollouts = {seconds(20) + Duration(250)};
  const Played played = Play(scenario);
  for (std::size_t i = 1; i < played.decisions.size(); ++i) {
    const auto& decision = played.decisions[i];
    const bool begun = decision.at >= scenario.start + scenario.fleet.rollouts[0];
    EXPECT_EQ(decision.revision != played.decisions[0].revision, begun) << i;
  }
  EXPECT_GE(played.decisions.size(), 20U);
}

}  // namespace
}  // namespace tidegate::sim
