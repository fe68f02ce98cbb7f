#include "sim/world/request_pool.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/world/fluid_pool.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

// A replica with five workers serves 100 requests a second, starts in 2 s and drains in 3 s.
ServiceModel Model() {
  ServiceModel model;
  model.workers = 5;
  model.service_seconds = 0.05;
  model.startup = seconds(2);
  model.drain = seconds(3);
  model.requests.distribution = ServiceKind::kDeterministic;
  return model;
}

class RequestPoolTest : public testing::Test {
 protected:
  RequestPool& Pool(const ServiceModel& model, std::vector<double> per_second, int replicas) {
    trace_.requests = std::move(per_second);
    pool_ = std::make_unique<RequestPool>(calendar_, trace_, kStart, model, 1);
    for (int i = 0; i < replicas; ++i) pool_->Adopt(fmt::format("r{}", i), "v1");
    return *pool_;
  }
  void RunTo(double at) {
    const Instant end = kStart + Duration(static_cast<std::int64_t>(at * 1'000));
    calendar_.RunUntil(end);
    pool_->AdvanceTo(end);
    const Flow flow = pool_->total();
    EXPECT_EQ(flow.arrived,
              flow.served + flow.lost + static_cast<double>(pool_->inside() + retrying_));
  }
  double Share(const std::string& name) const { return pool_->Served(name).value_or(-1); }

  Calendar calendar_{kStart};
  traces::Trace trace_;
  std::unique_ptr<RequestPool> pool_;
  std::uint64_t retrying_ = 0;
};

TEST_F(RequestPoolTest, ServesWhatItCanAndMeasuresEachRequest) {
  ServiceModel model = Model();
  model.requests.arrivals.spacing = ArrivalModel::Spacing::kEven;
  RequestPool& pool = Pool(model, std::vector<double>(10, 80), 1);
  RunTo(12);
  EXPECT_EQ(pool.total().served, pool.total().arrived);
  EXPECT_NEAR(pool.total().arrived, 800, 1);
  // Evenly spaced and below capacity: nobody waits.
  EXPECT_NEAR(static_cast<double>(pool.latencies()->max()), 50'000, 60);
  EXPECT_EQ(pool.waited_seconds(), 0);
}

TEST_F(RequestPoolTest, RefusesWhileNoReplicaIsReady) {
  RequestPool& pool = Pool(Model(), std::vector<double>(10, 100), 0);
  pool.Start("a", "v1");
  RunTo(10);
  EXPECT_NEAR(pool.total().refused, 200, 45);
  EXPECT_EQ(pool.total().lost, pool.total().refused);
}

TEST_F(RequestPoolTest, TellsOfEachChangeOfAReplica) {
  RequestPool& pool = Pool(Model(), std::vector<double>(10, 100), 1);
  int told = 0;
  pool.OnChange([&] { ++told; });
  pool.Start("x", "aaaa0001");
  EXPECT_EQ(told, 1);
  RunTo(Seconds(Model().startup) + 1);
  EXPECT_EQ(told, 2);
  pool.Crash("x");
  EXPECT_EQ(told, 3);
  pool.Drain("x");  // gone at once
  EXPECT_EQ(told, 4);
}

TEST_F(RequestPoolTest, GivesUpAfterItsPatience) {
  ServiceModel model = Model();
  model.patience_seconds = 0.5;
  RequestPool& pool = Pool(model, std::vector<double>(60, 200), 1);
  RunTo(62);
  // Twice its capacity: half of them, and who is served waited at most half a second.
  EXPECT_NEAR(pool.total().gave_up / pool.total().arrived, 0.5, 0.02);
  EXPECT_LE(pool.latencies()->max(), 551'000u);
}

// A counter that fell would be read as a restart.
TEST_F(RequestPoolTest, WhoWillGiveUpTakesNothingFromWhatWasServed) {
  ServiceModel model = Model();
  model.service_seconds = 0.5;
  model.patience_seconds = 5;
  Pool(model, {5, 5, 5, 5, 500, 500, 500, 500, 500}, 1);
  double before = 0;
  for (double at = 0.1; at < 9; at += 0.1) {
    RunTo(at);
    EXPECT_GE(Share("r0"), before) << at;
    before = Share("r0");
  }
  EXPECT_GT(pool_->total().gave_up, 1'000);
}

TEST_F(RequestPoolTest, ATightQueueRejects) {
  ServiceModel model = Model();
  model.requests.queue_limit = 3;
  RequestPool& pool = Pool(model, std::vector<double>(60, 200), 1);
  RunTo(62);
  EXPECT_GT(pool.total().rejected, 0.45 * pool.total().arrived);
  EXPECT_EQ(pool.total().gave_up, 0);
  // At most five before it in service and three in the line.
  EXPECT_LE(pool.latencies()->max(), 101'000u);
}

TEST_F(RequestPoolTest, ADrainFinishesWhatItHas) {
  RequestPool& pool = Pool(Model(), std::vector<double>(20, 100), 2);
  calendar_.At(kStart + seconds(5), [&] { pool.Drain("r0"); });
  RunTo(5.5);
  const double at_drain = Share("r0");
  RunTo(7.5);
  EXPECT_EQ(Share("r0"), at_drain);  // nothing new came, and what it had is done
  RunTo(22);
  EXPECT_FALSE(pool.Knows("r0"));
  EXPECT_EQ(pool.total().cut, 0);
}

TEST_F(RequestPoolTest, WhatIsNotDoneAtTheEndOfADrainIsCutOff) {
  ServiceModel model = Model();
  model.service_seconds = 5;
  RequestPool& pool = Pool(model, std::vector<double>(4, 1), 1);
  pool.Adopt("r1", "v1");
  calendar_.At(kStart + seconds(4), [&] { pool.Drain("r0"); });
  RunTo(7);
  EXPECT_EQ(pool.total().cut + pool.total().served + static_cast<double>(pool.inside()),
            pool.total().arrived);
  EXPECT_GT(pool.total().cut, 0);
}

// A replica has two workers, and a request takes a second.
ServiceModel LongRequests() {
  ServiceModel model = Model();
  model.workers = 2;
  model.service_seconds = 1;
  model.requests.arrivals.spacing = ArrivalModel::Spacing::kEven;
  return model;
}

TEST_F(RequestPoolTest, ACrashFailsWhatIsServedAndWhatWaits) {
  ServiceModel model = LongRequests();
  model.requests.objective_seconds = 1.5;
  RequestPool& pool = Pool(model, std::vector<double>(4, 4), 1);
  RunTo(3);
  const auto inside = static_cast<double>(pool.inside());
  EXPECT_GT(inside, 4);  // two in service, the others wait
  EXPECT_GT(pool.backlog(), 2);
  const double served = pool.total().served;
  pool.Crash("r0");
  pool.Crash("r0");  // once is enough
  EXPECT_EQ(pool.total().cut, inside);
  EXPECT_EQ(pool.total().served, served);
  EXPECT_EQ(pool.total().lost, inside);
  EXPECT_EQ(pool.inside(), 0U);
  EXPECT_EQ(pool.backlog(), 0);
  // It stays to be seen, and to be drained in no time.
  ASSERT_EQ(pool.Views().size(), 1U);
  EXPECT_EQ(pool.Views()[0].phase, signals::Phase::kFailed);
  EXPECT_EQ(pool.Served("r0"), std::nullopt);
  RunTo(5);
  EXPECT_EQ(pool.total().refused, pool.total().arrived - served - inside);
  // What was not answered took no time, long or short.
  EXPECT_EQ(static_cast<double>(pool.latencies()->count()), served);
  EXPECT_LT(pool.total().slow, served);
  pool.Drain("r0");
  EXPECT_FALSE(pool.Knows("r0"));
  RunTo(9);
}

// Ten tries are saved up at most.
TEST_F(RequestPoolTest, WhoLosesAReplicaTriesAnotherWithinTheBudget) {
  for (const double inside : {8.0, 15.0}) {
    ServiceModel model = LongRequests();
    model.workers = 40;
    model.requests.balancing = Balancing::kRoundRobin;
    model.requests.retries = {.attempts = 3, .backoff_seconds = 0.1, .budget = 0.2};
    calendar_ = Calendar(kStart);
    RequestPool& pool = Pool(model, std::vector<double>(8, 2 * inside), 2);
    calendar_.At(kStart + seconds(4), [&] { pool.Crash("r0"); });
    RunTo(12);
    const Flow flow = pool.total();
    EXPECT_NEAR(flow.retries, std::min(inside, 10.0), 1);
    EXPECT_NEAR(flow.lost, std::max(inside - 10, 0.0), 1);
    EXPECT_EQ(flow.lost, flow.cut);
    // Measured once, from the first attempt: nearly a second in the one that died.
    EXPECT_EQ(static_cast<double>(pool.latencies()->count()), flow.served);
    EXPECT_NEAR(static_cast<double>(pool.latencies()->max()), 2.1e6, 0.15e6);
  }
}

TEST_F(RequestPoolTest, WhatADrainCutsOffIsTriedAgain) {
  ServiceModel model = LongRequests();
  model.service_seconds = 4;
  model.workers = 20;
  model.requests.balancing = Balancing::kRoundRobin;
  model.requests.retries = {.attempts = 2, .backoff_seconds = 0.1, .budget = 1};
  RequestPool& pool = Pool(model, std::vector<double>(4, 4), 2);
  calendar_.At(kStart + seconds(3), [&] { pool.Drain("r0"); });
  RunTo(15);
  EXPECT_FALSE(pool.Knows("r0"));
  EXPECT_GT(pool.total().retries, 1);
  EXPECT_EQ(pool.total().lost, 0);
  EXPECT_GT(pool.latencies()->max(), 7'000'000U);
}

TEST_F(RequestPoolTest, AReplicaThatDiesWhileItDrainsIsGone) {
  RequestPool& pool = Pool(LongRequests(), std::vector<double>(4, 4), 1);
  RunTo(2);
  pool.Drain("r0");
  const auto inside = static_cast<double>(pool.inside());
  pool.Crash("r0");
  EXPECT_FALSE(pool.Knows("r0"));
  EXPECT_EQ(pool.total().cut, inside);
  RunTo(10);
}

TEST_F(RequestPoolTest, AReplicaThatDiesWhileItStartsNeverServes) {
  RequestPool& pool = Pool(Model(), std::vector<double>(4, 4), 0);
  pool.Start("a", "v1");
  calendar_.At(kStart + seconds(1), [&] { pool.Crash("a"); });
  RunTo(5);
  EXPECT_EQ(pool.Views()[0].phase, signals::Phase::kFailed);
  EXPECT_EQ(pool.total().served, 0);
}

// Slots, lines, workers and connections are used again; the pool's own checks hold at each advance,
// and RunTo adds up.
TEST_F(RequestPoolTest, BooksBalanceWhateverDies) {
  for (const Balancing balancing :
       {Balancing::kRandom, Balancing::kRoundRobin, Balancing::kLeastOfTwo, Balancing::kLeast,
        Balancing::kOneLine}) {
    ServiceModel model = Model();
    model.patience_seconds = 0.3;
    model.requests.queue_limit = 40;
    model.requests.distribution = ServiceKind::kLognormal;
    model.requests.balancing = balancing;
    model.requests.connections = balancing == Balancing::kLeast ? 30 : 0;
    model.requests.requests_per_connection = 50;
    calendar_ = Calendar(kStart);
    RequestPool& pool = Pool(model, std::vector<double>(100, 420), 4);
    for (int i = 0; i < 250; ++i) {
      RunTo(0.4 * (i + 1));
      const std::string name = pool.Views().empty() ? "" : pool.Views()[0].name;
      if (i % 3 == 0) pool.Crash(name);
      if (i % 3 == 1) pool.Drain(name);
      if (i % 3 != 2) pool.Start(fmt::format("s{}", i), "v1");
    }
    RunTo(110);
    const Flow flow = pool.total();
    EXPECT_GT(flow.cut, 50);
    EXPECT_GT(flow.gave_up + flow.rejected, 100);
    EXPECT_EQ(static_cast<double>(pool.latencies()->count()), flow.served);
  }
}

TEST_F(RequestPoolTest, RetriesComeBackWithinTheirBudget) {
  ServiceModel model = Model();
  model.requests.queue_limit = 0;
  model.requests.retries = {.attempts = 3, .backoff_seconds = 0.1, .budget = 0.2};
  const RequestPool& pool = Pool(model, std::vector<double>(60, 300), 1);
  RunTo(70);
  const Flow flow = pool.total();
  EXPECT_GT(flow.retries, 0.15 * flow.arrived);
  EXPECT_LE(flow.retries, 0.2 * flow.arrived + 10);
}

TEST_F(RequestPoolTest, ARetryHelpsOverAShortGap) {
  ServiceModel model = Model();
  model.startup = Duration(500);
  model.requests.retries = {.attempts = 5, .backoff_seconds = 0.3, .budget = 1};
  RequestPool& pool = Pool(model, std::vector<double>(10, 8), 0);
  pool.Start("a", "v1");
  RunTo(15);
  EXPECT_EQ(pool.total().lost, 0);
  // Retried requests' latencies count from their first attempts.
  EXPECT_GE(pool.latencies()->max(), 349'000u);
}

TEST_F(RequestPoolTest, RoundRobinGivesEachTheSame) {
  ServiceModel model = Model();
  model.requests.balancing = Balancing::kRoundRobin;
  Pool(model, std::vector<double>(30, 200), 4);
  RunTo(32);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(Share(fmt::format("r{}", i)), Share("r0"), 1);
}

// The wait shrinks with what the balancer knows.
TEST_F(RequestPoolTest, BalancersThatLookWaitLess) {
  std::vector<double> waits;
  for (const Balancing balancing :
       {Balancing::kRandom, Balancing::kRoundRobin, Balancing::kLeastOfTwo, Balancing::kLeast,
        Balancing::kOneLine}) {
    ServiceModel model = Model();
    model.requests.distribution = ServiceKind::kExponential;
    model.requests.balancing = balancing;
    calendar_ = Calendar(kStart);
    const RequestPool& pool = Pool(model, std::vector<double>(400, 850), 10);
    RunTo(400);
    waits.push_back(pool.waited_seconds() / static_cast<double>(pool.accepted()));
  }
  EXPECT_GT(waits[0], 1.2 * waits[1]);
  EXPECT_GT(waits[1], 2 * waits[2]);
  EXPECT_GT(waits[2], 2 * waits[3]);
  EXPECT_GT(waits[3], 1.1 * waits[4]);
}

// First come, first served by the same workers, whichever replicas these are in.
TEST_F(RequestPoolTest, ReplicasBehindOneLineAreOneOfAllTheirWorkers) {
  std::vector<std::vector<std::uint64_t>> latencies;
  for (const int replicas : {1, 2, 5, 10}) {
    ServiceModel model = Model();
    model.workers = 10 / replicas;
    model.patience_seconds = 0.2;
    model.requests.distribution = ServiceKind::kLognormal;
    model.requests.balancing = Balancing::kOneLine;
    calendar_ = Calendar(kStart);
    RequestPool& pool = Pool(model, std::vector<double>(100, 197), replicas);
    RunTo(102);
    EXPECT_GT(pool.waited_seconds(), 100);
    EXPECT_GT(pool.total().gave_up, 0);
    std::vector<std::uint64_t> seen{pool.latencies()->count(), pool.latencies()->max()};
    for (const double q : {0.1, 0.5, 0.9, 0.99}) seen.push_back(pool.latencies()->Quantile(q));
    latencies.push_back(seen);
  }
  EXPECT_THAT(latencies, testing::Each(latencies[0]));
}

// Two and a half seconds of work wait before one replica when another one comes.
TEST_F(RequestPoolTest, WhoWaitsInOneLineGoesToAReplicaThatComes) {
  std::vector<std::uint64_t> longest;
  for (const Balancing balancing : {Balancing::kLeast, Balancing::kOneLine}) {
    ServiceModel model = Model();
    model.requests.balancing = balancing;
    model.requests.arrivals.spacing = ArrivalModel::Spacing::kEven;
    calendar_ = Calendar(kStart);
    RequestPool& pool = Pool(model, {350, 0, 0, 0}, 1);
    calendar_.At(kStart + seconds(1), [&] { pool.Adopt("new", "v1"); });
    RunTo(6);
    EXPECT_EQ(pool.total().served, 350);
    longest.push_back(pool.latencies()->max());
  }
  EXPECT_NEAR(static_cast<double>(longest[0]), 2.5e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(longest[1]), 1.25e6, 0.1e6);
}

// A replica that goes takes nobody with it who waits before all of them.
TEST_F(RequestPoolTest, WhoWaitsInOneLineIsNotLostWithAReplica) {
  ServiceModel model = Model();
  model.requests.balancing = Balancing::kOneLine;
  model.requests.arrivals.spacing = ArrivalModel::Spacing::kEven;
  RequestPool& pool = Pool(model, {350, 0, 0, 0, 0}, 2);
  calendar_.At(kStart + Duration(1'010), [&] {
    pool.AdvanceTo(calendar_.Now());
    const double waiting = pool.backlog();
    EXPECT_NEAR(waiting, 145, 5);
    pool.Crash("r0");
    EXPECT_EQ(pool.backlog(), waiting);
    pool.Drain("r1");
    EXPECT_EQ(pool.backlog(), waiting);
  });
  calendar_.At(kStart + seconds(2), [&] { pool.Adopt("new", "v1"); });
  RunTo(6);
  EXPECT_EQ(pool.total().cut, 5);  // its workers'
  EXPECT_EQ(pool.total().served, 345);
}

// envoyproxy/envoy#15283: a new replica stays idle while old connections last.
TEST_F(RequestPoolTest, OldConnectionsLeaveNewReplicasIdle) {
  for (const std::uint32_t each : {1'000'000U, 10U}) {
    ServiceModel model = Model();
    model.requests.connections = 200;
    model.requests.requests_per_connection = each;
    calendar_ = Calendar(kStart);
    RequestPool& pool = Pool(model, std::vector<double>(60, 150), 2);
    calendar_.At(kStart + seconds(10), [&] { pool.Start("new", "v1"); });
    RunTo(62);
    const double fair = 150 * 48.0 / 3;
    if (each == 10U) {
      EXPECT_GT(Share("new"), 0.8 * fair);
    } else {
      EXPECT_EQ(Share("new"), 0);
    }
  }
}

TEST_F(RequestPoolTest, ConnectionsLeaveAReplicaThatDrains) {
  ServiceModel model = Model();
  model.requests.connections = 50;
  model.requests.requests_per_connection = 1'000'000;
  RequestPool& pool = Pool(model, std::vector<double>(30, 60), 2);
  calendar_.At(kStart + seconds(10), [&] { pool.Drain("r0"); });
  RunTo(32);
  EXPECT_EQ(pool.total().lost, 0);
  EXPECT_GT(Share("r1"), 60 * 20);
}

TEST_F(RequestPoolTest, SlowReplicasTakeLonger) {
  ServiceModel model = Model();
  model.requests.slow_share = 1;
  model.requests.slow_factor = 3;
  model.requests.objective_seconds = 0.1;
  RequestPool& pool = Pool(model, std::vector<double>(10, 10), 1);
  RunTo(12);
  EXPECT_NEAR(static_cast<double>(pool.latencies()->min()), 150'000, 1);
  EXPECT_EQ(pool.total().slow, pool.total().arrived);
}

TEST_F(RequestPoolTest, AChainPassesOnWhatWasServed) {
  RequestPool& front = Pool(Model(), std::vector<double>(20, 90), 1);
  RequestPool back(calendar_, trace_, kStart, Model(), 2);
  back.FollowOn(front);
  back.Adopt("b", "v1");
  back.AdvanceTo(kStart + seconds(30));
  EXPECT_EQ(front.total().arrived, back.total().arrived);
  EXPECT_EQ(back.total().served, back.total().arrived);
  EXPECT_EQ(back.arrival_rate(kStart + seconds(3)), 90);
}

TEST_F(RequestPoolTest, AChainDoesNotPassOnWhatDied) {
  RequestPool& front = Pool(Model(), std::vector<double>(20, 190), 2);
  RequestPool back(calendar_, trace_, kStart, Model(), 2);
  back.FollowOn(front);
  back.Adopt("b0", "v1");
  back.Adopt("b1", "v1");
  calendar_.At(kStart + seconds(10), [&] {
    front.Crash("r0");
    back.AdvanceTo(calendar_.Now());
  });
  RunTo(40);
  back.AdvanceTo(kStart + seconds(40));
  EXPECT_GT(front.total().cut, 0);
  EXPECT_GT(front.total().served, 0);
  EXPECT_EQ(back.total().arrived, front.total().served);
}

TEST_F(RequestPoolTest, EqualSeedsGiveEqualRuns) {
  std::vector<double> waits;
  for (int i = 0; i < 2; ++i) {
    ServiceModel model = Model();
    model.requests.distribution = ServiceKind::kLognormal;
    calendar_ = Calendar(kStart);
    const RequestPool& pool = Pool(model, std::vector<double>(60, 290), 3);
    for (double at = 0; at < 62; at += i == 0 ? 1 : 0.37) RunTo(at);  // looks don't matter
    RunTo(62);
    waits.push_back(pool.waited_seconds());
  }
  EXPECT_EQ(waits[0], waits[1]);
}

// Where a fluid applies, far more than one request in progress, both models agree.
TEST_F(RequestPoolTest, AgreesWithTheFluidOnBacklogAndLosses) {
  ServiceModel model = Model();
  model.workers = 200;
  model.patience_seconds = 3;
  std::vector<double> load(120, 3'000);
  for (std::size_t i = 20; i < 50; ++i) load[i] = 12'000;  // against 8,000 with two replicas
  RequestPool& pool = Pool(model, load, 2);
  Calendar calendar(kStart);
  FluidPool fluid(calendar, trace_, kStart, model);
  fluid.Adopt("r0", "v1");
  fluid.Adopt("r1", "v1");
  double worst = 0;
  for (int second = 1; second <= 120; ++second) {
    RunTo(second);
    fluid.AdvanceTo(kStart + seconds(second));
    worst = std::max(worst, std::abs(pool.backlog() - fluid.backlog()));
  }
  EXPECT_GT(fluid.total().lost, 50'000);
  EXPECT_NEAR(pool.total().lost / fluid.total().lost, 1, 0.05);
  EXPECT_NEAR(pool.total().served / fluid.total().served, 1, 0.02);
  // Who gives up leaves a fluid at once and a line after three seconds of waiting in it.
  EXPECT_LT(worst, 0.6 * 3 * 8'000);
}

}  // namespace
}  // namespace tidegate::sim
