#include "sim/world/fluid_pool.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using signals::Phase;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

// A replica serves 100 requests per second, starts in 2 s and drains in 3 s.
ServiceModel Model() {
  ServiceModel model;
  model.workers = 5;
  model.service_seconds = 0.05;
  model.patience_seconds = 10;
  model.startup = seconds(2);
  model.drain = seconds(3);
  return model;
}

traces::Trace Load(std::vector<double> per_second) {
  traces::Trace trace;
  trace.requests = std::move(per_second);
  return trace;
}

class FluidPoolTest : public ::testing::Test {
 protected:
  FluidPoolTest() : calendar_(kStart) {}

  // `count` replicas of the name "r1", "r2", ...
  void Start(FluidPool& pool, int count) {
    for (int i = 1; i <= count; ++i) pool.Start("r" + std::to_string(i), "aaaa0001");
  }
  void RunTo(FluidPool& pool, Duration since_start) {
    calendar_.RunUntil(kStart + since_start);
    pool.AdvanceTo(calendar_.Now());
  }
  static void ExpectConserved(const FluidPool& pool) {
    const Flow flow = pool.total();
    EXPECT_NEAR(flow.arrived, flow.served + flow.lost + pool.backlog(), 1e-6);
  }

  Calendar calendar_;
};

TEST_F(FluidPoolTest, CapacityIsWorkersOverServiceTime) { EXPECT_EQ(Model().capacity(), 100); }

TEST_F(FluidPoolTest, ServesNoMoreThanItsCapacity) {
  const traces::Trace load = Load(std::vector<double>(10, 1'000));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 3);
  RunTo(pool, seconds(2));
  const double before = pool.total().served;
  RunTo(pool, seconds(6));
  EXPECT_NEAR(pool.total().served - before, 4 * 300, 1e-6);
}

TEST_F(FluidPoolTest, ServesAllThatArrivesBelowItsCapacity) {
  const traces::Trace load = Load({0, 0, 150, 150, 150});
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 2);
  RunTo(pool, seconds(5));
  EXPECT_NEAR(pool.total().served, 450, 1e-6);
  EXPECT_EQ(pool.backlog(), 0);
  EXPECT_EQ(pool.total().lost, 0);
}

TEST_F(FluidPoolTest, EveryRequestIsServedLostOrWaiting) {
  const traces::Trace load = Load({50, 700, 3'000, 20, 0, 900, 5'000, 10, 0, 0});
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 2);
  for (int i = 1; i <= 40; ++i) {
    if (i == 10) pool.Start("late", "aaaa0001");
    if (i == 20) pool.Drain("r1");
    RunTo(pool, Duration(i * 370));
    ExpectConserved(pool);
  }
  EXPECT_NEAR(pool.total().arrived, traces::TotalRequests(load), 1e-6);
  EXPECT_GT(pool.total().lost, 0);
}

TEST_F(FluidPoolTest, HowOftenItIsAdvancedChangesNothing) {
  const traces::Trace load = Load({50, 70, 300, 20, 0, 90});
  FluidPool often(calendar_, load, kStart, Model());
  FluidPool seldom(calendar_, load, kStart, Model());
  Start(often, 1);
  Start(seldom, 1);
  for (int i = 1; i <= 100; ++i) RunTo(often, Duration(i * 60));
  seldom.AdvanceTo(calendar_.Now());
  EXPECT_NEAR(often.total().served, seldom.total().served, 1e-6);
  EXPECT_NEAR(often.backlog(), seldom.backlog(), 1e-6);
}

