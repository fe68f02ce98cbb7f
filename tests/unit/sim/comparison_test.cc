#include "sim/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/measures.h"
#include "sim/runner/cli.h"

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Basis = ComparisonRow::Basis;

const ComparisonRow& Row(const Comparison& comparison, std::string_view name) {
  return *std::ranges::find(comparison.rows, name, &ComparisonRow::name);
}

std::size_t IndexOf(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(Measures(), name, &Measure::name) -
                                  Measures().begin());
}

double ValueOf(const RunSummary& run, std::string_view name) {
  return Measured(run)[IndexOf(name)];
}

// A contender whose runs have these replica-seconds, everything else 0.
Contender WithCost(const std::string& name, const std::vector<double>& cost) {
  Contender contender;
  contender.name = name;
  contender.length = std::chrono::seconds(1'000);
  for (const double value : cost) {
    contender.measures.emplace_back(Measures().size(), 0.0);
    contender.measures.back()[IndexOf("replicaSeconds")] = value;
    contender.live.emplace_back(100, value);
    contender.backlog.emplace_back(100, 0.0);
  }
  return contender;
}

TEST(ComparisonTest, PairsSeeADifferenceThatIsSmallAgainstTheNoise) {
  const auto result =
      Compare({WithCost("a", {100, 200, 300, 400}), WithCost("b", {91, 190, 289, 390})}, 0.95, {});
  const ComparisonRow& row = Row(result, "replicaSeconds");
  EXPECT_EQ(row.basis, Basis::kRuns);
  EXPECT_EQ(row.values[0].mean, 250);
  EXPECT_GT(row.values[0].half_width, 100);
  EXPECT_EQ(row.differences[1]->mean, -10);
  EXPECT_TRUE(row.differences[1]->Excludes(0));
  EXPECT_THAT(ToTable(result), HasSubstr("better"));
  EXPECT_THAT(
      ToTable(Compare({WithCost("a", {91, 190, 289, 390}), WithCost("b", {100, 200, 300, 400})},
                      0.95, {})),
      HasSubstr("worse"));
}

TEST(ComparisonTest, CallsADifferenceOpenThatChanceExplains) {
  const auto result =
      Compare({WithCost("a", {100, 200, 300}), WithCost("b", {150, 190, 280})}, 0.95, {});
  EXPECT_FALSE(Row(result, "replicaSeconds").differences[1]->Excludes(0));
  EXPECT_THAT(ToTable(result), Not(HasSubstr("better")));
  EXPECT_THAT(ToTable(result), HasSubstr("open"));
}

TEST(ComparisonTest, OneRunHasTotalsWithoutIntervals) {
  const auto result = Compare({WithCost("a", {100}), WithCost("b", {200})}, 0.95, {});
  const ComparisonRow& row = Row(result, "replicaSeconds");
  EXPECT_EQ(row.basis, Basis::kNone);
  EXPECT_TRUE(std::isinf(row.differences[1]->half_width));
  EXPECT_FALSE(row.differences[1]->Excludes(0));
  const auto json = boost::json::parse(ToJson(result));
  for (const auto& measure : json.at("measures").as_array()) {
    if (measure.at("name") != "replicaSeconds") continue;
    EXPECT_TRUE(measure.at("differences").at(0).at("low").is_null());
    EXPECT_EQ(measure.at("differences").at(0).at("mean").as_double(), 100);
  }
}

TEST(ComparisonTest, RunsThatAreAllTheSameGiveTheFloorToStretches) {
  Contender a = WithCost("a", {100, 100});
  Contender b = WithCost("b", {100, 100});
  for (Contender* contender : {&a, &b}) {
    for (auto& run : contender->live) {
      for (std::size_t i = 0; i < run.size(); ++i)
        run[i] = std::sin(static_cast<double>(i)) + (contender == &b ? 3 : 2);
    }
  }
  const auto result = Compare({a, b}, 0.95, {.kind = WarmUpRule::Kind::kNone});
  const ComparisonRow& row = Row(result, "meanLive");
  EXPECT_EQ(row.basis, Basis::kBatches);
  EXPECT_NEAR(row.differences[1]->mean, 1, 1e-12);
  EXPECT_NEAR(row.differences[1]->half_width, 0, 1e-12);
  EXPECT_GT(row.values[1].half_width, 0.01);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_THAT(result.notes[0], HasSubstr("nothing in these scenarios is drawn"));
}

TEST(ComparisonTest, LeavesTheWarmUpOutOfMeansButNotOfTotals) {
  Contender a = WithCost("a", {100});
  Contender b = WithCost("b", {100});
  for (std::size_t i = 0; i < 100; ++i) {
    a.live[0][i] = i < 10 ? 50 : 4 + static_cast<double>(i % 2);
    b.live[0][i] = 4 + static_cast<double>(i % 2);
  }
  const auto result = Compare({a, b}, 0.95, {});
  EXPECT_EQ(result.warm_up, std::chrono::seconds(100));
  EXPECT_EQ(Row(result, "meanLive").values[0].mean, 4.5);
  EXPECT_EQ(Row(result, "meanLive").differences[1]->mean, 0);
  EXPECT_EQ(Row(result, "replicaSeconds").values[0].mean, 100);
  const auto kept = Compare({a, b}, 0.95, {.kind = WarmUpRule::Kind::kNone});
  EXPECT_LT(Row(kept, "meanLive").differences[1]->mean, -4);
  const auto fixed = Compare({a, b}, 0.95, {WarmUpRule::Kind::kFixed, std::chrono::seconds(200)});
  EXPECT_EQ(fixed.warm_up, std::chrono::seconds(200));
}

TEST(ComparisonTest, SaysThatALoadNeverSettles) {
  Contender a = WithCost("a", {100});
  for (std::size_t i = 0; i < 100; ++i) a.live[0][i] = static_cast<double>(i);
  const auto result = Compare({a, a}, 0.95, {});
  EXPECT_EQ(result.warm_up, Duration(0));
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_THAT(result.notes[0], HasSubstr("settles nowhere"));
}

TEST(ComparisonTest, SaysThatLoadsDiffer) {
  Contender other = WithCost("b", {100, 110});
  other.base_load = false;
  const auto result = Compare({WithCost("a", {100, 120}), other}, 0.95, {});
  ASSERT_FALSE(result.notes.empty());
  EXPECT_THAT(result.notes[0], HasSubstr("b has another load than a"));
}

TEST(MeasuresTest, PoolsCountTogether) {
  RunSummary run;
  run.pools.resize(2);
  run.pools[0].arrived = 100;
  run.pools[0].lost = 10;
  run.pools[0].counted_arrived = 80;
  run.pools[0].counted_bad = 20;
  run.pools[0].peak_live = 3;
  run.pools[0].least_ready = 2;
  run.pools[0].longest_wait_seconds = 7;
  run.pools[1].arrived = 300;
  run.pools[1].counted_arrived = 320;
  run.pools[1].peak_live = 5;
  run.pools[1].least_ready = 1;
  run.pools[1].longest_wait_seconds = 4;
  run.pools[1].short_of_capacity = std::chrono::seconds(9);
  run.pools[1].replica_seconds = 60;
  run.pools[1].starts = 2;
  run.pools[0].worst_minute = 0.25;
  run.pools[1].worst_minute = 0.125;
  const std::vector<double> measured = Measured(run);
  ASSERT_EQ(Measures().size(), measured.size());
  const std::map<std::string_view, double> known = {
      {"badPercent", 5},      {"worstMinutePercent", 25},
      {"lostPercent", 2.5},   {"shortSeconds", 9},
      {"peakLive", 8},        {"longestWaitSeconds", 7},
      {"replicaSeconds", 60}, {"leastReady", 1},
      {"starts", 2},          {"drains", 0}};
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const auto expected = known.find(Measures()[i].name);
    // Nobody has told latencies or the oracle.
    if (expected == known.end()) {
      EXPECT_TRUE(std::isnan(measured[i])) << Measures()[i].name;
    } else {
      EXPECT_EQ(measured[i], expected->second) << Measures()[i].name;
    }
  }
  EXPECT_FALSE(std::ranges::find(Measures(), "leastReady", &Measure::name)->less_is_better);
  EXPECT_EQ(ValueOf(RunSummary{}, "leastReady"), 0);
  EXPECT_EQ(ValueOf(RunSummary{}, "badPercent"), 0);
}

