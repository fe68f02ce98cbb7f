#include "sim/world/placed_pool.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/world/fluid_pool.h"
#include "sim/world/request_pool.h"

namespace tidegate::sim {
namespace {

using signals::Phase;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

struct World {
  explicit World(const Placement& placement)
      : calendar(kStart),
        trace{.bin = seconds(1), .requests = std::vector<double>(100, 10)},
        pool(calendar, std::make_unique<FluidPool>(calendar, trace, kStart, Model()), placement) {}

  static ServiceModel Model() {
    ServiceModel model;
    model.startup = seconds(2);
    model.drain = seconds(5);
    return model;
  }
  void Start(int count) {
    for (int i = 0; i < count; ++i) pool.Start("r" + std::to_string(next++), "a");
  }
  void RunTo(int second) { calendar.RunUntil(kStart + seconds(second)); }
  std::string Zones() const {
    std::string zones;
    for (const auto& view : pool.Views()) zones += pool.ZoneOf(view.name);
    return zones;
  }
  std::string Phases() const {
    std::string phases;
    for (const auto& view : pool.Views()) phases += signals::Name(view.phase)[0];
    return phases;
  }

  Calendar calendar;
  traces::Trace trace;
  PlacedPool pool;
  int next = 1;
};

TEST(PlacedPoolTest, WithoutLimitsItIsThePoolInside) {
  World world({});
  world.Start(3);
  world.RunTo(3);
  EXPECT_EQ(world.Phases(), "rrr");
  EXPECT_EQ(world.Zones(), "");
  EXPECT_TRUE(world.pool.HasRoom());
}

TEST(PlacedPoolTest, DrainingReplicasHoldTheQuota) {
  World world({.quota = 2});
  world.Start(1);
  EXPECT_TRUE(world.pool.HasRoom());
  world.Start(1);
  ASSERT_FALSE(world.pool.HasRoom());
  EXPECT_EQ(world.pool.HasRoom().error().message, "2 replicas exist of at most 2");
  world.RunTo(3);
  world.pool.Drain("r1");
  world.RunTo(7);
  EXPECT_FALSE(world.pool.HasRoom());
  world.RunTo(8);
  EXPECT_TRUE(world.pool.HasRoom());
}

TEST(PlacedPoolTest, ReplicasSpreadOverZones) {
  World world({.zones = {"a", "b", "c"}});
  world.Start(4);
  EXPECT_EQ(world.Zones(), "abca");
  world.RunTo(3);
  world.pool.Drain("r2");
  world.RunTo(8);
  world.Start(1);
  EXPECT_EQ(world.pool.ZoneOf("r5"), "b");
}

TEST(PlacedPoolTest, ALostZoneTakesItsReplicasAndNoNewOnesUntilItIsBack) {
  World world({.zones = {"a", "b"}, .losses = {{"a", seconds(5), seconds(10)}}});
  world.Start(4);
  world.RunTo(4);
  EXPECT_EQ(world.Phases(), "rrrr");
  world.RunTo(5);
  EXPECT_EQ(world.Phases(), "frfr");
  EXPECT_TRUE(world.pool.IsCutOff("r1"));
  EXPECT_EQ(world.pool.Served("r1"), std::nullopt);
  world.Start(1);
  EXPECT_EQ(world.pool.ZoneOf("r5"), "b");
  world.RunTo(15);
  EXPECT_FALSE(world.pool.IsCutOff("r1"));
  EXPECT_EQ(world.Phases(), "frfrr");  // what failed stays so
  world.Start(1);
  EXPECT_EQ(world.pool.ZoneOf("r6"), "a");
}

TEST(PlacedPoolTest, AFailedReplicaIsGoneOnceItIsDrained) {
  World world({.quota = 2, .zones = {"a", "b"}, .losses = {{"a", seconds(5), seconds(10)}}});
  world.Start(2);
  world.RunTo(6);
  EXPECT_FALSE(world.pool.HasRoom());
  world.pool.Drain("r1");
  EXPECT_EQ(world.Phases(), "r");
  EXPECT_FALSE(world.pool.Knows("r1"));
  EXPECT_TRUE(world.pool.HasRoom());
  world.RunTo(20);
  EXPECT_EQ(world.Phases(), "r");
}

TEST(PlacedPoolTest, AStartingReplicaOfALostZoneNeverBecomesReady) {
  World world({.zones = {"a"}, .losses = {{"a", seconds(1), seconds(1)}}});
  world.Start(1);
  world.RunTo(1);
  EXPECT_EQ(world.pool.HasRoom().error().message, "no zone is up");
  world.RunTo(10);
  EXPECT_EQ(world.Phases(), "f");
}

TEST(PlacedPoolTest, WhatDrainsInALostZoneIsGone) {
  World world({.zones = {"a", "b"}, .losses = {{"a", seconds(5), seconds(10)}}});
  world.Start(2);
  world.RunTo(4);
  world.pool.Drain("r1");
  EXPECT_EQ(world.Phases(), "dr");
  world.RunTo(5);
  EXPECT_EQ(world.Phases(), "r");
}

TEST(PlacedPoolTest, ALostZoneFailsTheRequestsInIt) {
  Calendar calendar(kStart);
  const traces::Trace trace{.bin = seconds(1), .requests = std::vector<double>(10, 10)};
  ServiceModel model = World::Model();
  model.service_seconds = 2;
  PlacedPool pool(calendar, std::make_unique<RequestPool>(calendar, trace, kStart, model, 1),
                  {.zones = {"a"}, .losses = {{"a", seconds(5), seconds(10)}}});
  pool.Adopt("r1", "a");
  calendar.RunUntil(kStart + seconds(6));
  EXPECT_GT(pool.total().cut, 10);
}

TEST(PlacedPoolTest, LossesThatOverlapEndWithTheLast) {
  World world(
      {.zones = {"a"}, .losses = {{"a", seconds(1), seconds(10)}, {"a", seconds(5), seconds(20)}}});
  world.RunTo(12);
  EXPECT_FALSE(world.pool.HasRoom());
  world.RunTo(25);
  EXPECT_TRUE(world.pool.HasRoom());
}

}  // namespace
}  // namespace tidegate::sim
