// What forecasts cost: a fit at three lengths of history (it is linear, and 14 days of minutes are
// to take 20 ms at most), the first look at a history (which also replays its last day), and a look
// at every tick.

#include <benchmark/benchmark.h>

#include "policies/forecast/forecaster.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::forecast {
namespace {

constexpr int kDay = 1440;

signals::History Days(std::int64_t days) {
  return testing::HistoryOf({}, testing::kMonday, testing::kMonday + days * kDay);
}

void BM_Refit(benchmark::State& state) {
  const signals::History history = Days(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Fit(history, {.unit = 20, .end = history.end(), .ahead = 5}));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kDay);
}
BENCHMARK(BM_Refit)->ArgName("days")->Arg(3)->Arg(7)->Arg(14)->Unit(benchmark::kMillisecond);

void BM_FirstLook(benchmark::State& state) {
  const signals::History history = Days(state.range(0));
  const Request request{.horizon = std::chrono::minutes(1), .quantile = 0.9, .unit = 20};
  for (auto _ : state) {
    State fresh;
    benchmark::DoNotOptimize(Look(history.Center(history.end()), 1000, history, request, fresh));
  }
}
BENCHMARK(BM_FirstLook)->ArgName("days")->Arg(3)->Arg(7)->Arg(14)->Unit(benchmark::kMillisecond);

// A tick of 5 s within one minute: nothing is fitted.
void BM_Look(benchmark::State& state) {
  const signals::History history = Days(14);
  const Request request{
      .horizon = std::chrono::seconds(state.range(0)), .quantile = 0.9, .unit = 20};
  State warm;
  Instant now = history.Center(history.end());
  Look(now, 1000, history, request, warm);
  int tick = 0;
  for (auto _ : state) {
    const Instant at = now + std::chrono::seconds(5) * (++tick % 5);
    benchmark::DoNotOptimize(Look(at, 1000 + tick % 7, history, request, warm));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Look)->ArgName("horizon_s")->Arg(45)->Arg(300);

void BM_RefillHistory(benchmark::State& state) {
  std::vector<float> means(14 * kDay, 1000.0F);
  for (auto _ : state) {
    signals::History history;
    history.Refill(testing::kMonday, means);
    benchmark::DoNotOptimize(history.end());
  }
}
BENCHMARK(BM_RefillHistory)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tidegate::forecast

BENCHMARK_MAIN();
