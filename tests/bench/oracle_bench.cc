// The oracle over a day, a week and four weeks of seconds: noise of the size of a replica on a
// daily wave of twenty (or two hundred) of them.

#include <algorithm>
#include <cmath>
#include <numbers>

#include <benchmark/benchmark.h>

#include "sim/report/oracle.h"
#include "traces/format/trace.h"

namespace tidegate::sim {
namespace {

constexpr int kDay = 86'400;

traces::Trace Wave(int days, double replicas) {
  traces::Trace trace{std::chrono::seconds(1), {}};
  std::uint32_t draw = 1;
  for (int second = 0; second < days * kDay; ++second) {
    draw = draw * 1'664'525U + 1'013'904'223U;
    const double noise = draw / 4'294'967'296.0 - 0.5;
    const double wave = 1 + 0.8 * std::sin(2 * std::numbers::pi * second / kDay);
    trace.requests.push_back(std::max(0.0, 100 * (replicas / 2 * wave + noise)));
  }
  return trace;
}

void BM_Oracle(benchmark::State& state) {
  const int days = static_cast<int>(state.range(0));
  const traces::Trace trace = Wave(days, static_cast<double>(state.range(1)));
  OracleInput input;
  input.capacity = 100;
  input.startup = input.drain = std::chrono::seconds(30);
  input.wait = std::chrono::seconds(state.range(2));
  input.initial = input.least = 2;
  input.most = 1'000;
  input.end = traces::Length(trace);
  input.bad_fraction = 0.001;
  for (auto _ : state) benchmark::DoNotOptimize(LeastReplicaSeconds(trace, input));
  state.SetItemsProcessed(state.iterations() * days * kDay);
}
BENCHMARK(BM_Oracle)
    ->ArgNames({"days", "replicas", "wait"})
    ->ArgsProduct({{1, 7, 28}, {20, 200}, {0, 1}})
    ->Args({7, 20, 10})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidegate::sim

BENCHMARK_MAIN();
