// Every scenario that is shipped loads, runs and keeps what its pools are promised, and each shows
// what its comment says.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
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

namespace fs = std::filesystem;

using signals::PhaseCounts;
using signals::Quality;

const fs::path kFolder = fs::path(TIDEGATE_SOURCE_DIR) / "sim" / "scenarios";

// One tick of the only pool.
struct Look {
  double at = 0;  // seconds since the trace's start
  PhaseCounts counts;
  std::size_t exist = 0;
  Replicas desired = 0;
  Quality quality = Quality::kOk;
};

struct Story {
  RunResult run;
  std::vector<Look> looks;

  const PoolResult& pool() const { return run.summary.pools.at(0); }
  // Whether it holds at a tick in [from, to) seconds.
  bool Sometime(double from, double to, const std::function<bool(const Look&)>& what) const {
    return std::ranges::any_of(
        looks, [&](const Look& look) { return look.at >= from && look.at < to && what(look); });
  }
  Replicas MostReady(double from, double to) const {
    Replicas most = 0;
    for (const Look& look : looks) {
      if (look.at >= from && look.at < to) most = std::max(most, look.counts.ready);
    }
    return most;
  }
  Replicas LeastReady(double from, double to) const {
    Replicas least = kMaxReplicas;
    for (const Look& look : looks) {
      if (look.at >= from && look.at < to) least = std::min(least, look.counts.ready);
    }
    return least;
  }
};

Story Tell(const std::string& name) {
  Story story;
  const LoadedScenario loaded = LoadScenario((kFolder / name).string());
  EXPECT_EQ(loaded.problems.text(), "");
  const config::Compiled manifests = config::LoadAndCompile(loaded.scenario.manifests, {});
  EXPECT_EQ(manifests.problems.text(), "");
  const auto trace = traces::ReadTrace(loaded.scenario.trace);
  if (!trace) {
    ADD_FAILURE() << trace.error().message;
    return story;
  }
  Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) {
    const signals::PoolSnapshot& pool = snapshot.pools.at(0);
    story.looks.push_back({.at = Seconds(snapshot.at - loaded.scenario.start),
                           .counts = signals::Count(pool.replicas),
                           .exist = pool.replicas.size(),
                           .desired = 0,
                           .quality = pool.readings.at(0).quality});
  };
  recorder.decision = [&](const decision::Decision& decision) {
    story.looks.back().desired = decision.desired.replicas;
  };
  auto run = Simulate(loaded.scenario, manifests.config,
                      traces::Scaled(*trace, loaded.scenario.scale), recorder);
  if (!run) {
    ADD_FAILURE() << run.error().message;
    return story;
  }
  story.run = *std::move(run);
  return story;
}

std::vector<std::string> Shipped() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (text.find("\nkind: Scenario\n") != std::string::npos) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class ShippedScenarioTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedScenarioTest, LoadsRunsAndBreaksNoPromise) {
  const Story story = Tell(GetParam());
  ASSERT_FALSE(story.looks.empty());
  EXPECT_EQ(ToText(story.run.breaches), "");
  EXPECT_GT(story.pool().arrived, 0);
  EXPECT_GT(story.pool().starts, 0);
  // All of them end far below their peak.
  EXPECT_LT(story.looks.back().counts.ready, story.pool().peak_live);
}

INSTANTIATE_TEST_SUITE_P(All, ShippedScenarioTest, ::testing::ValuesIn(Shipped()),
                         [](const auto& test) {
                           std::string name = test.param.substr(0, test.param.find('.'));
                           std::erase(name, '_');
                           return name;
                         });

TEST(ShippedScenariosTest, AreTheOnesThatTheReadmeSpeaksOf) {
  EXPECT_THAT(Shipped(),
              ::testing::IsSupersetOf({"promotion.yaml", "class_start.yaml", "flash_crowd.yaml",
                                       "match_day.yaml", "slow_ramp.yaml", "zone_loss.yaml",
                                       "rollout_in_spike.yaml", "prometheus_outage.yaml",
                                       "deployment_rollout.yaml"}));
}

TEST(PromotionTest, TheJumpIsMetAfterItCame) {
  const Story story = Tell("promotion.yaml");
  EXPECT_GE(story.MostReady(180, 300), 9);
  EXPECT_GT(story.pool().short_of_capacity, Duration(5'000));
}

TEST(ClassStartTest, ThePoolShrinksBetweenTheLessons) {
  const Story story = Tell("class_start.yaml");
  EXPECT_GE(story.MostReady(600, 900), 6);
  EXPECT_EQ(story.LeastReady(1'500, 1'800), 2);
  EXPECT_GE(story.MostReady(1'800, 2'100), 6);
}

TEST(MatchDayTest, ThePoolGrowsInTheBreakAndIsSmallInTheSecondHalf) {
  const Story story = Tell("match_day.yaml");
  EXPECT_LE(story.MostReady(1'200, 2'100), 4);
  EXPECT_GE(story.MostReady(2'100, 2'400), 6);
  EXPECT_LE(story.MostReady(2'700, 3'600), 4);
  EXPECT_GE(story.MostReady(3'600, 3'900), 6);
}

TEST(SlowRampTest, NobodyWaitsForAReplica) {
  const Story story = Tell("slow_ramp.yaml");
  EXPECT_EQ(story.pool().short_of_capacity, Duration(0));
  EXPECT_EQ(story.pool().lost, 0);
  EXPECT_GE(story.pool().peak_live, 9);
}

TEST(ZoneLossTest, ReplacementsStartAtOnceWithinTheQuota) {
  const Story story = Tell("zone_loss.yaml");
  EXPECT_TRUE(story.Sometime(230, 240, [](const Look& look) { return look.counts.failed >= 3; }));
  EXPECT_TRUE(story.Sometime(230, 260, [](const Look& look) {
    return look.counts.failed == 0 && look.counts.ready >= look.desired;
  }));
  EXPECT_FALSE(story.Sometime(0, 1'000, [](const Look& look) { return look.exist > 16; }));
}

TEST(RolloutInSpikeTest, GrowsAndRollsOutWithinTheQuota) {
  const Story story = Tell("rollout_in_spike.yaml");
  EXPECT_GE(story.MostReady(30, 80), 9);
  EXPECT_TRUE(story.Sometime(30, 80, [](const Look& look) { return look.counts.draining > 0; }));
  EXPECT_FALSE(story.Sometime(0, 1'000, [](const Look& look) { return look.exist > 12; }));
}

TEST(PrometheusOutageTest, ThePoolKeepsItsSizeWhileNothingIsKnown) {
  const Story story = Tell("prometheus_outage.yaml");
  Replicas before = 0;
  for (const Look& look : story.looks) {
    if (look.at < 220) before = look.desired;
    if (look.at < 220 || look.at >= 340) continue;
    EXPECT_EQ(look.quality, Quality::kError) << look.at;
    EXPECT_EQ(look.desired, before) << look.at;
  }
  EXPECT_GE(before, 6);
  EXPECT_TRUE(
      story.Sometime(340, 400, [](const Look& look) { return look.quality == Quality::kOk; }));
}

}  // namespace
}  // namespace tidegate::sim
