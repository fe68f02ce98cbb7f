#include "sim/world/scraper.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/calendar.h"
#include "sim/world/fluid_pool.h"
#include "sim/world/range_functions.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr ScrapeModel kModel{
    .interval = seconds(15), .window = seconds(60), .discovery = seconds(1)};

// A pool under 60 requests per second, scraped each 15 s.
class ScraperTest : public ::testing::Test {
 protected:
  ScraperTest()
      : calendar_(kStart),
        trace_{.bin = seconds(1), .requests = std::vector<double>(1'000, 60)},
        pool_(calendar_, trace_, kStart, {}),
        scraper_(pool_, kModel) {
    calendar_.Between([this](Instant at) { scraper_.AdvanceTo(at); });
  }

  void Start(const std::string& replica) {
    pool_.Start(replica, "aaaa0001");
    scraper_.Discover(calendar_.Now(), replica);
  }
  std::vector<signals::Sample> SamplesAt(Duration since_start) {
    calendar_.RunUntil(kStart + since_start);
    const auto series = scraper_.Query(calendar_.Now());
    return series.empty() ? std::vector<signals::Sample>{} : series[0].samples;
  }

  Calendar calendar_;
  traces::Trace trace_;
  FluidPool pool_;
  Scraper scraper_;
};

TEST_F(ScraperTest, KeepsItsPhase) {
  Start("r1");
  const auto samples = SamplesAt(seconds(100));
  ASSERT_GE(samples.size(), 3U);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].at - samples[i - 1].at, seconds(15));
  }
}

TEST_F(ScraperTest, PhaseDependsOnTheNameNotOnTheStart) {
  Start("r1");
  const Duration first = SamplesAt(seconds(20)).at(0).at.time_since_epoch() % seconds(15);
  Calendar calendar(kStart + Duration(4'321));
  FluidPool pool(calendar, trace_, kStart, {});
  Scraper scraper(pool, kModel);
  calendar.Between([&](Instant at) { scraper.AdvanceTo(at); });
  pool.Start("r1", "aaaa0001");
  scraper.Discover(calendar.Now(), "r1");
  calendar.RunUntil(kStart + seconds(30));
  EXPECT_EQ(scraper.Query(calendar.Now())[0].samples.at(0).at.time_since_epoch() % seconds(15),
            first);
}

TEST_F(ScraperTest, ReplicasAreScrapedAtDifferentTimes) {
  std::set<Duration> phases;
  for (int i = 1; i <= 10; ++i) Start("edge-aaaa0001-" + std::to_string(i));
  calendar_.RunUntil(kStart + seconds(20));
  for (const auto& series : scraper_.Query(calendar_.Now())) {
    phases.insert(series.samples.at(0).at.time_since_epoch() % seconds(15));
  }
  EXPECT_GT(phases.size(), 5U);
}

// How far into an interval of 15 s r1 is scraped.
Duration PhaseBySeed(std::uint64_t seed) {
  Calendar calendar(kStart);
  const traces::Trace trace{.bin = seconds(1), .requests = std::vector<double>(60, 60)};
  FluidPool pool(calendar, trace, kStart, {});
  ScrapeModel model = kModel;
  model.seed = seed;
  Scraper scraper(pool, model);
  calendar.Between([&](Instant at) { scraper.AdvanceTo(at); });
  pool.Start("r1", "aaaa0001");
  scraper.Discover(kStart, "r1");
  calendar.RunUntil(kStart + seconds(20));
  return scraper.Query(calendar.Now())[0].samples.at(0).at.time_since_epoch() % seconds(15);
}

TEST(ScrapePhaseTest, FollowsTheSeedAndFillsTheInterval) {
  std::vector<int> fifths(5);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ++fifths.at(static_cast<std::size_t>(PhaseBySeed(seed) / seconds(3)));
  }
  for (const int count : fifths) EXPECT_NEAR(count, 40, 25);  // 40 +- 4.4 standard deviations
  EXPECT_EQ(PhaseBySeed(7), PhaseBySeed(7));
}

TEST_F(ScraperTest, NothingIsKnownBeforeDiscovery) {
  Start("r1");
  EXPECT_TRUE(SamplesAt(Duration(999)).empty());
  EXPECT_FALSE(SamplesAt(seconds(16)).empty());  // one interval after it at the latest
}

TEST_F(ScraperTest, AQueryHoldsTheWindowAndLittleMore) {
  Start("r1");
  const auto samples = SamplesAt(seconds(300));
  EXPECT_GT(samples.back().at, kStart + seconds(285));
  EXPECT_LE(samples.back().at, kStart + seconds(300));
  EXPECT_LE(samples.front().at, kStart + seconds(255));
  EXPECT_LE(samples.size(), 10U);
  EXPECT_LE(SamplesAt(seconds(900)).size(), 10U);
}

TEST_F(ScraperTest, CountsWhatTheReplicaServed) {
  Start("r1");
  const auto samples = SamplesAt(seconds(60));
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_NEAR(samples[i].value - samples[i - 1].value, 15 * 60, 61) << i;  // 1 s of backlog
  }
}