TEST(MeasuresTest, SingleRequestsTellWhoIsBadAndHowLongItTook) {
  RunSummary run;
  run.pools.resize(2);
  run.pools[0].counted_arrived = 400;  // what a fluid would have made of it
  run.pools[0].counted_bad = 400;
  run.pools[0].requests = RequestResult{.p50 = 0.1, .p99 = 0.4, .p999 = 0.9, .flow = {}};
  run.pools[0].requests->flow = {.arrived = 300, .lost = 6, .slow = 9};
  run.pools[1].requests = RequestResult{.p50 = 0.2, .p99 = 0.3, .p999 = 0.4, .flow = {}};
  run.pools[1].requests->flow = {.arrived = 100, .lost = 80, .slow = 60};
  EXPECT_EQ(ValueOf(run, "badPercent"), (15.0 + 100) / 400 * 100);
  EXPECT_EQ(ValueOf(run, "latencyP50Seconds"), 0.2);
  EXPECT_EQ(ValueOf(run, "latencyP99Seconds"), 0.4);
  EXPECT_EQ(ValueOf(run, "latencyP999Seconds"), 0.9);
}

TEST(MeasuresTest, CostIsAMultipleOfTheOraclesOfThosePoolsThatHaveOne) {
  RunSummary run;
  run.pools.resize(3);
  run.pools[0].replica_seconds = 100;
  run.pools[0].yardstick = Yardstick{.oracle = {.replica_seconds = 80}, .same_loss = {}};
  run.pools[1].replica_seconds = 140;
  run.pools[1].yardstick = Yardstick{.oracle = {.replica_seconds = 40}, .same_loss = {}};
  run.pools[2].replica_seconds = 1'000;
  EXPECT_EQ(ValueOf(run, "costMultiple"), 2);
}

