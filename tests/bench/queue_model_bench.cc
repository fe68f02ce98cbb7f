// How long sizing by queues takes, and how far its formulas are from pools of single requests: the
// table of policies/sizing/queue_model.h. 10 M requests a line.

#include <array>
#include <string>

#include <benchmark/benchmark.h>

#include "policies/sizing/capacity.h"
#include "sim/engine/calendar.h"
#include "sim/world/request_pool.h"

namespace tidegate::sizing {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr double kRequests = 1e7;

sim::Balancing Same(Balancing balancing) {
  switch (balancing) {
    case Balancing::kLeastOfTwo: return sim::Balancing::kLeastOfTwo;
    case Balancing::kRoundRobin: return sim::Balancing::kRoundRobin;
    case Balancing::kRandom: return sim::Balancing::kRandom;
  }
  return sim::Balancing::kRandom;
}

// Counters: predicted ("p") and simulated ("s") percentiles in ms, and requests per million that
// take over 250 ms.
void BM_Prediction(benchmark::State& state) {
  QueueModel model;
  model.balancing = static_cast<Balancing>(state.range(0));
  const auto replicas = static_cast<Replicas>(state.range(1));
  const double utilization = static_cast<double>(state.range(2)) / 100;
  sim::ServiceModel service;
  service.workers = model.workers;
  service.service_seconds = model.service.seconds;
  service.patience_seconds = 1e9;
  service.requests.distribution = sim::ServiceKind::kLognormal;
  service.requests.variation = model.service.variation;
  service.requests.balancing = Same(model.balancing);
  service.requests.objective_seconds = model.objective.seconds;
  const double rate = utilization * replicas * Ceiling(model);
  const traces::Trace trace{Duration(static_cast<std::int64_t>(kRequests / rate * 1'000)),
                            {kRequests}};
  for (auto _ : state) {
    sim::Calendar calendar(kStart);
    sim::RequestPool pool(calendar, trace, kStart, service, 7);
    for (Replicas i = 0; i < replicas; ++i) pool.Adopt("r" + std::to_string(i), "v1");
    pool.AdvanceTo(kStart + trace.bin);
    const Waiting waiting = WaitingAt(model, replicas, utilization);
    const auto simulated = [&](double share) {
      return static_cast<double>(pool.latencies()->Quantile(share)) * 1e-3;
    };
    state.counters["p99p"] = LatencyQuantile(model.service, waiting, 0.99) * 1e3;
    state.counters["p99s"] = simulated(0.99);
    state.counters["p999p"] = LatencyQuantile(model.service, waiting, 0.999) * 1e3;
    state.counters["p999s"] = simulated(0.999);
    state.counters["overp"] = LateShare(model.service, waiting, model.objective.seconds) * 1e6;
    state.counters["overs"] = pool.total().slow / pool.total().arrived * 1e6;
  }
}
BENCHMARK(BM_Prediction)
    ->ArgNames({"balancing", "n", "u"})
    ->ArgsProduct({{0, 1}, {1, 2, 4, 8, 16, 32, 60}, {80, 90, 95, 98}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void BM_UtilizationWithin(benchmark::State& state) {
  const auto replicas = static_cast<Replicas>(state.range(0));
  const QueueModel model;
  for (auto _ : state) benchmark::DoNotOptimize(UtilizationWithin(model, replicas));
}
BENCHMARK(BM_UtilizationWithin)->Arg(1)->Arg(10)->Arg(100)->Arg(100'000);

// A rate that changes at each question by up to half.
void BM_FewestReplicas(benchmark::State& state) {
  CapacityTable table{QueueModel{}};
  const double scale = static_cast<double>(state.range(0)) * Ceiling(table.model());
  int i = 0;
  for (auto _ : state) {
    i = (i + 7) % 500;
    benchmark::DoNotOptimize(table.FewestReplicas(scale * (0.5 + i / 1'000.0)));
  }
}
BENCHMARK(BM_FewestReplicas)->Arg(1)->Arg(60)->Arg(10'000);

}  // namespace
}  // namespace tidegate::sizing

BENCHMARK_MAIN();