TEST_F(FluidPoolTest, AReplicaIsReadyAfterItsStartUp) {
  const traces::Trace load = Load({0});
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 1);
  RunTo(pool, Duration(1'999));
  EXPECT_EQ(pool.Views()[0].phase, Phase::kStarting);
  EXPECT_FALSE(pool.Views()[0].ready_at);
  RunTo(pool, Duration(2'000));
  EXPECT_EQ(pool.Views()[0].phase, Phase::kReady);
  EXPECT_EQ(pool.Views()[0].ready_at, kStart + seconds(2));
  EXPECT_EQ(pool.Views()[0].started, kStart);
}

TEST_F(FluidPoolTest, TellsOfEachChangeOfAReplica) {
  const traces::Trace load = Load({100});
  FluidPool pool(calendar_, load, kStart, Model());
  std::vector<Duration> told;
  pool.OnChange([&] { told.push_back(calendar_.Now() - kStart); });
  Start(pool, 2);  // each of 2 s
  RunTo(pool, seconds(3));
  pool.Crash("r1");
  pool.Crash("r1");  // nothing new
  RunTo(pool, seconds(4));
  pool.Drain("r1");  // gone at once
  pool.Drain("r2");
  RunTo(pool, seconds(10));
  EXPECT_EQ(told, (std::vector<Duration>{seconds(0), seconds(0), seconds(2), seconds(2), seconds(3),
                                         seconds(4), seconds(4), seconds(4) + Model().drain}));
}

TEST_F(FluidPoolTest, AStartingReplicaServesNothing) {
  const traces::Trace load = Load({100, 100});
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 1);
  RunTo(pool, Duration(1'999));
  EXPECT_EQ(pool.total().served, 0);
  EXPECT_NEAR(pool.backlog(), 199.9, 1e-6);
}

TEST_F(FluidPoolTest, ADrainingReplicaServesNothingNewAndIsGoneAfterItsDrain) {
  const traces::Trace load = Load(std::vector<double>(20, 150));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 2);
  RunTo(pool, seconds(5));
  pool.Drain("r1");
  EXPECT_EQ(pool.Views()[0].phase, Phase::kDraining);
  const double served = pool.Served("r1").value_or(0);
  RunTo(pool, Duration(7'999));
  EXPECT_EQ(pool.Served("r1").value_or(0), served);
  EXPECT_TRUE(pool.Knows("r1"));
  RunTo(pool, seconds(8));
  EXPECT_FALSE(pool.Knows("r1"));
  EXPECT_EQ(pool.Views().size(), 1U);
}

TEST_F(FluidPoolTest, AReplicaDrainedWhileItStartsNeverServes) {
  const traces::Trace load = Load(std::vector<double>(20, 50));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 1);
  RunTo(pool, seconds(1));
  pool.Drain("r1");
  RunTo(pool, Duration(3'500));
  EXPECT_EQ(pool.Views()[0].phase, Phase::kDraining);
  EXPECT_EQ(pool.total().served, 0);
}

TEST_F(FluidPoolTest, AReplicaThatDiesTakesItsShareOfThoseWhoWait) {
  const traces::Trace load = Load(std::vector<double>(20, 400));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 2);
  RunTo(pool, seconds(5));
  const double waiting = pool.backlog();
  ASSERT_GT(waiting, 0);
  pool.Crash("r1");
  pool.Crash("r1");
  pool.Crash("nobody");
  EXPECT_EQ(pool.total().cut, waiting / 2);
  EXPECT_EQ(pool.backlog(), waiting / 2);
  ExpectConserved(pool);
  EXPECT_EQ(pool.Views()[0].phase, Phase::kFailed);
  EXPECT_EQ(pool.Served("r1"), std::nullopt);
  const double served = pool.total().served;
  RunTo(pool, seconds(7));
  EXPECT_NEAR(pool.total().served - served, 2 * 100, 1e-6);  // the other one's
  pool.Drain("r1");
  EXPECT_FALSE(pool.Knows("r1"));
  pool.Drain("r2");
  pool.Crash("r2");  // what drains is gone
  EXPECT_TRUE(pool.Views().empty());
  RunTo(pool, seconds(12));
  ExpectConserved(pool);
}

TEST_F(FluidPoolTest, ASecondDrainDoesNotStartAnew) {
  const traces::Trace load = Load({0});
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 1);
  RunTo(pool, seconds(2));
  pool.Drain("r1");
  RunTo(pool, seconds(4));
  pool.Drain("r1");
  pool.Drain("nobody");
  RunTo(pool, seconds(5));
  EXPECT_FALSE(pool.Knows("r1"));
}

TEST_F(FluidPoolTest, ReadyReplicasShareTheLoadEvenly) {
  const traces::Trace load = Load(std::vector<double>(10, 120));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 3);
  RunTo(pool, seconds(10));
  EXPECT_NEAR(pool.Served("r1").value_or(0), pool.Served("r3").value_or(0), 1e-9);
  EXPECT_NEAR(pool.Served("r1").value_or(0) * 3, pool.total().served, 1e-6);
}

TEST_F(FluidPoolTest, WhatWouldWaitLongerThanClientsDoIsLost) {
  const traces::Trace load = Load(std::vector<double>(30, 1'000));
  FluidPool pool(calendar_, load, kStart, Model());
  Start(pool, 1);
  RunTo(pool, seconds(30));
  EXPECT_NEAR(pool.backlog(), 10 * 100, 1e-6);  // patience times capacity
  ExpectConserved(pool);
}

TEST_F(FluidPoolTest, NothingArrivesOutsideTheTrace) {
  const traces::Trace load = Load({10, 20});
  FluidPool pool(calendar_, load, kStart, Model());
  RunTo(pool, seconds(30));
  EXPECT_NEAR(pool.total().arrived, 30, 1e-9);
  EXPECT_EQ(pool.arrival_rate(kStart + seconds(1)), 20);
  EXPECT_EQ(pool.arrival_rate(kStart + seconds(2)), 0);
}

TEST_F(FluidPoolTest, AnUnknownReplicaServedNothing) {
  const traces::Trace load = Load({0});
  const FluidPool pool(calendar_, load, kStart, Model());
  EXPECT_EQ(pool.Served("nobody").value_or(0), 0);
}

}  // namespace
}  // namespace tidegate::sim
