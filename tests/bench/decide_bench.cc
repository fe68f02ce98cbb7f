// Decisions per second and core for each policy of the catalogue, with a state that a thousand
// ticks have warmed: of the whole of Decide (sizing, guards and the plan; items_per_second), and of
// sizing and guards alone. In a calm pool the load stays within tolerance of the size, so that a
// decision is "as before"; in a moving one it is not, and limits act and are explained.
//
// Ticks are 5 s apart. Policies that learn from the past have 14 days of it, and their refits are
// in the figure; forecast_bench has what one costs.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "policies/catalog.h"
#include "policies/guards/apply.h"
#include "policies/signals/history.h"
#include "scheduler/config/schedule.h"
#include "scheduler/decision/decision.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate {
namespace {

constexpr Replicas kReplicas = 20;
constexpr double kPerReplica = 100;
constexpr std::int64_t kPastMinutes = 14 * 1440;
constexpr Instant kStart = FromUnixMillis((testing::kMonday + kPastMinutes) * 60'000);
constexpr Duration kTick{5'000};
constexpr int kWarm = 1'000;

decision::PoolSpec SpecOf(const PolicyEntry& policy) {
  decision::PoolSpec spec;
  spec.id = {"istio-system", "edge"};
  spec.revision = "aaaa0001";
  spec.config_version = "0badcafe";
  spec.declared = kReplicas;
  spec.scaled = true;
  spec.policies = {policy.options};
  spec.guards.min = 1;
  spec.guards.max = 1'000;
  spec.guards.guarding = GuardingOf(spec.policies, false);
  spec.targets = {{"requests", kPerReplica, signals::Measure::kRequests},
                  {"inflight", 5, signals::Measure::kInflight}};
  spec.capacity.service_time = Duration(50);
  spec.capacity.workers = 8;
  spec.capacity.latency_objective = Duration(250);
  if (auto* schedule = config::FindSchedule(spec.policies)) {
    for (int hour = 8; hour < 12; ++hour) {
      sizing::ScheduledLoad load;
      load.start = fmt::format("0 {} * * 1-5", hour);
      load.duration = std::chrono::minutes(30);
      load.replicas = 10;
      schedule->entries.push_back(load);
    }
    if (!config::ResolveSchedule(*schedule).empty()) std::abort();
  }
  return spec;
}

signals::PoolSnapshot PoolOf(const decision::PoolSpec& spec) {
  signals::PoolSnapshot pool;
  pool.id = spec.id;
  pool.declared = kReplicas;
  const Instant started = kStart - std::chrono::hours(1);
  for (int i = 0; i < kReplicas; ++i) {
    pool.replicas.push_back({fmt::format("edge-aaaa0001-{:02}", i), spec.revision,
                             signals::Phase::kReady, started, started, started});
  }
  pool.readings = {{"requests", signals::Quality::kOk, 0, Duration(4'000), 20, 20, "", {}, {}},
                   {"inflight", signals::Quality::kOk, 0, Duration(4'000), 20, 20, "", {}, {}}};
  return pool;
}

// Loads of 240 ticks, again and again.
class Loads {
 public:
  explicit Loads(bool moving) {
    for (std::size_t i = 0; i < loads_.size(); ++i) {
      const double phase = static_cast<double>(i) / static_cast<double>(loads_.size());
      loads_[i] = kReplicas * kPerReplica * (1 + (moving ? 0.8 : 0.05) * std::sin(phase * 44));
    }
  }
  double Set(int tick, signals::PoolSnapshot& pool) const {
    const double load = loads_[static_cast<std::size_t>(tick) % loads_.size()];
    pool.readings[0].value = load;
    pool.readings[1].value = load * 0.05;
    return load;
  }

 private:
  std::array<double, 240> loads_{};
};

// A pool, its past and its next loads.
struct Bench {
  explicit Bench(const PolicyEntry& of, bool moving)
      : policy(of), spec(SpecOf(of)), pool(PoolOf(spec)), loads(moving) {
    if (!policy.history) return;
    const testing::SyntheticLoad past{.mean = kReplicas * kPerReplica};
    history = testing::HistoryOf(past, testing::kMonday, testing::kMonday + kPastMinutes);
  }
  // The fleet takes the plan's steps at once. It is in the figure, and next to nothing of it.
  void Follow(const rollout::Plan& plan) {
    for (const rollout::Step& step : plan.steps) {
      const auto at =
          std::ranges::lower_bound(pool.replicas, step.replica, {}, &signals::ReplicaView::name);
      if (step.kind == rollout::StepKind::kDrain) {
        pool.replicas.erase(at);
      } else {
        pool.replicas.insert(
            at, {step.replica, step.revision, signals::Phase::kReady, kStart, kStart, kStart});
      }
    }
  }
  // The instant of the next tick, its load in place.
  Instant Tick() {
    const double load = loads.Set(++tick, pool);
    const Instant now = kStart + kTick * tick;
    if (policy.history) history.Append(now, load);
    return now;
  }

  const PolicyEntry& policy;
  decision::PoolSpec spec;
  signals::PoolSnapshot pool;
  Loads loads;
  signals::History history;
  int tick = 0;
};

void BM_Decide(benchmark::State& state, const PolicyEntry& policy, bool moving) {
  Bench bench(policy, moving);
  decision::PoolState kept;
  const auto decide = [&] {
    const Instant now = bench.Tick();
    decision::Outcome outcome =
        decision::Decide(bench.spec, bench.pool, now, std::move(kept), &bench.history);
    kept = std::move(outcome.state);
    bench.Follow(outcome.decision.plan);
    benchmark::DoNotOptimize(outcome.decision);
  };
  while (bench.tick < kWarm) decide();
  for (auto _ : state) decide();
  state.SetItemsProcessed(state.iterations());
}

void BM_SizeAndGuard(benchmark::State& state, const PolicyEntry& policy, bool moving) {
  Bench bench(policy, moving);
  const decision::PoolSpec& spec = bench.spec;
  PolicyMemory memory = policy.memory;
  guards::Memory guards;
  const auto decide = [&] {
    sizing::Input input;
    input.now = bench.Tick();
    input.current = guards.desired.value_or(kReplicas);
    input.min = spec.guards.min;
    input.max = spec.guards.max;
    input.targets = spec.targets;
    input.readings = bench.pool.readings;
    input.replicas = bench.pool.replicas;
    input.capacity = spec.capacity;
    input.history = &bench.history;
    const sizing::Sizing sizing = policy.size(input, spec.policies[0], memory);
    guards::Applied applied =
        guards::Apply(sizing.proposals, input.current, spec.guards, std::move(guards), input.now);
    guards = std::move(applied.memory);
    benchmark::DoNotOptimize(applied.desired);
  };
  while (bench.tick < kWarm) decide();
  for (auto _ : state) decide();
  state.SetItemsProcessed(state.iterations());
}

// One benchmark of each kind for each policy that there is.
const bool kRegistered = [] {
  for (const PolicyEntry& policy : Policies()) {
    for (const bool moving : {false, true}) {
      const std::string name = fmt::format("{}/{}", policy.name, moving ? "moving" : "calm");
      const auto add = [&](const char* kind, auto* function) {
        benchmark::RegisterBenchmark(
            fmt::format("{}/{}", kind, name).c_str(),
            [&policy, moving, function](auto& state) { function(state, policy, moving); });
      };
      add("BM_Decide", &BM_Decide);
      add("BM_SizeAndGuard", &BM_SizeAndGuard);
    }
  }
  return true;
}();

}  // namespace
}  // namespace tidegate

BENCHMARK_MAIN();
