#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "traces/generate/arrivals.h"
#include "traces/generate/catalog.h"

namespace tidegate::traces {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

// Without noise of any kind, so that the shape itself can be looked at.
Trace Shape(const char* kind, ParameterValues values, Duration length, Duration bin = seconds(1)) {
  GenerateOptions options{.length = length, .bin = bin, .seed = 1, .poisson = false};
  return FindGenerator(kind)->generate(options, values).value();
}

TEST(GeneratorsTest, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  for (const Generator& generator : Generators()) {
    const GenerateOptions one{.length = hours(2), .bin = seconds(60), .seed = 1};
    GenerateOptions two = one;
    two.seed = 2;
    EXPECT_EQ(generator.generate(one, {}).value(), generator.generate(one, {}).value());
    EXPECT_NE(generator.generate(one, {}).value(), generator.generate(two, {}).value())
        << generator.name;
  }
}

TEST(GeneratorsTest, RandomParametersNeverGiveNegativeOrInfiniteCounts) {
  Random random(7);
  for (int round = 0; round < 100; ++round) {
    const Generator& generator = Generators()[random.Next() % Generators().size()];
    ParameterValues values;
    for (const ParameterInfo& info : generator.parameters) {
      const double most = std::min(info.most, info.fallback * 20 + 1);
      values[std::string(info.name)] =
          random.Uniform() < 0.2 ? info.least : info.least + (most - info.least) * random.Uniform();
    }
    const GenerateOptions options{.length = minutes(10), .bin = seconds(10), .seed = random.Next()};
    const auto trace = generator.generate(options, values);
    ASSERT_TRUE(trace.has_value()) << trace.error().message;
    ASSERT_EQ(trace->requests.size(), 60U);
    for (const double requests : trace->requests) {
      ASSERT_TRUE(std::isfinite(requests) && requests >= 0) << generator.name << " " << requests;
      ASSERT_EQ(requests, std::round(requests));
    }
  }
}

TEST(GeneratorsTest, TakeTheirOwnLengthAndBinIfNotAsked) {
  for (const Generator& generator : Generators()) {
    const Trace trace = generator.generate({}, {}).value();
    EXPECT_EQ(trace.bin, generator.default_bin);
    EXPECT_EQ(Length(trace), generator.default_length);
  }
}

TEST(GeneratorsTest, ReportAllBadParametersAtOnce) {
  const auto trace = FindGenerator("flash-crowd")
                         ->generate({}, {{"base_rps", -1},
                                         {"colour", 3},
                                         {"ramp_s", std::numeric_limits<double>::quiet_NaN()}});
  ASSERT_FALSE(trace.has_value());
  EXPECT_EQ(trace.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(trace.error().message, HasSubstr("base_rps is -1; expected a number from 0"));
  EXPECT_THAT(trace.error().message,
              HasSubstr("no parameter \"colour\"; expected one of: base_rps"));
  EXPECT_THAT(trace.error().message, HasSubstr("ramp_s is nan"));
}

TEST(GeneratorsTest, RefuseLessThanTwoBinsAndTooMany) {
  const Generator& generator = *FindGenerator("flash-crowd");
  EXPECT_EQ(generator.generate({.length = seconds(1), .bin = seconds(1)}, {}).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(generator.generate({.length = hours(24), .bin = Duration(1)}, {}).error().code,
            ErrorCode::kTooLarge);
}

TEST(FlashCrowdTest, ClimbsHoldsAndDecaysAsAsked) {
  const Trace trace = Shape("flash-crowd",
                            {{"base_rps", 50},
                             {"peak_multiple", 6},
                             {"start_s", 20},
                             {"ramp_s", 10},
                             {"hold_s", 20},
                             {"half_life_s", 30}},
                            seconds(200));
  EXPECT_DOUBLE_EQ(trace.requests[19], 50);
  EXPECT_NEAR(trace.requests[24], 50 + 250 * 0.45, 0.01);  // the middle of second 4 of 10
  EXPECT_DOUBLE_EQ(trace.requests[30], 300);
  EXPECT_DOUBLE_EQ(trace.requests[49], 300);
  EXPECT_DOUBLE_EQ(PeakRate(trace), 300);
  EXPECT_NEAR(RateAt(trace, seconds(80)), 50 + 125, 2);    // one half-life after the plateau
  EXPECT_NEAR(RateAt(trace, seconds(110)), 50 + 62.5, 1);  // two
}

TEST(FlashCrowdTest, ARampOfZeroIsAJump) {
  const Trace trace = Shape("flash-crowd", {{"ramp_s", 0}, {"start_s", 10}}, seconds(60));
  EXPECT_DOUBLE_EQ(trace.requests[9], 60);
  EXPECT_DOUBLE_EQ(trace.requests[10], 360);
}

TEST(PromotionTest, GathersEarlyVisitorsThenJumps) {
  const Trace trace = Shape("promotion",
                            {{"base_rps", 10},
                             {"start_s", 100},
                             {"early_s", 50},
                             {"early_multiple", 3},
                             {"peak_multiple", 8},
                             {"hold_s", 30}},
                            seconds(200));
  EXPECT_DOUBLE_EQ(trace.requests[49], 10);
  EXPECT_NEAR(trace.requests[75], 20, 0.3);
  EXPECT_NEAR(trace.requests[99], 30, 0.3);
  EXPECT_DOUBLE_EQ(trace.requests[100], 80);
  EXPECT_DOUBLE_EQ(trace.requests[129], 80);
  EXPECT_LT(trace.requests[140], 80);
}

TEST(ClassStartTest, JumpsAtEveryPeriod) {
  const Trace trace = Shape("class-start",
                            {{"base_rps", 10},
                             {"peak_multiple", 5},
                             {"spread", 0},
                             {"period_s", 600},
                             {"first_s", 300},
                             {"ramp_s", 5},
                             {"half_life_s", 30}},
                            seconds(1800));
  for (const int start : {300, 900, 1500}) {
    const auto at = static_cast<std::size_t>(start);
    EXPECT_NEAR(trace.requests[at - 1], 10, 0.1) << start;
    EXPECT_NEAR(trace.requests[at + 5], 50, 1) << start;
    EXPECT_NEAR(trace.requests[at + 35], 30, 1) << start;
  }
}

TEST(ClassStartTest, JumpsDifferInSizeWithTheSpread) {
  const Trace trace = Shape("class-start", {{"spread", 0.3}}, hours(3));
  EXPECT_GT(std::abs(trace.requests[1815] - trace.requests[1815 + 3600]), 1);
}

TEST(MatchTest, ClimbsToKickOffAndRushesInTheBreakAndAtTheEnd) {
  const Trace trace = Shape("match",
                            {{"base_rps", 10},
                             {"kick_off_s", 100},
                             {"gather_s", 50},
                             {"play_multiple", 3},
                             {"peak_multiple", 8},
                             {"half_s", 100},
                             {"break_s", 60},
                             {"ramp_s", 10},
                             {"half_life_s", 30}},
                            seconds(500));
  EXPECT_DOUBLE_EQ(trace.requests[49], 10);
  EXPECT_NEAR(trace.requests[75], 20, 0.5);
  EXPECT_DOUBLE_EQ(trace.requests[100], 30);
  EXPECT_DOUBLE_EQ(trace.requests[199], 30);
  EXPECT_NEAR(trace.requests[205], 55, 3);
  EXPECT_DOUBLE_EQ(trace.requests[211], 80);
  EXPECT_DOUBLE_EQ(trace.requests[259], 80);
  EXPECT_DOUBLE_EQ(trace.requests[271], 30);
  EXPECT_DOUBLE_EQ(trace.requests[359], 30);
  EXPECT_NEAR(trace.requests[370], 80, 2);
  EXPECT_NEAR(trace.requests[400], 45, 1);  // one half-life later
  EXPECT_LT(trace.requests[499], 14);
}

TEST(DiurnalTest, PeaksAtItsHourAndAveragesItsMean) {
  const Trace trace =
      Shape("diurnal",
            {{"mean_rps", 100}, {"amplitude", 0.6}, {"second", 0}, {"peak_hour", 14}, {"noise", 0}},
            hours(24), minutes(1));
  const TraceStatistics statistics = Describe(trace);
  EXPECT_NEAR(statistics.mean, 100, 0.1);
  EXPECT_NEAR(statistics.peak, 160, 0.1);
  EXPECT_NEAR(Seconds(statistics.peak_at) / 3600, 14, 0.1);
}

TEST(DiurnalTest, NoiseHasTheAskedSize) {
  const Trace trace = Shape(
      "diurnal",
      {{"mean_rps", 100}, {"amplitude", 0}, {"second", 0}, {"noise", 0.2}, {"noise_memory_s", 60}},
      hours(24 * 7), minutes(1));
  const TraceStatistics statistics = Describe(trace);
  EXPECT_NEAR(statistics.mean, 100, 2);
  EXPECT_NEAR(statistics.coefficient_of_variation, 0.2, 0.02);
}

TEST(RandomTest, PoissonHasEqualMeanAndVariance) {
  Random random(5);
  for (const double mean : {0.0, 0.3, 4.0, 60.0, 2000.0, 50'000.0}) {
    const int draws = mean > 1000 ? 2000 : 20'000;
    double sum = 0, squares = 0;
    for (int i = 0; i < draws; ++i) {
      const double value = random.Poisson(mean);
      sum += value;
      squares += (value - mean) * (value - mean);
    }
    EXPECT_NEAR(sum / draws, mean, 6 * std::sqrt(mean / draws) + 1e-9) << mean;
    EXPECT_NEAR(squares / draws, mean, 0.2 * mean + 1e-9) << mean;
  }
}

TEST(RandomTest, StreamsOfOneSeedDiffer) {
  EXPECT_NE(Random(1, 1).Next(), Random(1, 2).Next());
  EXPECT_EQ(Random(1, 1).Next(), Random(1, 1).Next());
}

std::vector<microseconds> All(const Trace& trace, const ArrivalOptions& options) {
  Arrivals arrivals(trace, options);
  std::vector<microseconds> all;
  while (const auto at = arrivals.Next()) all.push_back(*at);
  return all;
}

TEST(ArrivalsTest, EachBinGetsItsCountInOrder) {
  const Trace trace{.bin = seconds(1), .requests = {3, 0, 1000, 5}};
  const auto all = All(trace, {});
  ASSERT_EQ(all.size(), 1008U);
  std::vector<int> counts(4);
  microseconds last{0};
  for (const microseconds at : all) {
    EXPECT_GE(at, last);
    last = at;
    ++counts[static_cast<std::size_t>(std::min<std::int64_t>(at.count() / 1'000'000, 3))];
  }
  EXPECT_THAT(counts, testing::ElementsAre(3, 0, 1000, 5));
}

TEST(ArrivalsTest, CompressionShortensTimeAndKeepsTheRate) {
  const Trace trace{.bin = seconds(1), .requests = std::vector<double>(100, 7)};
  const auto all = All(trace, {.compress = 10, .scale = 2});
  EXPECT_EQ(all.size(), 140U);  // 10 s at 14 requests per second
  EXPECT_LE(all.back(), seconds(10));
  EXPECT_GT(all.back(), seconds(9));
  EXPECT_DOUBLE_EQ(PlayedRequests(trace, {.compress = 10, .scale = 2}), 140);
  EXPECT_EQ(PlayedLength(trace, {.compress = 10, .scale = 2}), seconds(10));
}

TEST(ArrivalsTest, FractionsAddUpFromBinToBin) {
  const Trace trace{.bin = seconds(1), .requests = std::vector<double>(1000, 0.1)};
  EXPECT_EQ(All(trace, {}).size(), 100U);
}

TEST(ArrivalsTest, EvenSpacingIsEven) {
  const Trace trace{.bin = seconds(1), .requests = {4, 4}};
  const auto all = All(trace, {.poisson = false});
  ASSERT_EQ(all.size(), 8U);
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_EQ(all[i] - all[i - 1], microseconds(250'000));
}

TEST(ArrivalsTest, RandomTimesAreUniformWithinABin) {
  const Trace trace{.bin = seconds(1), .requests = {40'000, 0}};
  const auto all = All(trace, {.seed = 3});
  for (int tenth = 0; tenth < 10; ++tenth) {
    const auto count = std::count_if(
        all.begin(), all.end(), [tenth](microseconds at) { return at.count() / 100'000 == tenth; });
    EXPECT_NEAR(static_cast<double>(count), 4000, 6 * 60) << tenth;
  }
}

}  // namespace
}  // namespace tidegate::traces
