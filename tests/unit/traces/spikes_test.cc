#include "traces/history/spikes.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::traces {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Level {
  int seconds;
  double rate;
};

Trace Levels(const std::vector<Level>& levels) {
  Trace trace{.bin = seconds(1), .requests = {}};
  for (const Level& level : levels)
    trace.requests.insert(trace.requests.end(), static_cast<std::size_t>(level.seconds),
                          level.rate);
  return trace;
}

TEST(FindSpikesTest, FindsARiseAboveTheMedian) {
  Trace trace = Levels({{600, 100}, {120, 300}, {600, 100}});
  trace.requests[650] = 360;
  const auto spikes = FindSpikes(trace, {});
  ASSERT_THAT(spikes, SizeIs(1));
  // Averaged over 5 s, the rise to twice the median is there within 3 s.
  EXPECT_GE(spikes[0].begin, seconds(597));
  EXPECT_LE(spikes[0].begin, seconds(600));
  EXPECT_EQ(spikes[0].end, seconds(720));
  EXPECT_EQ(spikes[0].baseline, 100);
  EXPECT_EQ(spikes[0].peak, 360);
  EXPECT_EQ(spikes[0].peak_at, seconds(650));
}

TEST(FindSpikesTest, IgnoresWhatIsTooLow) {
  EXPECT_THAT(FindSpikes(Levels({{600, 100}, {120, 190}, {600, 100}}), {}), IsEmpty());
  EXPECT_THAT(FindSpikes(Levels({{600, 100}, {120, 190}, {600, 100}}), {.factor = 1.8}), SizeIs(1));
}

TEST(FindSpikesTest, IgnoresWhatIsTooShort) {
  EXPECT_THAT(FindSpikes(Levels({{600, 100}, {2, 300}, {600, 100}}), {}), IsEmpty());
}

