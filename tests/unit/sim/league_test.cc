#include <cmath>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/lag_free.h"
#include "sim/report/league_duel.h"
#include "sim/report/league_result.h"
#include "sim/runner/contestants.h"
#include "sim/runner/league_load.h"

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

traces::Trace Waves(std::size_t bins, Duration bin, double mean) {
  traces::Trace trace{bin, {}};
  for (std::size_t i = 0; i < bins; ++i) {
    trace.requests.push_back(mean * Seconds(bin) *
                             (1 + 0.8 * std::sin(static_cast<double>(i) / 20)));
  }
  return trace;
}

LeagueCurve CurveOf(std::vector<LeagueRun> runs, std::size_t at_default,
                    std::optional<std::size_t> best) {
  return {"x", "knob", std::move(runs), at_default, best};
}

LeagueRun RunOf(double knob, double bad, double cost) {
  LeagueRun run;
  run.knob = knob;
  run.bad = bad;
  run.replica_seconds = cost;
  return run;
}

constexpr Rate kPeak = 9'600;
LeagueLoad WholeLoad(const std::string& name, const traces::Trace& trace) {
  return PrepareLoads(name, trace, {traces::Length(trace)}, kPeak).at(0);
}

TEST(LeagueLoad, IsScaledToItsPeakInBinsOfFiveSeconds) {
  const LeagueLoad load = WholeLoad("waves", Waves(600, Duration(60'000), 50));
  EXPECT_FALSE(load.smoothed);
  EXPECT_EQ(load.trace.bin, Duration(5'000));
  EXPECT_EQ(load.trace.requests.size(), 7'200u);
  double highest = 0;
  for (std::size_t i = 0; i + 3 <= load.trace.requests.size(); ++i) {
    highest = std::max(
        highest,
        (load.trace.requests[i] + load.trace.requests[i + 1] + load.trace.requests[i + 2]) / 15);
  }
  EXPECT_NEAR(highest, kPeak, 1e-6);
}

TEST(LeagueLoad, KeepsWhatCameBeforeTheHighestBinOfALongTrace) {
  traces::Trace trace{Duration(5'000), std::vector<double>(1'000, 50.0)};
  trace.requests[700] = 5'000;
  const LeagueLoad load =
      PrepareLoads("long", trace, {.length = Duration(5'000) * 90}, kPeak).at(0);
  ASSERT_EQ(load.trace.requests.size(), 90u);
  EXPECT_GT(load.trace.requests[60], 10 * load.trace.requests[59]);
}

TEST(LeagueLoad, HasFurtherPartsByFallingPeakThatShareNothing) {
  traces::Trace trace{Duration(5'000), std::vector<double>(1'000, 50.0)};
  trace.requests[700] = 5'000;
  trace.requests[690] = 4'000;  // in the first part
  trace.requests[100] = 3'000;
  trace.requests[995] = 2'000;  // at the end, so that its part ends with it
  const auto loads =
      PrepareLoads("long", trace, {.length = Duration(5'000) * 90, .most = 3}, kPeak);
  ASSERT_EQ(loads.size(), 3u);
  EXPECT_EQ(loads[1].name, "long#2");
  EXPECT_EQ(loads[2].name, "long#3");
  for (const LeagueLoad& load : loads) ASSERT_EQ(load.trace.requests.size(), 90u);
  EXPECT_GT(loads[1].trace.requests[60], 10 * loads[1].trace.requests[59]);
  EXPECT_GT(loads[2].trace.requests[85], 10 * loads[2].trace.requests[84]);
}

TEST(LeagueLoad, HasAsManyPartsAsThereIsRoomFor) {
  const traces::Trace trace = Waves(1'000, Duration(5'000), 50);
  EXPECT_EQ(PrepareLoads("x", trace, {.length = Duration(5'000'000), .most = 9}, kPeak).size(), 1u);
  const auto loads = PrepareLoads("x", trace, {.length = Duration(500'000), .most = 99}, kPeak);
  EXPECT_GE(loads.size(), 5u);
  EXPECT_LE(loads.size(), 10u);
}

TEST(LeagueLoad, SmoothsAndRedrawsWhatIsQuiet) {
  traces::Trace trace{Duration(5'000), std::vector<double>(2'000, 0.0)};
  for (std::size_t i = 0; i < trace.requests.size(); i += 4) trace.requests[i] = 4;
  const LeagueLoad load = WholeLoad("quiet", trace);
  EXPECT_TRUE(load.smoothed);
  for (const double requests : load.trace.requests) {
    EXPECT_GT(requests, 35'000) << "no longer one bin in four";
    EXPECT_EQ(requests, std::round(requests));
  }
  EXPECT_EQ(load.trace, WholeLoad("quiet", trace).trace);
  EXPECT_NE(load.trace, WholeLoad("other", trace).trace);
}

// Twenty seconds of twice the load, and a pool for it.
traces::Trace Twice() {
  traces::Trace trace{Duration(1'000), std::vector<double>(100, 100.0)};
  for (std::size_t i = 40; i < 60; ++i) trace.requests[i] = 200;
  return trace;
}
LagFreePool PoolOfOne() {
  return {.capacity = 100,
          .startup = Duration(5'000),
          .drain = Duration(3'000),
          .wait = Duration(200),
          .initial = 1,
          .end = Duration(100'000),
          .counted_from = Duration(0)};
}

TEST(LagFree, FollowsEachSecondAndPaysForStartsAndDrains) {
  const LagFreeRun run = FollowWithoutLag(Twice(), PoolOfOne(), 1);
  // One more replica from second 40 on, ready at 45, drained 8 s after it was wanted last, gone at
  // 70.
  EXPECT_DOUBLE_EQ(run.replica_seconds, 100 + 30);
  // 100 a second more than is served for five seconds; the last 200 ms of arrivals still wait.
  EXPECT_NEAR(run.bad_fraction * 12'000, 500 - 40, 1);
  EXPECT_EQ(FollowWithoutLag(Twice(), PoolOfOne(), 2).bad_fraction, 0);
}

TEST(LagFree, TellsOfItselfWhatIsToldOfOthers) {
  const LagFreeRun run = FollowWithoutLag(Twice(), PoolOfOne(), 1);
  EXPECT_EQ(run.moves, 2);
  EXPECT_EQ(run.short_seconds, 5);
  EXPECT_NEAR(run.worst_minute * 8'000, 500 - 40, 1) << "all in the first minute";
}

TEST(LagFree, CountsNoShortageBeforeRequestsCount) {
  LagFreePool pool = PoolOfOne();
  pool.counted_from = Duration(43'000);
  EXPECT_EQ(FollowWithoutLag(Twice(), pool, 1).short_seconds, 2);
}

TEST(LagFree, SeesTheLoadLateWhereItIsTold) {
  LagFreePool pool = PoolOfOne();
  pool.seen_late = Duration(4'000);
  const LagFreeRun run = FollowWithoutLag(Twice(), pool, 1);
  EXPECT_DOUBLE_EQ(run.replica_seconds, 100 + 30) << "the same replicas, four seconds later";
  EXPECT_NEAR(run.bad_fraction * 12'000, 900 - 40, 1);
}

TEST(LeagueResult, InterpolatesBetweenSettings) {
  const LeagueCurve curve =
      CurveOf({RunOf(1, 0.0, 400), RunOf(2, 0.002, 200), RunOf(3, 0.1, 300)}, 0, 0);
  EXPECT_EQ(CostAt(curve, 0.001), 300);
  EXPECT_EQ(CostAt(curve, 0.0), 400);
  EXPECT_EQ(CostAt(curve, 0.05), 200);
  EXPECT_EQ(CostAt(CurveOf({RunOf(1, 0.1, 10)}, 0, {}), 0.001), std::nullopt);
}

TEST(LeagueResult, CountsWhoKeepsAndWhoWins) {
  League league;
  league.contestants = {"tide", "kpa"};
  for (int i = 0; i < 2; ++i) {
    LeagueTrace trace;
    trace.name = "t";
    trace.oracle_seconds = 100;
    LeagueCurve tide = CurveOf({RunOf(1, i == 0 ? 0.0005 : 0.01, 150)}, 0, {});
    tide.runs[0].worst_minute = i == 0 ? 0.1 : 0.3;
    tide.runs[0].moves = 7;
    tide.runs[0].short_seconds = 90;
    if (i == 0) tide.best = 0;
    tide.contestant = "tide";
    LeagueCurve kpa = CurveOf({RunOf(1, 0.0001, 300)}, 0, 0);
    kpa.contestant = "kpa";
    trace.curves = {tide, kpa};
    league.traces.push_back(trace);
  }
  const auto standings = Standings(league);
  ASSERT_EQ(standings.size(), 2u);
  EXPECT_EQ(standings[0].kept, 1);
  EXPECT_EQ(standings[0].reached, 1);
  EXPECT_DOUBLE_EQ(standings[0].mean_cost, 1.5);
  EXPECT_DOUBLE_EQ(standings[0].worst_minute, 0.2);
  EXPECT_EQ(standings[0].moves, 14);
  EXPECT_DOUBLE_EQ(standings[0].short_seconds, 180);
  EXPECT_EQ(standings[1].kept, 2);
  EXPECT_DOUBLE_EQ(*standings[1].best_cost, 3);
  const LeagueDuel by_default = DuelAtDefault(AtEqualShares(league));
  EXPECT_EQ(by_default.traces, 2);
  EXPECT_EQ(by_default.won, 2);
  EXPECT_EQ(by_default.unmatched, 0);
  EXPECT_DOUBLE_EQ(by_default.saving, 0.5);
  const LeagueDuel at_best = DuelAtBest(league);
  EXPECT_EQ(at_best.traces, 2);
  EXPECT_EQ(at_best.won, 1);
  EXPECT_DOUBLE_EQ(at_best.saving, 0.25);
  for (LeagueTrace& trace : league.traces) trace.curves[1].contestant = "queueing";
  EXPECT_EQ(DuelAtBest(league).traces, 0) << "who did not play can't lose";
}

TEST(LeagueResult, TellsWhatIsSavedOnAllTracesAndOnThoseWon) {
  const auto share = [](double tide, std::optional<double> rivals) {
    return EqualShare{.trace = "t", .bad = 0.001, .oracle = 1, .tide = tide, .rivals = rivals};
  };
  const LeagueDuel duel = DuelAtDefault({share(5, 10), share(8, 10), share(15, 10), share(1, {})});
  EXPECT_EQ(duel.won, 3);
  EXPECT_DOUBLE_EQ(duel.saving, (0.5 + 0.2 - 0.5 + 0) / 4);
  EXPECT_DOUBLE_EQ(duel.saving_where_won, (0.5 + 0.2) / 2);
}

TEST(LeagueResult, TellsWhereNoRivalHasAsFewBadRequests) {
  League league;
  LeagueTrace trace;
  trace.curves = {CurveOf({RunOf(1, 0.0002, 150)}, 0, 0), CurveOf({RunOf(1, 0.0005, 100)}, 0, 0),
                  CurveOf({RunOf(1, 0.0001, 120)}, 0, 0)};
  trace.curves[0].contestant = "tide";
  trace.curves[1].contestant = "hpa";
  trace.curves[2].contestant = "no lag";
  league.traces = {trace};
  for (const LeagueDuel& duel :
       {DuelAtDefault(AtEqualShares(league)), DuelWithoutLag(AtEqualShares(league))}) {
    EXPECT_EQ(duel.won, 1);
    EXPECT_EQ(duel.unmatched, 1);
    EXPECT_EQ(duel.saving, 0);
  }
}

TEST(LeagueResult, ComparesThePoolWithoutLagAtTidesShare) {
  League league;
  LeagueTrace trace;
  trace.curves = {CurveOf({RunOf(1, 0.002, 150)}, 0, {}),
                  CurveOf({RunOf(1, 0.001, 400), RunOf(2, 0.003, 200)}, 0, 0),
                  CurveOf({RunOf(1, 0.001, 120), RunOf(2, 0.002, 100), RunOf(3, 0.5, 20)}, 0, 0)};
  trace.curves[0].contestant = "tide";
  trace.curves[1].contestant = "kpa";
  trace.curves[2].contestant = "no lag";
  league.traces = {trace};
  const std::vector<EqualShare> shares = AtEqualShares(league);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].rival, "kpa");
  EXPECT_DOUBLE_EQ(*shares[0].rivals, 300);
  EXPECT_NEAR(*shares[0].lag_free, 100, 1);
  EXPECT_DOUBLE_EQ(DuelAtDefault(shares).saving, 1 - 150.0 / 300);
  EXPECT_DOUBLE_EQ(DuelUnmixed(shares).saving, 1 - 150.0 / 400) << "a rival runs at one";
  EXPECT_NEAR(DuelWithoutLag(shares).saving, 1 - 100.0 / 300, 1e-2);
  EXPECT_THAT(ToTable(shares), HasSubstr("kpa"));
}

// One trace on which the default of each has one bad request in a hundred, for the same cost.
League OneTrace(const std::vector<std::string>& contestants) {
  League league;
  LeagueTrace trace;
  trace.name = "t";
  trace.oracle_seconds = 100;
  for (const std::string& contestant : contestants) {
    trace.curves.push_back(CurveOf({RunOf(1, 0.01, 150)}, 0, {}));
    trace.curves.back().contestant = contestant;
  }
  league.contestants = contestants;
  league.traces = {trace};
  return league;
}

TEST(LeagueResult, HasNoCostOfSettingsWhereNoneKeepsTheObjective) {
  const League league = OneTrace({"tide"});
  EXPECT_EQ(Standings(league)[0].best_cost, std::nullopt);
  const boost::json::value json = boost::json::parse(ToJson({league}));
  EXPECT_TRUE(json.at(0).at("standings").at(0).at("meanCostAtBest").is_null());
}

TEST(LeagueResult, TextAndPageShowADashWhereThereIsNoCost) {
  const League league = OneTrace({"tide"});
  const std::string text = ToTable(std::vector{league});
  EXPECT_THAT(text, HasSubstr(" 1.50x      -\n"));
  EXPECT_THAT(text, HasSubstr(" 0 of 1              -\n"));
  EXPECT_THAT(text, Not(HasSubstr("-x")));
  EXPECT_THAT(ToHtml({league}), HasSubstr("<td>0 of 1<td>-</tr>"));
}

TEST(LeagueResult, SaysHowATraceWithoutASettingOfTidesCounts) {
  League league = OneTrace({"tide", "kpa"});
  league.traces[0].curves[1].best = 0;
  const LeagueDuel duel = DuelAtBest(league);
  EXPECT_EQ(duel.traces, 1);
  EXPECT_EQ(duel.won, 0);
  EXPECT_EQ(duel.unpriced, 1);
  EXPECT_EQ(duel.saving, 0);
  EXPECT_THAT(ToTable(std::vector{league}),
              HasSubstr("(1 lost for want of any setting, taken for 0 %)"));
}

TEST(LeagueResult, ThePageSaysWhatIsDrawnAtTheEdge) {
  EXPECT_THAT(ToHtml({OneTrace({"tide"})}),
              HasSubstr("Costs over 12x and shares under 0.001 % are drawn at the edge"));
}

TEST(LeagueResult, NamesOfTracesAreWhole) {
  const std::string name(50, 'n');
  EXPECT_THAT(ToTable(std::vector{EqualShare{.trace = name, .oracle = 1}}), HasSubstr(name));
  League league;
  LeagueTrace trace;
  trace.name = name;
  league.traces = {trace};
  EXPECT_THAT(ToTable(std::vector{league}), HasSubstr(name));
}

TEST(Contestants, AllHaveManifestsThatCompileAtBothEnds) {
  for (const Contestant& contestant : Contestants()) {
    for (const double knob : {contestant.least, contestant.by_default, contestant.most}) {
      const auto manifests = LeagueManifests(contestant, knob, 3);
      ASSERT_TRUE(manifests) << contestant.name << ": " << manifests.error().message;
      EXPECT_EQ(manifests->pools.size(), 1u);
      EXPECT_EQ(manifests->pools[0].scaled, contestant.spec != nullptr);
    }
  }
}

}  // namespace
}  // namespace tidegate::sim
