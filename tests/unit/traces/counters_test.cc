#include "traces/history/counters.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::traces {
namespace {

using signals::Sample;
using signals::SampleSeries;
using std::chrono::seconds;
using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr Instant kBegin = FromUnixMillis(1'800'000'000'000);

Instant At(double second) { return kBegin + FromSeconds(second); }

// A minute in four bins; samples are asked for from a minute before.
HistoryOptions Minute() {
  return {.begin = kBegin,
          .end = At(60),
          .bin = seconds(15),
          .scrape_interval = seconds(15),
          .asked_from = At(-60),
          .longest_gap = seconds(38)};
}

// Scraped each 15 s from `from` to `to`, growing by `rate` per second, `first` at the first scrape.
SampleSeries Steady(const std::string& replica, double from, double to, double rate, double first) {
  SampleSeries series{replica, {}};
  for (double at = from; at <= to; at += 15)
    series.samples.push_back({At(at), first + rate * (at - from)});
  return series;
}

TEST(LoadFromCountersTest, SpreadsIncreasesOverTheTimeBetweenScrapes) {
  const auto load = LoadFromCounters(std::vector{Steady("a", -58, 70, 10, 5'000)}, Minute());
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 150.0, 150.0, 150.0}));
  EXPECT_EQ(load.trace.bin, seconds(15));
  EXPECT_EQ(load.guessed, 0u);
  EXPECT_THAT(load.replicas, ElementsAre(1, 1, 1, 1));
}

TEST(LoadFromCountersTest, CountsEachRequestOnceWhateverTheBins) {
  const SampleSeries uneven{
      "a",
      {{At(-10), 100}, {At(4), 130}, {At(21), 131}, {At(33), 400}, {At(61), 420}, {At(89), 440}}};
  for (const int bin : {1, 4, 7, 15, 33}) {
    HistoryOptions options = Minute();
    options.bin = seconds(bin);
    options.begin = At(-10);
    options.end = options.begin + seconds(bin) * ((99 + bin - 1) / bin);
    const auto load = LoadFromCounters(std::vector{uneven}, options);
    // The last bin may end after the last sample, and is then guessed.
    double whole = 0;
    const std::size_t known = static_cast<std::size_t>(99 / bin);
    for (std::size_t i = 0; i < known; ++i) whole += load.trace.requests[i];
    // The last stretch goes on as fast as the one before it.
    EXPECT_NEAR(whole, 340 - 20.0 / 28 * (99 % bin), 1e-6) << bin;
  }
}

TEST(LoadFromCountersTest, DrawsARiseWithoutJumpsAtScrapes) {
  // 10 a second until 20 s, 40 from 35 s on: within, the rate rises by 2 a second.
  const auto count = [](double at) {
    const double into = std::clamp(at - 20, 0.0, 15.0);
    return 1'000 + 10 * at + into * into + 30 * std::max(at - 35, 0.0);
  };
  SampleSeries rise{"a", {}};
  for (double at = -55; at <= 80; at += 15) rise.samples.push_back({At(at), count(at)});
  HistoryOptions options = Minute();
  options.bin = seconds(1);
  const auto load = LoadFromCounters(std::vector{rise}, options);
  double whole = 0;
  for (std::size_t i = 1; i < 60; ++i) {
    whole += load.trace.requests[i];
    EXPECT_LT(std::abs(load.trace.requests[i] - load.trace.requests[i - 1]), 5) << i;
    EXPECT_GE(load.trace.requests[i], 0);
  }
  EXPECT_NEAR(whole + load.trace.requests[0], count(60) - count(0), 12);
}

TEST(LoadFromCountersTest, NeverDrawsAFallingCount) {
  SampleSeries bursts{"a", {}};
  double count = 0;
  for (int i = -4; i <= 5; ++i) bursts.samples.push_back({At(15 * i), count += i % 2 ? 3'000 : 1});
  HistoryOptions options = Minute();
  options.bin = seconds(1);
  EXPECT_THAT(LoadFromCounters(std::vector{bursts}, options).trace.requests,
              Each(::testing::Ge(0.0)));
}

TEST(LoadFromCountersTest, AddsReplicasAndCountsThem) {
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -58, 70, 10, 0), Steady("b", -51, 39, 20, 7)}, Minute());
  EXPECT_NEAR(load.trace.requests[0], 450, 1e-6);
  // b was scraped at 39 s for the last time.
  EXPECT_NEAR(load.trace.requests[2], 150 + 20 * 9, 1e-6);
  EXPECT_NEAR(load.trace.requests[3], 150, 1e-6);
  EXPECT_THAT(load.replicas, ElementsAre(2, 2, 2, 2));
}

