// A Deployment's rollouts over time: R is the time from a pod's creation until it is available.

#include "sim/world/deployment_controller.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/world/fluid_pool.h"

namespace tidegate::sim {
namespace {

using signals::Phase;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr Duration kR = seconds(100);

struct World {
  World(Replicas replicas, const DeploymentOptions& options, Duration drain,
        const Placement& placement)
      : calendar(kStart),
        trace{.bin = seconds(1), .requests = {0}},
        pool(calendar, MakePool(drain), placement),
        controller(calendar, pool, "edge", options) {
    for (Replicas i = 1; i <= replicas; ++i) pool.Start("edge-a-" + std::to_string(i), "a");
    calendar.RunUntil(kStart + kR);
    controller.Adopt("a", replicas);
    controller.Tell([this](const DeploymentLook& look) { See(look); });
  }

  std::unique_ptr<PoolModel> MakePool(Duration drain) {
    ServiceModel model;
    model.startup = kR;
    model.drain = drain;
    return std::make_unique<FluidPool>(calendar, trace, kStart, model);
  }

  void See(const DeploymentLook& look) {
    for (const Resize& resize : look.resizes) {
      steps.push_back(resize.revision + (resize.to > resize.from ? "+" : "") +
                      std::to_string(resize.to - resize.from));
      if (!times.empty() && times.back() == look.at) continue;
      times.push_back(look.at);
    }
    if (!look.started.empty()) waves.push_back(static_cast<Replicas>(look.started.size()));
    refusal = look.refusal;
    const auto counts = signals::Count(pool.Views());
    most = std::max(most, counts.live());
    most_terminating = std::max(most_terminating, counts.draining);
    least = std::min(least, counts.ready);
  }

  // Until the rollout is complete, or for an hour; in units of R.
  std::optional<double> Roll() {
    const Instant begin = calendar.Now();
    controller.SetRevision("b");
    for (int i = 0; i < 3600; ++i) {
      if (IsComplete(controller.deployment())) {
        return static_cast<double>((calendar.Now() - begin).count()) /
               static_cast<double>(kR.count());
      }
      calendar.RunUntil(calendar.Now() + seconds(1));
    }
    return std::nullopt;
  }