TEST(ComparisonTest, WhatIsNotKnownIsNoNumber) {
  Contender a = WithCost("a", {100, 120}), b = WithCost("b", {100, 120});
  const std::size_t p50 = IndexOf("latencyP50Seconds"), p99 = IndexOf("latencyP99Seconds");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (auto& run : a.measures) run[p50] = run[p99] = nan;
  for (auto& run : b.measures) run[p50] = nan;
  const auto result = Compare({a, b}, 0.95, {});
  const auto names = [&](std::string_view name) {
    return std::ranges::count(result.rows, name, &ComparisonRow::name);
  };
  EXPECT_EQ(names("latencyP50Seconds"), 0);
  EXPECT_EQ(names("latencyP99Seconds"), 1);
  EXPECT_THAT(ToTable(result), Not(HasSubstr("nan")));
  const auto json = boost::json::parse(ToJson(result));
  for (const auto& measure : json.at("measures").as_array()) {
    if (measure.at("name") != "latencyP99Seconds") continue;
    EXPECT_TRUE(measure.at("values").at(0).at("mean").is_null());
    EXPECT_EQ(measure.at("values").at(1).at("mean").to_number<double>(), 0);
    EXPECT_TRUE(measure.at("differences").at(0).at("mean").is_null());
    EXPECT_EQ(measure.at("differences").at(0).at("verdict"), "");
  }
  // Runs that know nothing are equal runs.
  Contender same = WithCost("a", {100, 100});
  for (auto& run : same.measures) run[p50] = nan;
  EXPECT_THAT(ToTable(Compare({same, same}, 0.95, {})), HasSubstr("no run differs"));
}

struct Ran {
  int status;
  std::string out;
  std::string err;
};

Ran RunTidesim(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tidesim");
  std::ostringstream out, err;
  const int status = Main(static_cast<int>(arguments.size()), arguments.data(), out, err);
  return {status, out.str(), err.str()};
}

constexpr const char* kCrowd = TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml";
constexpr const char* kBlind = TIDEGATE_SOURCE_DIR "/sim/scenarios/blind_scaler.yaml";

TEST(CompareCommandTest, ShowsWhatABlindScalerCosts) {
  const Ran ran = RunTidesim({"compare", kCrowd, kBlind, "--replications", "4"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("blind-scaler - flash-crowd"));
  EXPECT_THAT(ran.out, HasSubstr("worse"));
  EXPECT_THAT(ran.out,
              HasSubstr("bad is what waits longer than 10s in blind-scaler, but what waits "
                        "longer than 1s in"));
}

TEST(CompareCommandTest, GivesTheSameBytesOnAnyNumberOfThreads) {
  const Ran one = RunTidesim({"compare", kCrowd, kBlind, "-o", "json", "--threads", "1"});
  const Ran three = RunTidesim({"compare", kCrowd, kBlind, "-o", "json", "--threads", "3"});
  EXPECT_EQ(one.status, 0);
  EXPECT_EQ(one.out, three.out);
  const auto json = boost::json::parse(one.out);
  EXPECT_EQ(json.at("runs").as_int64(), 5);
  // Two means over time more; a fluid knows no latencies.
  const auto of_requests = std::ranges::count(Measures(), true, &Measure::of_requests);
  EXPECT_EQ(json.at("measures").as_array().size() + static_cast<std::size_t>(of_requests),
            Measures().size() + 2);
}

TEST(CompareCommandTest, AScenarioDoesNotDifferFromItself) {
  const Ran ran = RunTidesim({"compare", kBlind, kBlind, "--output", "json"});
  EXPECT_EQ(ran.status, 0);
  const auto json = boost::json::parse(ran.out);
  for (const auto& measure : json.at("measures").as_array())
    EXPECT_EQ(measure.at("differences").at(0).at("verdict").as_string(), "same");
}

TEST(CompareCommandTest, RefusesWhatItCannotCompare) {
  EXPECT_EQ(RunTidesim({"compare", kCrowd}).status, 2);
  EXPECT_EQ(RunTidesim({"compare", kCrowd, kBlind, "--warm-up", "soon"}).status, 2);
  const Ran missing = RunTidesim({"compare", kCrowd, "no_such.yaml"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("no_such.yaml"));
  const Ran three = RunTidesim({"compare", kCrowd, kBlind, kCrowd, "--report", "x.html"});
  EXPECT_EQ(three.status, 2);
  EXPECT_THAT(three.err, HasSubstr("give two scenarios"));
  const Ran help = RunTidesim({"compare", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("Example"));
}

}  // namespace
}  // namespace tidegate::sim