TEST(LoadFromCountersTest, SaysWhenEachReplicaWasScraped) {
  const auto load = LoadFromCounters(
      std::vector{Steady("a", 11, 60, 10, 0), Steady("b", -51, 39, 20, 7)}, Minute());
  EXPECT_THAT(load.scraped,
              ElementsAre(ScrapedReplica{At(-51), At(39)}, ScrapedReplica{At(11), At(56)}));
}

TEST(LoadFromCountersTest, CountsNewReplicasFromZero) {
  // rate() would not see the first 150 requests of b.
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -58, 70, 10, 0), Steady("b", 30, 70, 10, 150)}, Minute());
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 300.0, 300.0, 300.0}));
  EXPECT_THAT(load.replicas, ElementsAre(1, 2, 2, 2));
  EXPECT_EQ(load.old_counters, 0u);
}

TEST(LoadFromCountersTest, ANewReplicaThatIsFoundLateServedAsFastBeforeItsFirstScrape) {
  // Started at 20 s, first scraped at 45 s: what it counted is not the last scrape interval's
  // alone.
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -58, 70, 10, 0), Steady("b", 45, 75, 10, 250)}, Minute());
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 250.0, 300.0, 300.0}));
}

TEST(LoadFromCountersTest, ANewReplicaIsFoundWithinThreeScrapes) {
  // 60 s at the mean rate of the others.
  const auto load =
      LoadFromCounters(std::vector{Steady("a", -58, 70, 100, 0), Steady("b", 50, 75, 1, 3'000),
                                   Steady("c", -58, 70, 0, 7)},
                       Minute());
  EXPECT_THAT(load.trace.requests,
              Pointwise(DoubleNear(1e-3), {2'166.667, 2'500.0, 2'500.0, 1'843.333}));
}

TEST(LoadFromCountersTest, ANewReplicaServedAsFastAsTheOthersDid) {
  // Both serve 20 a second until 50 s and 4 from then on; b since 40 s.
  const SampleSeries a{
      "a",
      {{At(-10), 0}, {At(5), 300}, {At(20), 600}, {At(35), 900}, {At(50), 1'200}, {At(65), 1'260}}};
  const SampleSeries b{"b", {{At(50), 200}, {At(65), 260}}};
  HistoryOptions options = Minute();
  options.bin = seconds(10);
  const auto load = LoadFromCounters(std::vector{a, b}, options);
  EXPECT_NEAR(load.trace.requests[2], 200, 1e-6);
  EXPECT_GT(load.trace.requests[4], 300);
}

TEST(LoadFromCountersTest, ANewReplicaOfAnIdlePoolServedNothing) {
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -58, 70, 0, 0), Steady("b", 30, 70, 0, 0)}, Minute());
  EXPECT_THAT(load.trace.requests, Each(0.0));
  EXPECT_THAT(load.replicas, ElementsAre(1, 1, 2, 2));
}

TEST(LoadFromCountersTest, TheFirstReplicaServedAsFastAsLater) {
  // Since 5 s: the first bin is all that is not known.
  HistoryOptions options = Minute();
  options.bin = seconds(5);
  const auto load = LoadFromCounters(std::vector{Steady("a", 30, 75, 10, 250)}, options);
  EXPECT_EQ(load.guessed, 1u);
  EXPECT_THAT(load.trace.requests, Each(DoubleNear(50, 1e-6)));
}

