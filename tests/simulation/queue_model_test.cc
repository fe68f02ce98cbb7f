// The formulas that pools are sized by, against pools of single requests. The whole table is in
// policies/sizing/queue_model.h, and made by tests/bench/queue_model_bench.cc.
#include "policies/sizing/queue_model.h"

#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "sim/engine/calendar.h"
#include "sim/world/request_pool.h"

namespace tidegate::sim {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr double kRequests = 1e6;

// What a pool of 8 workers a replica and the model's service times answers in.
Histogram Simulated(Balancing balancing, Replicas replicas, double utilization) {
  ServiceModel model;
  model.patience_seconds = 1e9;
  model.requests.distribution = ServiceKind::kLognormal;
  model.requests.variation = 0.5;
  model.requests.balancing = balancing;
  const double rate = utilization * replicas * model.capacity();
  traces::Trace trace{Duration(static_cast<std::int64_t>(kRequests / rate * 1'000)), {kRequests}};
  Calendar calendar(kStart);
  RequestPool pool(calendar, trace, kStart, model, 7);
  for (Replicas i = 0; i < replicas; ++i) pool.Adopt("r" + std::to_string(i), "v1");
  pool.AdvanceTo(kStart + trace.bin);
  return *pool.latencies();
}

using Case = std::tuple<Replicas, double, bool>;
class QueueModelSimulation : public testing::TestWithParam<Case> {};

TEST_P(QueueModelSimulation, PredictsPercentiles) {
  const auto [replicas, utilization, in_turn] = GetParam();
  const Histogram simulated =
      Simulated(in_turn ? Balancing::kRoundRobin : Balancing::kLeastOfTwo, replicas, utilization);
  sizing::QueueModel model;
  if (in_turn) model.balancing = sizing::Balancing::kRoundRobin;
  const sizing::Waiting waiting = sizing::WaitingAt(model, replicas, utilization);
  for (const double share : {0.9, 0.99, 0.999}) {
    const double measured = static_cast<double>(simulated.Quantile(share)) * 1e-6;
    EXPECT_NEAR(sizing::LatencyQuantile(model.service, waiting, share) / measured, 1, 0.03)
        << share;
  }
}

INSTANTIATE_TEST_SUITE_P(Pools, QueueModelSimulation,
                         testing::Values(Case{1, 0.8, false}, Case{2, 0.9, false},
                                         Case{8, 0.95, false}, Case{60, 0.98, false},
                                         Case{2, 0.8, true}, Case{8, 0.9, true},
                                         Case{60, 0.9, true}));

}  // namespace
}  // namespace tidegate::sim
