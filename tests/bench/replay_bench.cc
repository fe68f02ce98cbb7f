// What `tidegate diff` costs beside reading the journal: decisions made again, at three lengths of
// a record.

#include <vector>

#include <benchmark/benchmark.h>

#include "scheduler/decision/diff.h"
#include "tests/testing/recorded_story.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::decision {
namespace {

void BM_Diff(benchmark::State& state) {
  const testing::SyntheticLoad load{.mean = 400};
  std::vector<double> loads;
  for (std::int64_t i = 0; i < state.range(0); ++i) loads.push_back(load.At(i));
  const Instant begin = FromUnixMillis(1'800'000'000'000);
  const auto recorded =
      testing::RecordedStory(testing::StorySpec(), begin, std::chrono::seconds(5), loads);
  PoolSpec other = testing::StorySpec();
  other.guards.behavior.down.stabilization_window = std::chrono::seconds(60);
  for (auto _ : state) {
    Differ differ(other, begin);
    for (const Decision& decision : recorded) differ.Take(decision);
    benchmark::DoNotOptimize(std::move(differ).Finish());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Diff)
    ->ArgName("decisions")
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidegate::decision

BENCHMARK_MAIN();