TEST(LoadFromCountersTest, DoesNotTakeAnOldCounterForANewReplica) {
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -58, 70, 10, 0), Steady("b", 30, 70, 10, 90'000)}, Minute());
  EXPECT_NEAR(load.trace.requests[1], 150, 1e-6);
  EXPECT_NEAR(load.trace.requests[2], 300, 1e-6);
  EXPECT_EQ(load.old_counters, 1u);
}

TEST(LoadFromCountersTest, DoesNotCountWhatWasThereBeforeFromZero) {
  HistoryOptions options = Minute();
  options.asked_from = kBegin;
  const auto load = LoadFromCounters(std::vector{Steady("a", 2, 70, 10, 100)}, options);
  EXPECT_EQ(load.old_counters, 0u);
  // The first 2 s have no samples: that bin is guessed.
  EXPECT_EQ(load.guessed, 1u);
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 150.0, 150.0, 150.0}));
}

TEST(LoadFromCountersTest, CountsFromZeroAfterAReset) {
  const SampleSeries reset{"a", {{At(-15), 1'000}, {At(0), 1'150}, {At(15), 30}, {At(60), 480}}};
  HistoryOptions options = Minute();
  options.longest_gap = seconds(60);
  const auto load = LoadFromCounters(std::vector{reset}, options);
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {30.0, 150.0, 150.0, 150.0}));
}

TEST(LoadFromCountersTest, SpreadsAcrossALongPauseAndSaysSo) {
  const SampleSeries pause{"a", {{At(-15), 0}, {At(0), 150}, {At(60), 750}}};
  const auto load = LoadFromCounters(std::vector{pause}, Minute());
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 150.0, 150.0, 150.0}));
  EXPECT_EQ(load.guessed, 4u);
  EXPECT_EQ(load.longest_guess, 4u);
}

TEST(LoadFromCountersTest, DrawsALineThroughTimeWithoutAnySeries) {
  HistoryOptions options = Minute();
  options.end = At(120);
  const auto load = LoadFromCounters(
      std::vector{Steady("a", -45, 30, 10, 0), Steady("b", 75, 120, 40, 600)}, options);
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-6), {150.0, 150.0, 300.0, 450.0, 600.0,
                                                                600.0, 600.0, 600.0}));
  EXPECT_EQ(load.guessed, 2u);
  EXPECT_THAT(load.replicas, ElementsAre(1, 1, 1, 0, 1, 1, 1, 1));
}

TEST(LoadFromCountersTest, KnowsNothingWithoutSeries) {
  const auto load = LoadFromCounters({}, Minute());
  EXPECT_THAT(load.trace.requests, Each(0.0));
  EXPECT_EQ(load.guessed, 4u);
}

TEST(LoadFromRatesTest, TakesValuesAtTheEndsOfBins) {
  const std::vector<Sample> rates{{At(15), 1}, {At(30), 2}, {At(45), 3}, {At(60), 4}};
  const auto load = LoadFromRates(rates, Minute());
  EXPECT_THAT(load.trace.requests, ElementsAre(15, 30, 45, 60));
  EXPECT_EQ(load.guessed, 0u);
  EXPECT_TRUE(load.replicas.empty());
}

TEST(LoadFromRatesTest, GuessesWhatIsMissing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Sample> rates{
      {At(0), 99}, {At(15), 2}, {At(30), nan}, {At(45), -1}, {At(60), 8}};
  const auto load = LoadFromRates(rates, Minute());
  EXPECT_THAT(load.trace.requests, Pointwise(DoubleNear(1e-9), {30.0, 60.0, 90.0, 120.0}));
  EXPECT_EQ(load.guessed, 2u);
}

}  // namespace
}  // namespace tidegate::traces