TEST(FindSpikesTest, IgnoresSmallRisesOfAnIdleTime) {
  // 1 to 20 is a lot, but nothing beside the day's peak of 500.
  const Trace trace = Levels({{600, 1}, {60, 20}, {600, 1}, {3'000, 500}});
  const auto spikes = FindSpikes(trace, {});
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_GT(spikes[0].begin, seconds(1'200));
  EXPECT_THAT(FindSpikes(trace, {.least_rise = 0.01}), SizeIs(2));
}

TEST(FindSpikesTest, DoesNotTakeASlowRampForASpike) {
  Trace trace{.bin = seconds(1), .requests = {}};
  for (int i = 0; i < 6 * 3'600; ++i) trace.requests.push_back(100 + i * 0.03);
  EXPECT_THAT(FindSpikes(trace, {}), IsEmpty());
}

TEST(FindSpikesTest, RidesThroughADipThatIsNotCalm) {
  const Trace trace = Levels({{600, 100}, {60, 300}, {30, 100}, {60, 300}, {600, 100}});
  const auto spikes = FindSpikes(trace, {});
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_EQ(spikes[0].end, seconds(750));
  EXPECT_THAT(FindSpikes(trace, {.calm = seconds(20)}), SizeIs(2));
}

TEST(FindSpikesTest, KeepsTheBaselineFreeOfEarlierSpikes) {
  std::vector<Level> levels{{600, 100}};
  for (int i = 0; i < 5; ++i) {
    levels.push_back({400, 300});
    levels.push_back({100, 100});
  }
  // Most of the last half hour was high, yet the fifth spike is as much one as the first.
  const auto spikes = FindSpikes(Levels(levels), {});
  ASSERT_THAT(spikes, SizeIs(5));
  for (const Spike& spike : spikes) EXPECT_EQ(spike.baseline, 100);
}

TEST(FindSpikesTest, TakesWhatLastsForTheNewNormal) {
  const Trace trace = Levels({{3'600, 100}, {4 * 3'600, 300}, {60, 700}, {600, 300}});
  const auto spikes = FindSpikes(trace, {});
  ASSERT_THAT(spikes, SizeIs(2));
  EXPECT_EQ(spikes[0].end - spikes[0].begin, hours(2));
  EXPECT_EQ(spikes[1].baseline, 300);
  EXPECT_EQ(spikes[1].peak, 700);
}

TEST(FindSpikesTest, EndsWithTheTraceAtTheLatest) {
  const auto spikes = FindSpikes(Levels({{600, 100}, {120, 300}}), {});
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_EQ(spikes[0].end, seconds(720));
  const auto calming = FindSpikes(Levels({{600, 100}, {120, 300}, {10, 100}}), {});
  ASSERT_THAT(calming, SizeIs(1));
  EXPECT_EQ(calming[0].end, seconds(720));
}

TEST(FindSpikesTest, RisesFromNothing) {
  const auto spikes = FindSpikes(Levels({{600, 0}, {120, 300}, {600, 0}}), {});
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_EQ(spikes[0].baseline, 0);
  EXPECT_EQ(spikes[0].end, seconds(720));
}

TEST(FindSpikesTest, WorksWithLongBins) {
  Trace trace{.bin = minutes(5), .requests = std::vector<double>(40, 30'000)};
  trace.requests[20] = trace.requests[21] = 90'000;
  const auto spikes = FindSpikes(trace, {});
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_EQ(spikes[0].begin, minutes(100));
  EXPECT_EQ(spikes[0].end, minutes(110));
  EXPECT_EQ(spikes[0].peak, 300);
}

TEST(FindSpikesTest, HasNothingToSayOfNothing) {
  EXPECT_THAT(FindSpikes({}, {}), IsEmpty());
  EXPECT_THAT(FindSpikes(Levels({{1, 500}}), {}), IsEmpty());
  EXPECT_THAT(FindSpikes(Levels({{600, 0}}), {}), IsEmpty());
}

// The rule in plain words: each found spike rises where it says, and no time outside of spikes
// does.
TEST(FindSpikesTest, HoldsItsRuleOnRandomTraces) {
  const SpikeRule rule{.baseline = seconds(60), .calm = seconds(10), .longest = seconds(100)};
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    Trace trace{.bin = seconds(1), .requests = {}};
    for (int i = 0; i < 40; ++i) {
      const double rate = 50 + static_cast<double>(random() % 400);
      for (int k = 0; k < 15; ++k)
        trace.requests.push_back(rate + static_cast<double>(random() % 20));
    }
    Duration last{0};
    for (const Spike& spike : FindSpikes(trace, rule)) {
      EXPECT_GE(spike.begin, last) << seed;
      EXPECT_GT(spike.end, spike.begin) << seed;
      EXPECT_LE(spike.end - spike.begin, rule.longest) << seed;
      double sum = 0;
      for (int k = 0; k < 5; ++k) sum += RateAt(trace, spike.begin + seconds(k));
      EXPECT_GE(sum / 5, rule.factor * spike.baseline) << seed;
      EXPECT_GE(spike.peak, sum / 5) << seed;
      EXPECT_EQ(RateAt(trace, spike.peak_at), spike.peak) << seed;
      last = spike.end;
    }
  }
}

// The median is that of the sorted bins.
TEST(FindSpikesTest, TakesTheMedianOfTheBaseline) {
  std::mt19937_64 random(7);
  Trace trace{.bin = seconds(1), .requests = {}};
  for (int i = 0; i < 300; ++i) trace.requests.push_back(static_cast<double>(100 + random() % 50));
  std::vector<double> before(trace.requests.end() - 61, trace.requests.end());
  for (int i = 0; i < 60; ++i) trace.requests.push_back(1'000);
  const SpikeRule rule{.baseline = seconds(61), .hold = seconds(1)};
  const auto spikes = FindSpikes(trace, rule);
  ASSERT_THAT(spikes, SizeIs(1));
  std::nth_element(before.begin(), before.begin() + 30, before.end());
  EXPECT_EQ(spikes[0].baseline, before[30]);
}

TEST(WindowTest, CutsBinsAndFillsBefore) {
  const Trace trace = Levels({{10, 1}, {10, 2}});
  EXPECT_THAT(Window(trace, seconds(8), seconds(12), 9).requests, ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(Window(trace, seconds(-2), seconds(2), 9).requests, ElementsAre(9, 9, 1, 1));
  EXPECT_THAT(Window(trace, seconds(18), seconds(50), 9).requests, ElementsAre(2, 2));
  EXPECT_THAT(Window(trace, Duration(-1'500), Duration(1'500), 9).requests,
              ElementsAre(9, 9, 1, 1));
  const Trace wide{.bin = minutes(1), .requests = {60, 120}};
  EXPECT_THAT(Window(wide, minutes(-1), minutes(1), 2).requests, ElementsAre(120, 60));
}

}  // namespace
}  // namespace tidegate::traces
