#include "policies/signals/estimator.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::signals {
namespace {

using std::chrono::seconds;
using ::testing::DoubleNear;
using ::testing::HasSubstr;

constexpr EstimateOptions kOptions{seconds(120), seconds(30), seconds(90)};

Instant At(int second) { return FromUnixMillis(1'800'000'000'000) + seconds(second); }

ReplicaView Ready(const std::string& name, int since) {
  ReplicaView view;
  view.name = name;
  view.phase = Phase::kReady;
  view.started = At(since - 1);
  view.since = At(since);
  view.ready_at = At(since);
  return view;
}

SampleSeries Series(const std::string& replica,
                    std::initializer_list<std::pair<int, double>> samples) {
  SampleSeries series;
  series.replica = replica;
  for (const auto& [second, value] : samples) {
    series.samples.push_back({At(second), value});
  }
  return series;
}

Reading Rate(int now, const std::vector<SampleSeries>& series,
             const std::vector<ReplicaView>& replicas) {
  return EstimateRate(At(now), series, replicas, kOptions);
}

TEST(EstimateRateTest, AddsTheNewestRateOfEachReplica) {
  const Reading reading =
      Rate(70, {Series("a", {{0, 100}, {30, 400}, {60, 1000}}), Series("b", {{10, 0}, {40, 300}})},
           {Ready("a", -1000), Ready("b", -1000)});
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(reading.value, 600.0 / 30 + 300.0 / 30);
  EXPECT_EQ(reading.age, seconds(10));
  EXPECT_EQ(reading.series, 2);
  EXPECT_EQ(reading.expected, 2);
  EXPECT_EQ(reading.detail, "");
}

TEST(EstimateRateTest, CountsFromZeroAfterAReset) {
  const Reading reading =
      Rate(60, {Series("a", {{0, 5000}, {30, 5300}, {60, 150}})}, {Ready("a", -1000)});
  EXPECT_DOUBLE_EQ(reading.value, 150.0 / 30);
  EXPECT_EQ(reading.quality, Quality::kPartial);  // what came between 30 and the reset is lost
  const Reading next =
      Rate(90, {Series("a", {{0, 5000}, {30, 5300}, {60, 150}, {90, 450}})}, {Ready("a", -1000)});
  EXPECT_DOUBLE_EQ(next.value, 10);
  EXPECT_EQ(next.quality, Quality::kOk);
}

TEST(EstimateRateTest, CountsAYoungReplicaFromZeroSinceItWasReady) {
  const Reading reading = Rate(70, {Series("a", {{65, 2000}})}, {Ready("a", 45)});
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(reading.value, 100);
}

TEST(EstimateRateTest, SaysOfNoReplicaWhatAShortStretchMayHide) {
  EstimateOptions options = kOptions;
  options.each_replica = true;
  const std::vector<ReplicaView> replicas{Ready("a", 45), Ready("b", 57)};
  // Of b it knows three seconds, which its sum spreads over ten.
  const Reading first = EstimateRate(
      At(70), {{Series("a", {{65, 2000}}), Series("b", {{60, 300}})}}, replicas, options);
  ASSERT_EQ(first.each.size(), 1u);
  EXPECT_EQ(first.each[0], (ReplicaValue{"a", 100, seconds(5)}));
  const Reading next =
      EstimateRate(At(91), {{Series("a", {{65, 2000}}), Series("b", {{60, 300}, {90, 3300}})}},
                   replicas, options);
  EXPECT_EQ(next.each.size(), 2u);
}

TEST(EstimateRateTest, DoesNotCountAnOldCounterThatAppearsFromZero) {
  const Reading first = Rate(70, {Series("a", {{65, 1e9}})}, {Ready("a", -1000)});
  EXPECT_EQ(first.quality, Quality::kPartial);
  EXPECT_DOUBLE_EQ(first.value, 0);
  const Reading second =
      Rate(100, {Series("a", {{65, 1e9}, {95, 1e9 + 300}})}, {Ready("a", -1000)});
  EXPECT_EQ(second.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(second.value, 10);
}

TEST(EstimateRateTest, LetsANewStatusCodeFillItsReplicasRateButNotExceedIt) {
  const std::vector<ReplicaView> fleet = {Ready("a", -1000)};
  const SampleSeries ok = Series("a", {{0, 0}, {30, 3000}, {60, 3000}});
  EXPECT_DOUBLE_EQ(Rate(60, {ok, Series("a", {{60, 3000}})}, fleet).value, 100);
  EXPECT_DOUBLE_EQ(Rate(60, {ok, Series("a", {{60, 9e9}})}, fleet).value, 100);
}

TEST(EstimateRateTest, HoldsTheLastRateOfAReplicaThatWasDrainedUntilItsPeersWereScraped) {
  std::vector<ReplicaView> fleet = {Ready("a", -1000), Ready("b", -1000)};
  fleet[1].phase = Phase::kDraining;
  fleet[1].since = At(65);
  const SampleSeries gone = Series("b", {{0, 0}, {30, 3000}, {60, 6000}});
  EXPECT_DOUBLE_EQ(Rate(80, {Series("a", {{15, 0}, {45, 3000}}), gone}, fleet).value, 200);
  // a's segment 65..95 lies wholly after: all of b's load is in it.
  const Reading later =
      Rate(110, {Series("a", {{15, 0}, {45, 3000}, {65, 5000}, {95, 11000}}), gone}, fleet);
  EXPECT_DOUBLE_EQ(later.value, 200);
}

TEST(EstimateRateTest, DropsAReplicaThatVanishedUntoldOnceItsPeersShowTheLoad) {
  const Reading reading = Rate(130,
                               {Series("a", {{35, 3500}, {65, 8000}, {95, 14000}, {125, 20000}}),
                                Series("b", {{15, 0}, {45, 3000}})},
                               {Ready("a", -1000)});
  EXPECT_DOUBLE_EQ(reading.value, 200);
  EXPECT_EQ(reading.expected, 1);
}

TEST(EstimateRateTest, KeepsTheTotalWhileYoungReplicasAreUnseen) {
  // 200 per second moved from a alone to a, b and c at 50; a was scraped since, b and c were not.
  const Reading reading = Rate(70, {Series("a", {{5, 0}, {35, 6000}, {65, 10000}})},
                               {Ready("a", -1000), Ready("b", 50), Ready("c", 50)});
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(reading.value, 200);
}

TEST(EstimateRateTest, CountsAYoungReplicaSinceItWasReadyThoughItWasScrapedBefore) {
  // 100 per second since 50; it started at 49, but a scrape at 49.5 would not be seen: use 20.
  ReplicaView young = Ready("a", 50);
  young.started = At(0);
  const Reading reading = Rate(70, {Series("a", {{5, 0}, {35, 0}, {65, 1500}})}, {young});
  EXPECT_DOUBLE_EQ(reading.value, 100);
  EXPECT_EQ(reading.quality, Quality::kOk);
}

TEST(EstimateRateTest, DoesNotTakeSamplesFromBeforeReadinessForALoadOfZero) {
  ReplicaView young = Ready("b", 50);
  young.started = At(0);
  const std::vector<SampleSeries> series = {Series("a", {{5, 0}, {35, 6000}, {65, 10000}}),
                                            Series("b", {{10, 0}, {40, 0}})};
  const Reading unseen = Rate(70, series, {Ready("a", -1000), young});
  EXPECT_EQ(unseen.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(unseen.value, 200);
  // Two scrapes later it has lost them.
  const std::vector<SampleSeries> later = {Series("a", {{35, 6000}, {65, 10000}, {95, 13000}}),
                                           Series("b", {{10, 0}, {40, 0}})};
  EXPECT_EQ(Rate(97, later, {Ready("a", -1000), young}).quality, Quality::kPartial);
}

TEST(EstimateRateTest, IsNotOkWhereOnlyAYoungReplicaIsLeft) {
  std::vector<ReplicaView> fleet = {Ready("a", -1000), Ready("b", 63)};
  fleet[0].phase = Phase::kFailed;
  fleet[0].since = At(60);
  // The last rate of a is 70 s old when it fails: nobody knows it.
  const Reading reading =
      Rate(70, {Series("a", {{-40, 0}, {-35, 0}}), Series("b", {{64, 4}})}, fleet);
  EXPECT_EQ(reading.quality, Quality::kPartial);
}

TEST(EstimateRateTest, IsNotOkWhileTheLoadOfAnUnknownLeaverIsNotSeenElsewhere) {
  std::vector<ReplicaView> fleet = {Ready("a", -1000), Ready("b", -1000)};
  fleet[1].phase = Phase::kDraining;
  fleet[1].since = At(65);
  const SampleSeries silent = Series("b", {{-48, 0}, {-30, 3000}});
  const Reading before = Rate(70, {Series("a", {{15, 0}, {45, 3000}}), silent}, fleet);
  EXPECT_EQ(before.quality, Quality::kPartial);
  EXPECT_THAT(before.detail, HasSubstr("left"));
  const Reading after =
      Rate(110, {Series("a", {{15, 0}, {45, 3000}, {75, 7000}, {105, 13000}})}, fleet);
  EXPECT_EQ(after.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(after.value, 200);
}

TEST(EstimateRateTest, IsNotOkWhereReplicasVanishedAndAPeerWasNotScrapedSince) {
  const std::vector<SampleSeries> series = {Series("a", {{0, 0}, {30, 3000}}),
                                            Series("b", {{10, 0}, {40, 3000}})};
  EXPECT_EQ(Rate(70, series, {Ready("a", -1000)}).quality, Quality::kOk);
  EXPECT_EQ(Rate(80, series, {Ready("a", -1000)}).quality, Quality::kPartial);
}

TEST(EstimateRateTest, IsNotOkWhereWhatItWasBeforeYoungReplicasIsNotKnown) {
  // b gave no sample for long, and c came; b left since.
  std::vector<ReplicaView> fleet = {Ready("a", -1000), Ready("b", -1000), Ready("c", 100)};
  fleet[1].phase = Phase::kFailed;
  fleet[1].since = At(105);
  const std::vector<SampleSeries> series = {Series("a", {{20, 0}, {50, 3000}, {80, 6000}}),
                                            Series("b", {{-5, 0}, {0, 500}})};
  EXPECT_EQ(Rate(109, series, fleet).quality, Quality::kPartial);
}

TEST(EstimateRateTest, DoesNotCountTwiceWhatVanishedUntoldAfterItsDrain) {
  // Three replicas share 90 per second; c is drained at 100 and gone at 105, between two looks.
  const std::vector<SampleSeries> series = {
      Series("a", {{35, 1000}, {65, 1900}, {95, 2800}, {125, 4075}}),
      Series("b", {{40, 1000}, {70, 1900}, {100, 2800}, {130, 4150}}),
      Series("c", {{44, 1000}, {74, 1900}, {104, 2680}})};
  const Reading reading = Rate(131, series, {Ready("a", -1000), Ready("b", -1000)});
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_THAT(reading.value, DoubleNear(90, 3));
}

TEST(EstimateRateTest, DoesNotPairAGoneReplicasSeriesWithAnother) {
  // edge-2's samples are all lost; edge-1 has gone.
  const Reading reading =
      Rate(70, {Series("edge-1", {{5, 0}, {35, 0}, {65, 0}})}, {Ready("edge-2", -1000)});
  EXPECT_EQ(reading.quality, Quality::kPartial);
}

TEST(EstimateRateTest, CallsNothingAtAllEmpty) {
  EXPECT_EQ(Rate(70, {}, {Ready("a", -1000)}).quality, Quality::kEmpty);
  EXPECT_EQ(Rate(70, {Series("a", {})}, {Ready("a", -1000)}).quality, Quality::kEmpty);
  EXPECT_EQ(Rate(70, {Series("a", {{80, 1}, {90, 2}})}, {}).quality, Quality::kEmpty);
}

TEST(EstimateRateTest, CallsOldSamplesStale) {
  const Reading reading = Rate(125, {Series("a", {{5, 0}, {34, 10}})}, {Ready("a", -1000)});
  EXPECT_EQ(reading.quality, Quality::kStale);
  EXPECT_EQ(reading.value, 0);
  EXPECT_EQ(reading.age, seconds(91));
  EXPECT_EQ(Rate(124, {Series("a", {{5, 0}, {34, 10}})}, {Ready("a", -1000)}).quality,
            Quality::kOk);
}

TEST(EstimateRateTest, CallsNonsenseNaN) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    const Reading reading = Rate(65, {Series("a", {{30, 0}, {60, bad}})}, {Ready("a", -1000)});
    EXPECT_EQ(reading.quality, Quality::kNaN);
    EXPECT_EQ(reading.value, 0);
    EXPECT_THAT(reading.detail, HasSubstr("a"));
  }
}

TEST(EstimateRateTest, CallsOneFrozenReplicaAmongOthersPartial) {
  const Reading reading =
      Rate(125, {Series("a", {{90, 0}, {120, 300}}), Series("b", {{6, 0}, {34, 280}})},
           {Ready("a", -1000), Ready("b", -1000)});
  EXPECT_EQ(reading.quality, Quality::kPartial);
  EXPECT_DOUBLE_EQ(reading.value, 10);
  EXPECT_EQ(reading.series, 1);
  EXPECT_EQ(reading.expected, 2);
  EXPECT_THAT(reading.detail, HasSubstr("(b)"));
}

TEST(EstimateRateTest, DoesNotMissAReplicaThatIsTooYoungToBeScraped) {
  const std::vector<SampleSeries> series = {Series("a", {{90, 0}, {120, 300}})};
  EXPECT_EQ(Rate(125, series, {Ready("a", -1000), Ready("b", 81)}).quality, Quality::kOk);
  EXPECT_EQ(Rate(125, series, {Ready("a", -1000), Ready("b", 79)}).quality, Quality::kPartial);
}

TEST(EstimateRateTest, TakesAConstantCounterForZero) {
  const Reading reading = Rate(65, {Series("a", {{0, 7}, {30, 7}, {60, 7}})}, {Ready("a", -1000)});
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_EQ(reading.value, 0);
}

TEST(EstimateRateTest, WorksWithoutAFleetsNames) {
  const std::vector<SampleSeries> series = {Series("pod-1", {{0, 0}, {30, 300}, {60, 600}}),
                                            Series("pod-2", {{55, 500}})};
  const Reading unnamed = Rate(65, series, {Ready("r-1", -1000), Ready("r-2", 30)});
  EXPECT_EQ(unnamed.quality, Quality::kOk);
  EXPECT_THAT(unnamed.value, DoubleNear(30, 1e-9));
  EXPECT_EQ(Rate(65, series, {}).expected, 0);
  EXPECT_EQ(Rate(65, series, {}).quality, Quality::kOk);
}

TEST(EstimateGaugeTest, AddsTheNewestSamples) {
  const Reading reading = EstimateGauge(
      At(70),
      std::vector<SampleSeries>{Series("a", {{0, 9}, {60, 4}}), Series("a", {{0, 9}, {60, 1}}),
                                Series("b", {{10, 100}, {40, 6}})},
      std::vector<ReplicaView>{Ready("a", -1000), Ready("b", -1000)}, kOptions);
  EXPECT_EQ(reading.quality, Quality::kOk);
  EXPECT_DOUBLE_EQ(reading.value, 11);
  EXPECT_EQ(reading.series, 2);
}

TEST(EstimateGaugeTest, CallsAFrozenReplicaPartial) {
  const Reading reading = EstimateGauge(
      At(125), std::vector<SampleSeries>{Series("a", {{120, 4}}), Series("b", {{30, 6}})},
      std::vector<ReplicaView>{Ready("a", -1000), Ready("b", -1000)}, kOptions);
  EXPECT_EQ(reading.quality, Quality::kPartial);
  EXPECT_DOUBLE_EQ(reading.value, 4);
}

}  // namespace
}  // namespace tidegate::signals