  Calendar calendar;
  traces::Trace trace;
  PlacedPool pool;
  DeploymentController controller;
  std::vector<std::string> steps;
  std::vector<Instant> times;  // of steps
  std::vector<Replicas> waves;
  std::string refusal;
  Replicas most = 0;
  Replicas most_terminating = 0;
  Replicas least = kMaxReplicas;
};

DeploymentOptions Budgets(Replicas surge, Replicas unavailable) {
  DeploymentOptions options;
  options.surge = {surge, true};
  options.unavailable = {unavailable, true};
  return options;
}

TEST(DeploymentRolloutTest, TenAtSurge100Unavailable25) {
  World world(10, Budgets(100, 25), seconds(30), {});
  EXPECT_EQ(world.Roll(), 1.0);
  EXPECT_THAT(world.steps, ElementsAre("b+10", "a-2", "a-8"));
  EXPECT_EQ(world.most, 18);
  EXPECT_EQ(world.least, 8);
}

TEST(DeploymentPodsTest, OneThatDiesIsReplacedAtTheNextLook) {
  World world(3, Budgets(25, 25), seconds(30), {});
  world.pool.Crash("edge-a-2");
  EXPECT_EQ(world.pool.Views().size(), 3U);
  world.calendar.RunUntil(kStart + kR + seconds(1));
  EXPECT_FALSE(world.pool.Knows("edge-a-2"));
  EXPECT_THAT(world.waves, ElementsAre(1));
  EXPECT_EQ(signals::Count(world.pool.Views()).starting, 1);
  EXPECT_EQ(signals::Count(world.pool.Views()).ready, 2);
}

TEST(DeploymentRolloutTest, TerminatingPodsComeOnTop) {
  World world(10, Budgets(100, 25), seconds(30), {});
  world.controller.SetRevision("b");
  EXPECT_EQ(StatusOf(world.controller.deployment()).replicas, 18);
  EXPECT_EQ(world.controller.terminating(), 2);
  EXPECT_EQ(world.pool.Views().size(), 20U);
}

TEST(DeploymentRolloutTest, TenAtSurge100Unavailable0) {
  World world(10, Budgets(100, 0), seconds(30), {});
  EXPECT_EQ(world.Roll(), 1.0);
  EXPECT_THAT(world.steps, ElementsAre("b+10", "a-10"));
  EXPECT_EQ(world.most, 20);
  EXPECT_EQ(world.least, 10);
}

TEST(DeploymentRolloutTest, TenAtSurge25Unavailable25) {
  World world(10, Budgets(25, 25), seconds(30), {});
  EXPECT_EQ(world.Roll(), 2.0);
  EXPECT_THAT(world.steps, ElementsAre("b+3", "a-2", "b+2", "a-5", "b+5", "a-3"));
  EXPECT_EQ(world.most, 13);
  EXPECT_EQ(world.least, 8);
}

TEST(DeploymentRolloutTest, FourAtSurge100Unavailable25) {
  World world(4, Budgets(100, 25), seconds(30), {});
  EXPECT_EQ(world.Roll(), 1.0);
  EXPECT_THAT(world.steps, ElementsAre("b+4", "a-1", "a-3"));
  EXPECT_EQ(world.most, 7);
  EXPECT_EQ(world.least, 3);
}

TEST(DeploymentRolloutTest, FortyAtSurge100Unavailable25) {
  World world(40, Budgets(100, 25), seconds(30), {});
  EXPECT_EQ(world.Roll(), 1.0);
  EXPECT_THAT(world.steps, ElementsAre("b+40", "a-10", "a-30"));
  EXPECT_EQ(world.most, 70);
  EXPECT_EQ(world.least, 30);
}

TEST(DeploymentRolloutTest, FortyAtSurge25Unavailable25) {
  World world(40, Budgets(25, 25), seconds(30), {});
  EXPECT_EQ(world.Roll(), 2.0);
  EXPECT_THAT(world.steps, ElementsAre("b+10", "a-10", "b+10", "a-20", "b+20", "a-10"));
  EXPECT_EQ(world.most, 50);
  EXPECT_EQ(world.least, 30);
}

TEST(DeploymentQuotaTest, TwelveOfTenAtSurge100GoInWavesOfFour) {
  World world(10, Budgets(100, 25), seconds(0), {.quota = 12});
  EXPECT_EQ(world.Roll(), 3.0);
  // The two that the quota has left, then the two whose place became free at that instant.
  EXPECT_THAT(world.waves, ElementsAre(2, 2, 4, 2));
  EXPECT_EQ(world.most, 12);
  EXPECT_EQ(world.least, 8);
}

TEST(DeploymentQuotaTest, TwelveOfTenWithADrainGoInWavesOfTwo) {
  World world(10, Budgets(100, 25), seconds(30), {.quota = 12});
  EXPECT_EQ(world.Roll(), 3.6);
  EXPECT_THAT(world.waves, ElementsAre(2, 2, 2, 2, 2));
  EXPECT_EQ(world.most, 12);
  EXPECT_EQ(world.least, 8);
}

TEST(DeploymentQuotaTest, TenOfTenWithADrainGoInWavesOfTwo) {
  World world(10, Budgets(100, 25), seconds(30), {.quota = 10});
  EXPECT_EQ(world.Roll(), 6.5);
  EXPECT_THAT(world.waves, ElementsAre(2, 2, 2, 2, 2));
  EXPECT_EQ(world.most, 10);
  EXPECT_EQ(world.least, 8);
}

TEST(DeploymentQuotaTest, TenOfTenThatMayNotLoseOneIsADeadlock) {
  World world(10, Budgets(100, 0), seconds(30), {.quota = 10});
  EXPECT_EQ(world.Roll(), std::nullopt);
  EXPECT_EQ(world.most, 10);
  EXPECT_EQ(world.least, 10);
  EXPECT_EQ(world.refusal, "10 pods of b: 10 replicas exist of at most 10");
}

TEST(DeploymentQuotaTest, WhatIsRefusedIsTriedAgainWhenThereIsRoom) {
  World world(4, Budgets(100, 25), seconds(30), {.quota = 6});
  world.controller.Scale(8);
  EXPECT_EQ(world.refusal, "2 pods of a: 6 replicas exist of at most 6");
  world.controller.Scale(5);
  EXPECT_EQ(world.refusal, "");
  world.calendar.RunUntil(world.calendar.Now() + 2 * kR);
  EXPECT_EQ(StatusOf(world.controller.deployment()).available, 5);
}

TEST(DeploymentPodsTest, ReadyPodsAreAvailableAfterMinReady) {
  DeploymentOptions options = Budgets(100, 25);
  options.min_ready = seconds(50);
  World world(10, options, seconds(30), {});
  world.calendar.RunUntil(world.calendar.Now() + seconds(60));
  EXPECT_EQ(world.Roll(), 1.5);
}

TEST(DeploymentPodsTest, UnreadyOnesGoFirstThenTheYoungest) {
  World world(2, Budgets(100, 25), seconds(30), {});
  world.controller.Scale(4);
  world.calendar.RunUntil(world.calendar.Now() + kR + seconds(1));
  world.controller.Scale(6);
  std::vector<std::string> drained;
  world.controller.Tell([&](const DeploymentLook& look) {
    drained.insert(drained.end(), look.drained.begin(), look.drained.end());
  });
  world.controller.Scale(3);
  EXPECT_THAT(drained, ElementsAre("edge-a-5", "edge-a-6", "edge-a-3"));
}

TEST(DeploymentPodsTest, OfALostZoneAreReplacedOnlyOnceTheyAreEvicted) {
  World world(6, Budgets(100, 25), seconds(30),
              {.zones = {"a", "b", "c"}, .losses = {{"b", kR + seconds(10), minutes(20)}}});
  const Instant lost = kStart + kR + seconds(10);
  world.calendar.RunUntil(lost);
  EXPECT_EQ(signals::Count(world.pool.Views()).failed, 2);
  world.calendar.RunUntil(lost + seconds(299));
  EXPECT_EQ(StatusOf(world.controller.deployment()).replicas, 6);
  EXPECT_EQ(StatusOf(world.controller.deployment()).available, 4);
  world.calendar.RunUntil(lost + seconds(300) + kR + seconds(1));
  EXPECT_TRUE(IsComplete(world.controller.deployment()));
  EXPECT_EQ(world.pool.ZoneOf("edge-a-7"), "a");
  EXPECT_EQ(world.pool.ZoneOf("edge-a-8"), "c");
}

TEST(DeploymentPodsTest, OfAZoneThatComesBackAreReplacedThen) {
  World world(6, Budgets(100, 25), seconds(30),
              {.zones = {"a", "b", "c"}, .losses = {{"b", kR, seconds(20)}}});
  world.calendar.RunUntil(kStart + kR + seconds(21) + kR);
  EXPECT_TRUE(IsComplete(world.controller.deployment()));
  EXPECT_EQ(world.pool.ZoneOf("edge-a-7"), "b");
}

}  // namespace
}  // namespace tidegate::sim
