// Decisions of the policy tide with what a week has taught it: readings, panel, guards and plan.

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "policies/sizing/tide.h"
#include "scheduler/decision/decision.h"

namespace tidegate {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr Duration kTick{5'000};

decision::PoolSpec Spec() {
  decision::PoolSpec spec;
  spec.id = {"edge", "pool"};
  spec.revision = "v1";
  spec.scaled = true;
  spec.policies = {FindPolicy("tide")->options};
  spec.targets = {{"rps", 160.0, signals::Measure::kRequests}};
  spec.capacity.workers = 8;
  spec.capacity.service_time = Duration(50);
  spec.capacity.latency_objective = Duration(250);
  spec.capacity.latency_share = 0.999;
  spec.guards.max = 200;
  spec.guards.guarding = sizing::Tide::kGuarding;
  return spec;
}

// A pool that has what it wants, at a load that moves with the time of day.
signals::PoolSnapshot PoolAt(Instant now, Replicas replicas) {
  signals::PoolSnapshot pool;
  pool.id = {"edge", "pool"};
  for (Replicas i = 0; i < replicas; ++i) {
    signals::ReplicaView view;
    view.name = "pool-v1-" + std::to_string(100 + i);
    view.revision = "v1";
    view.phase = signals::Phase::kReady;
    view.started = kStart - std::chrono::hours(1);
    view.since = view.started + std::chrono::seconds(20);
    view.ready_at = view.since;
    pool.replicas.push_back(view);
  }
  signals::Reading reading;
  reading.signal = "rps";
  reading.quality = signals::Quality::kOk;
  reading.age = Duration(5'000);
  reading.value = 800 + 300 * std::sin(Seconds(now - kStart) / 86'400 * 6.28);
  // Scraped every 15 s, each at its own time.
  for (const signals::ReplicaView& view : pool.replicas) {
    const auto phase = std::hash<std::string>{}(view.name) % 15'000;
    const Duration age((UnixMillis(now) + static_cast<std::int64_t>(phase)) % 15'000);
    reading.each.push_back({view.name, reading.value / replicas, age});
  }
  pool.readings = {reading};
  return pool;
}

void BM_TideDecision(benchmark::State& state) {
  const decision::PoolSpec spec = Spec();
  decision::PoolState pool_state;
  Instant now = kStart;
  Replicas replicas = 10;
  const auto decide = [&](const signals::PoolSnapshot& pool) {
    decision::Outcome outcome = decision::Decide(spec, pool, now, pool_state);
    pool_state = std::move(outcome.state);
    replicas = outcome.decision.desired.replicas;
  };
  for (int i = 0; i < 20'000; ++i, now += kTick) decide(PoolAt(now, replicas));
  // Made outside of what is timed: fifteen seconds of readings, again and again.
  std::vector<signals::PoolSnapshot> pools;
  for (Duration ago{0}; ago < Duration(15'000); ago += Duration(1'000))
    pools.push_back(PoolAt(now + ago, 10));
  for (auto _ : state) {
    now += Duration(state.range(0));
    const signals::PoolSnapshot& pool =
        pools[static_cast<std::size_t>(UnixMillis(now) / 1'000 % 15)];
    decide(pool);
    benchmark::DoNotOptimize(replicas);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_TideDecision)->ArgName("tick_ms")->Arg(1'000)->Arg(5'000)->Arg(15'000);

}  // namespace
}  // namespace tidegate

BENCHMARK_MAIN();