TEST_F(ScraperTest, SamplesOfAGoneReplicaStayUntilTheyAgeOut) {
  Start("r1");
  calendar_.RunUntil(kStart + seconds(100));
  pool_.Drain("r1");
  calendar_.RunUntil(kStart + seconds(105));
  ASSERT_FALSE(pool_.Knows("r1"));
  EXPECT_EQ(scraper_.Query(calendar_.Now()).size(), 1U);
  calendar_.RunUntil(kStart + seconds(180));
  EXPECT_TRUE(scraper_.Query(calendar_.Now()).empty());
}

// Times, since the start, and values of the samples that `model` lets through in five minutes.
std::vector<signals::Sample> Scrape(const ScrapeModel& model, const std::string& replica = "r1",
                                    double load = 60) {
  Calendar calendar(kStart);
  const traces::Trace trace{.bin = seconds(1), .requests = std::vector<double>(1'000, load)};
  FluidPool pool(calendar, trace, kStart, {});
  Scraper scraper(pool, model);
  calendar.Between([&](Instant at) { scraper.AdvanceTo(at); });
  pool.Start(replica, "aaaa0001");
  scraper.Discover(kStart, replica);
  calendar.RunUntil(kStart + seconds(300));
  const auto series = scraper.Query(calendar.Now());
  return series.empty() ? std::vector<signals::Sample>{} : series[0].samples;
}

ScrapeModel LongWindow() {
  return {.interval = seconds(1), .window = seconds(400), .discovery = seconds(1)};
}

TEST(ScrapeModelTest, LosesTheShareThatItIsTold) {
  ScrapeModel model = LongWindow();
  EXPECT_EQ(Scrape(model).size(), 299U);
  model.lost = 0.25;
  const auto some = Scrape(model).size();
  EXPECT_GT(some, 299 * 0.65);
  EXPECT_LT(some, 299 * 0.85);
  model.lost = 1;
  EXPECT_TRUE(Scrape(model).empty());
}

TEST(ScrapeModelTest, TheSeedAndTheReplicaDecideWhichScrapesAreLost) {
  ScrapeModel model = LongWindow();
  model.lost = 0.5;
  const auto times = [](const std::vector<signals::Sample>& samples) {
    std::vector<std::int64_t> all;
    for (const auto& sample : samples) all.push_back((sample.at - kStart).count() / 1'000);
    return all;
  };
  const auto first = times(Scrape(model));
  EXPECT_EQ(times(Scrape(model)), first);
  EXPECT_NE(times(Scrape(model, "r2")), first);
  model.seed = 1;
  EXPECT_NE(times(Scrape(model)), first);
}

TEST(ScrapeModelTest, ANewTargetsFirstScrapesAreLost) {
  ScrapeModel model = LongWindow();
  const Instant first = Scrape(model).at(0).at;
  model.first_lost = 3;
  EXPECT_EQ(Scrape(model).at(0).at, first + seconds(3));
}

TEST(ScrapeModelTest, ASeriesMayBeginWithTheFirstRequest) {
  ScrapeModel model = LongWindow();
  model.discovery = seconds(0);
  EXPECT_EQ(Scrape(model).at(0).value, 0);
  model.born_by_request = true;
  EXPECT_GE(Scrape(model).at(0).value, 1);
  EXPECT_TRUE(Scrape(model, "r1", 0).empty());
}

TEST(ScrapeModelTest, NothingIsScrapedInAnOutage) {
  ScrapeModel model = LongWindow();
  const auto all = Scrape(model);
  const Outage outage{all.at(3).at, all.at(6).at};
  model.outages = {outage};
  const auto scraped = Scrape(model);
  ASSERT_EQ(scraped.size(), all.size() - 3);
  EXPECT_EQ(scraped[2].at, all[2].at);
  EXPECT_EQ(scraped[3].at, all[6].at);  // the end itself is scraped again
}

TEST(ScrapeModelTest, ALateSampleKeepsItsTime) {
  ScrapeModel model = LongWindow();
  const auto prompt = Scrape(model);
  model.latency = seconds(20);
  const auto late = Scrape(model);
  ASSERT_EQ(late.size(), prompt.size() - 20);
  for (std::size_t i = 0; i < late.size(); ++i) {
    EXPECT_EQ(late[i].at, prompt[i].at);
    EXPECT_EQ(late[i].value, prompt[i].value);
  }
}

TEST(ScrapeModelTest, AQueryIsBehindByItsDelay) {
  ScrapeModel model = LongWindow();
  const auto prompt = Scrape(model);
  model.query_delay = seconds(20);
  const auto late = Scrape(model);
  ASSERT_EQ(late.size(), prompt.size() - 20);
  EXPECT_EQ(late.back().at, prompt[late.size() - 1].at);
}

TEST(ScrapeModelTest, AnOutageLosesTheScrapeThatIsUnderWayAndNotWhatIsStored) {
  ScrapeModel model = LongWindow();
  const auto all = Scrape(model);
  const Outage outage{all.at(100).at + Duration(100), all.at(100).at + Duration(200)};
  model.outages = {outage};
  model.query_delay = Duration(150);
  EXPECT_EQ(Scrape(model).size(), all.size());
  model.query_delay = Duration(0);
  model.latency = Duration(150);
  EXPECT_EQ(Scrape(model).size(), all.size() - 1);
}

TEST(ScrapeModelTest, PhasesThatAreGivenAreNotDrawn) {
  ScrapeModel model = LongWindow();
  model.phases = {Duration(345)};
  EXPECT_EQ(Scrape(model).at(0).at.time_since_epoch() % seconds(1), Duration(345));
}

// One replica under load, scraped each 15 s at the interval's beginning.
class StaleMarkerTest : public ::testing::Test {
 protected:
  void Run(Duration since_start) { calendar_.RunUntil(kStart + since_start); }
  void Begin(ScrapeModel model) {
    model.interval = seconds(15);
    model.window = seconds(400);
    model.phases = {Duration(0)};
    scraper_.emplace(pool_, model);
    calendar_.Between([this](Instant at) { scraper_->AdvanceTo(at); });
    pool_.Start("r1", "aaaa0001");
    scraper_->Discover(kStart, "r1");
  }
  // When the series was marked, since the start.
  std::vector<Duration> Markers() {
    std::vector<Duration> markers;
    for (const auto& series : scraper_->Stored(calendar_.Now())) {
      for (const auto& sample : series.samples) {
        if (IsStaleMarker(sample.value)) markers.push_back(sample.at - kStart);
      }
    }
    return markers;
  }

  Calendar calendar_{kStart};
  traces::Trace trace_{.bin = seconds(1), .requests = std::vector<double>(1'000, 60)};
  FluidPool pool_{calendar_, trace_, kStart, {}};
  std::optional<Scraper> scraper_;
};

TEST_F(StaleMarkerTest, ATargetThatIsDroppedIsMarkedWhereItsNextScrapeWouldHaveBeen) {
  Begin({.discovery = Duration(0)});
  Run(seconds(100));
  pool_.Drain("r1");
  Run(Duration(105'000 + 16'499));
  EXPECT_TRUE(Markers().empty());
  Run(Duration(105'000 + 16'500));
  EXPECT_EQ(Markers(), std::vector<Duration>{seconds(105)});
}

TEST_F(StaleMarkerTest, ATargetThatIsStillListedFailsAtOnce) {
  Begin({.discovery = seconds(15)});
  Run(seconds(100));
  pool_.Drain("r1");
  Run(seconds(105));
  EXPECT_EQ(Markers(), std::vector<Duration>{seconds(105)});
}

TEST_F(StaleMarkerTest, AFailedScrapeMarksOnceWhenItTimesOut) {
  Begin({.lost = 0.5});
  std::vector<Duration> expected;
  for (int second = 1; second < 300; ++second) {
    Run(seconds(second));
    const auto samples = scraper_->Query(calendar_.Now());
    if (samples.empty()) continue;
    const Duration last = samples[0].samples.back().at - kStart;
    // Its successor gave no sample, and ten seconds have gone by since.
    if (seconds(second) == last + seconds(15) + seconds(10)) expected.push_back(last + seconds(15));
    EXPECT_EQ(Markers(), expected) << second;
  }
  EXPECT_GE(expected.size(), 3U);
}

TEST_F(StaleMarkerTest, WhatEndsWhilePrometheusIsDownIsNotMarked) {
  Begin({.outages = {{kStart + seconds(101), kStart + seconds(103)}}});
  Run(seconds(100));
  pool_.Drain("r1");
  Run(seconds(150));
  EXPECT_TRUE(Markers().empty());
  EXPECT_FALSE(scraper_->Stored(calendar_.Now()).empty());
}

TEST_F(StaleMarkerTest, RawSamplesHaveNone) {
  Begin({.lost = 0.5});
  Run(seconds(300));
  ASSERT_FALSE(Markers().empty());
  for (const auto& sample : scraper_->Query(calendar_.Now())[0].samples) {
    EXPECT_FALSE(IsStaleMarker(sample.value));
  }
}

}  // namespace
}  // namespace tidegate::sim
