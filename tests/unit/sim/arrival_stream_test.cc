#include "sim/world/arrival_stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using std::chrono::seconds;

traces::Trace TraceOf(std::vector<double> requests, Duration bin = seconds(10)) {
  traces::Trace trace;
  trace.bin = bin;
  trace.requests = std::move(requests);
  return trace;
}

std::vector<double> All(const traces::Trace& trace, const ArrivalModel& model,
                        std::uint64_t seed = 1) {
  ArrivalStream stream(trace, model, seed);
  std::vector<double> times;
  std::array<double, 100> block{};
  while (const std::size_t count = stream.Take(1e9, block)) {
    times.insert(times.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return times;
}

std::vector<double> CountsIn(const std::vector<double>& times, double width, std::size_t bins) {
  std::vector<double> counts(bins);
  // The last one may come at the very end.
  for (const double time : times) {
    ++counts.at(std::min(static_cast<std::size_t>(time / width), bins - 1));
  }
  return counts;
}

constexpr ArrivalModel kEven{.spacing = ArrivalModel::Spacing::kEven};

TEST(ArrivalStreamTest, EvenArrivalsFollowTheCountsToOneRequest) {
  const traces::Trace trace = TraceOf({100, 0, 250, 3, 0, 40});
  const auto counts = CountsIn(All(trace, kEven), 10, 6);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_NEAR(counts[i], trace.requests[i], 1) << i;
  }
}

TEST(ArrivalStreamTest, ReplayedArrivalsAreThoseOfTheReplayWhateverTheRunsSeed) {
  const traces::Trace trace = TraceOf({100, 0, 2.5, 250, 3.5, 40});
  std::vector<double> sent;
  traces::Arrivals arrivals(trace, {.seed = 7});
  while (const auto next = arrivals.Next()) {
    sent.push_back(std::chrono::duration<double>(*next).count());
  }
  ASSERT_EQ(sent.size(), 396U);
  const ArrivalModel model{.spacing = ArrivalModel::Spacing::kReplay, .replay_seed = 7};
  EXPECT_EQ(All(trace, model, 1), sent);
  EXPECT_EQ(All(trace, model, 2), sent);
}

TEST(ArrivalStreamTest, PoissonCountsVaryAsTheirMean) {
  const traces::Trace trace = TraceOf(std::vector<double>(2'000, 400));
  const auto counts = CountsIn(All(trace, {}), 10, 2'000);
  double sum = 0, squares = 0;
  for (const double count : counts) {
    sum += count;
    squares += count * count;
  }
  const double mean = sum / 2'000;
  EXPECT_NEAR(mean, 400, 3 * std::sqrt(400 / 2'000.0));
  EXPECT_NEAR((squares / 2'000 - mean * mean) / mean, 1, 0.15);
}

TEST(ArrivalStreamTest, LinesRiseInsideABin) {
  const ArrivalModel lines{.shape = ArrivalModel::Shape::kLines,
                           .spacing = ArrivalModel::Spacing::kEven};
  // From the middle of the first bin to that of the second the rate goes from 100/s to 300/s.
  const auto counts = CountsIn(All(TraceOf({1'000, 3'000}), lines), 5, 4);
  EXPECT_NEAR(counts[0], 500, 1);
  EXPECT_NEAR(counts[1], 5 * 150, 1);
  EXPECT_NEAR(counts[2], 5 * 250, 1);
  EXPECT_NEAR(counts[3], 1'500, 1);
}

TEST(ArrivalStreamTest, BurstsKeepEachBinsLoadAndMakeItUneven) {
  const traces::Trace trace = TraceOf(std::vector<double>(50, 6'400));
  ArrivalModel bursts = kEven;
  bursts.burst_bias = 0.7;
  const auto times = All(trace, bursts);
  for (const double count : CountsIn(times, 10, 50)) EXPECT_NEAR(count, 6'400, 1);
  const auto parts = CountsIn(times, 10.0 / 64, 50 * 64);
  // Six halvings that all go the heavy way, and all the light one.
  EXPECT_NEAR(*std::ranges::max_element(parts), 100 * std::pow(1.4, 6), 2);
  EXPECT_NEAR(*std::ranges::min_element(parts), 100 * std::pow(0.6, 6), 2);
}

TEST(ArrivalStreamTest, DoesNotDependOnHowItIsTaken) {
  const traces::Trace trace = TraceOf({500, 10, 0, 800});
  const auto whole = All(trace, {.shape = ArrivalModel::Shape::kLines});
  ArrivalStream stream(trace, {.shape = ArrivalModel::Shape::kLines}, 1);
  std::vector<double> pieces;
  std::array<double, 7> block{};
  for (double until = 0; until <= 41; until += 0.37) {
    while (const std::size_t count = stream.Take(until, block)) {
      pieces.insert(pieces.end(), block.begin(),
                    block.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }
  EXPECT_EQ(pieces, whole);
  EXPECT_TRUE(std::ranges::is_sorted(whole));
  EXPECT_NE(All(trace, {}, 2), All(trace, {}, 3));
}

TEST(ArrivalStreamTest, NobodyComesToAnEmptyTrace) {
  EXPECT_TRUE(All(TraceOf({0, 0, 0}), {}).empty());
}

}  // namespace
}  // namespace tidegate::sim
