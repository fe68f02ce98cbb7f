#include "sim/report/html.h"

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr std::string_view kOpen = R"(<script type="application/json" id="data">)";

// What the page's script is given. The data ends where a browser ends them.
json::value DataIn(const std::string& html) {
  const std::size_t begin = html.find(kOpen) + kOpen.size();
  return json::parse(html.substr(begin, html.find("</script", begin) - begin));
}

const json::object& PoolOf(const json::value& data, std::size_t run = 0, std::size_t pool = 0) {
  return data.at("runs").at(run).at("pools").at(pool).as_object();
}

// A run of `seconds` looks at `pools` pools; all of them alike.
RunSummary Summary(int seconds, int pools = 1) {
  RunSummary run{
      .scenario = "test", .length = Duration(1'000) * seconds, .pools = {}, .digest = "d"};
  for (int p = 0; p < pools; ++p) {
    PoolResult pool;
    pool.id = {"ns", fmt::format("edge-{:03}", p)};
    pool.arrived = 1'000.4;
    pool.lost = 10;
    pool.replica_seconds = 7'200;
    for (int i = 0; i < seconds; ++i) {
      Moment moment{.at = Duration(1'000) * i};
      moment.demand = 100.0 / 3 + i % 7;
      moment.ready = 2 + i % 3;
      moment.capacity = moment.ready * 120.5;
      pool.time_line.Add(moment);
    }
    run.pools.push_back(std::move(pool));
  }
  return run;
}

ReportRun RunOf(const RunSummary& summary, std::span<const decision::Decision> decisions = {}) {
  return {.name = summary.scenario,
          .summary = &summary,
          .decisions = decisions,
          .start = kStart,
          .facts = {},
          .breaches = {}};
}

decision::Decision Growth(int second, const PoolId& pool, std::size_t steps = 0) {
  decision::Decision decision;
  decision.at = kStart + Duration(1'000) * second;
  decision.pool = pool;
  decision.current = 2;
  decision.desired.replicas = 3;
  for (std::size_t i = 0; i < steps; ++i) {
    decision.plan.steps.push_back(
        {rollout::StepKind::kStart, fmt::format("edge-{}", i), Revision("r"), {}});
  }
  return decision;
}

TEST(HtmlTest, ShortRunsAreShownLookForLook) {
  const RunSummary run = Summary(100);
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run)}));
  const json::object& pool = PoolOf(data);
  EXPECT_EQ(pool.at("id").as_string(), "ns/edge-000");
  EXPECT_EQ(pool.at("t").as_array().size(), 100u);
  EXPECT_EQ(pool.at("series").at("ready").at("lo").at(2).to_number<double>(), 4);
  EXPECT_EQ(pool.at("series").at("demand").at("lo").at(0).to_number<double>(), 33.333);
  EXPECT_FALSE(pool.at("series").at("ready").as_object().contains("hi"));
  EXPECT_EQ(pool.at("totals").at("arrived").to_number<double>(), 1'000);
}

TEST(HtmlTest, NothingInTheDataEndsItsScript) {
  RunSummary run = Summary(3);
  run.scenario = "</script><script>alert(1)</script><!--";
  ReportRun shown = RunOf(run);
  shown.facts = {{"<b>&\"'", "\xe2\x80\xa8]]>\\ \n</SCRIPT>"}};
  std::vector<decision::Decision> decisions{Growth(1, run.pools[0].id)};
  decisions[0].error = "</script><img src=x>";
  shown.decisions = decisions;
  const std::string html = ToHtml(std::vector{shown});
  EXPECT_THAT(html, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("</SCRIPT>")));
  const json::value data = DataIn(html);
  EXPECT_EQ(data.at("runs").at(0).at("name").as_string(), run.scenario);
  EXPECT_EQ(data.at("runs").at(0).at("facts").at(0).at(1).as_string(),
            "\xe2\x80\xa8]]>\\ \n</SCRIPT>");
  EXPECT_THAT(std::string(PoolOf(data).at("decisions").at(0).at("text").as_string()),
              HasSubstr("</script><img src=x>"));
}

TEST(HtmlTest, ThePageFetchesNothingAndForbidsTheRest) {
  const RunSummary run = Summary(3);
  const std::string html = ToHtml(std::vector{RunOf(run)});
  EXPECT_THAT(html, HasSubstr("content=\"default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(html, Not(HasSubstr("unsafe-")));
  EXPECT_THAT(html, Not(HasSubstr("{{")));
  for (const char* way : {" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest"}) {
    EXPECT_THAT(html, Not(HasSubstr(way)));
  }
  EXPECT_THAT(html, HasSubstr("Copyright (c) 2022 Leon Sorokin"));
  EXPECT_THAT(html, HasSubstr("THE SOFTWARE IS PROVIDED \"AS IS\""));
}

TEST(HtmlTest, AWeekIsThinnedWithItsExtremesKept) {
  constexpr int kWeek = 7 * 86'400;
  RunSummary run{.scenario = "week", .length = Duration(1'000) * kWeek, .pools = {}, .digest = ""};
  PoolResult& pool = run.pools.emplace_back();
  pool.id = {"ns", "edge"};
  std::vector<decision::Decision> decisions;
  for (int i = 0; i < kWeek; ++i) {
    Moment moment{.at = Duration(1'000) * i};
    moment.demand = i == 400'000 ? 98'765 : i == 200'001 ? 0.125 : 1'000.0 / 3 + i % 1'000;
    moment.capacity = 1'234.5 + i % 777;
    moment.view = moment.demand * 0.9;
    moment.ready = 5 + i % 4;
    moment.latency = {0.0123 + i % 10, 0.2345 + i % 10, 1.3456 + i % 10};
    pool.time_line.Add(moment);
    if (i % 30 == 0) decisions.push_back(Growth(i, pool.id, 5));
  }
  const std::string html = ToHtml(std::vector{RunOf(run, decisions), RunOf(run, decisions)});
  EXPECT_LT(html.size(), 3'000'000u);
  const json::value data = DataIn(html);
  const json::object& shown = PoolOf(data, 1);
  EXPECT_LE(shown.at("t").as_array().size(), 2'400u);
  EXPECT_GE(shown.at("t").as_array().size(), 1'200u);
  double most = 0, least = 1e9;
  for (const auto& v : shown.at("series").at("demand").at("hi").as_array())
    most = std::max(most, v.to_number<double>());
  for (const auto& v : shown.at("series").at("demand").at("lo").as_array())
    least = std::min(least, v.to_number<double>());
  EXPECT_EQ(most, 98'765);
  EXPECT_EQ(least, 0.125);
  EXPECT_EQ(shown.at("decisions").as_array().size(), 400u);
  EXPECT_EQ(shown.at("decisionsLeftOut").to_number<int>(), kWeek / 30 - 400);
}

TEST(HtmlTest, ManyPoolsShareThePage) {
  RunSummary run = Summary(2'000, 100);
  run.pools[77].short_of_capacity = Duration(9'000);
  std::vector<decision::Decision> decisions;
  for (const PoolResult& pool : run.pools) {
    for (int i = 0; i < 50; ++i) decisions.push_back(Growth(i, pool.id, 300));
  }
  const std::string html = ToHtml(std::vector{RunOf(run, decisions), RunOf(run, decisions)});
  EXPECT_LT(html.size(), 3'000'000u);
  const json::value data = DataIn(html);
  const auto& pools = data.at("runs").at(1).at("pools").as_array();
  ASSERT_EQ(pools.size(), 40u);
  EXPECT_EQ(pools.back().at("id").as_string(), "ns/edge-077");
  EXPECT_THAT(std::string(data.at("note").as_string()), HasSubstr("60 more pools"));
}

TEST(HtmlTest, LongTextsAreCutBetweenLines) {
  const RunSummary run = Summary(3);
  const std::vector<decision::Decision> decisions{Growth(1, run.pools[0].id, 500)};
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run, decisions)}));
  const std::string text(PoolOf(data).at("decisions").at(0).at("text").as_string());
  EXPECT_LE(text.size(), ReportBounds().decision_bytes + 3);
  EXPECT_TRUE(text.ends_with("\n...")) << text.substr(text.size() - 80);
}

TEST(HtmlTest, WhatARunDoesNotHaveIsAbsent) {
  const RunSummary run = Summary(10);
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run)}));
  EXPECT_FALSE(PoolOf(data).at("series").as_object().contains("view"));
  EXPECT_FALSE(PoolOf(data).at("series").as_object().contains("p99"));
  EXPECT_FALSE(PoolOf(data).at("series").as_object().contains("oracle"));
  EXPECT_FALSE(PoolOf(data).at("totals").as_object().contains("timesOracle"));
}

TEST(HtmlTest, GapsAreNull) {
  RunSummary run = Summary(0);
  for (int i = 0; i < 4; ++i) {
    Moment moment{.at = Duration(500) * i};
    if (i == 2) moment.view = 70;
    if (i == 3) moment.latency = {0.5, 0.75, 1};
    run.pools[0].time_line.Add(moment);
  }
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run)}));
  EXPECT_EQ(json::serialize(PoolOf(data).at("t")), "[0,5E-1,1,1.5E0]");
  EXPECT_EQ(json::serialize(PoolOf(data).at("series").at("view").at("lo")), "[null,null,70,null]");
  EXPECT_EQ(json::serialize(PoolOf(data).at("series").at("p90").at("lo")),
            "[null,null,null,7.5E-1]");
}

TEST(HtmlTest, CostIsComparedWithTheOracleWhereItWasAsked) {
  RunSummary run = Summary(10);
  run.pools[0].yardstick = {.objective = 0.01,
                            .wait = Duration(2'000),
                            .bad_fraction = 0.02,
                            .oracle = {.replica_seconds = 3'600},
                            .same_loss = {.replica_seconds = 2'400}};
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run)}));
  EXPECT_EQ(PoolOf(data).at("totals").at("timesOracle").to_number<double>(), 2);
  EXPECT_EQ(PoolOf(data).at("totals").at("badShare").to_number<double>(), 0.02);
  EXPECT_EQ(PoolOf(data).at("yardstick").at("timesSameLoss").to_number<double>(), 3);
  EXPECT_EQ(PoolOf(data).at("yardstick").at("kept").to_number<int>(), 0);
  EXPECT_EQ(PoolOf(data).at("series").at("oracle").at("lo").at(9).to_number<double>(), 1);
}

TEST(HtmlTest, SingleRequestsAreToldWhereTheRunKnewThem) {
  RunSummary run = Summary(10);
  EXPECT_FALSE(PoolOf(DataIn(ToHtml(std::vector{RunOf(run)}))).contains("failures"));
  run.pools[0].requests.emplace();
  run.pools[0].requests->p99 = 0.25;
  run.pools[0].requests->flow.refused = 7;
  run.pools[0].requests->flow.retries = 3;
  const json::value data = DataIn(ToHtml(std::vector{RunOf(run)}));
  EXPECT_EQ(PoolOf(data).at("failures").at("refused").to_number<int>(), 7);
  EXPECT_EQ(PoolOf(data).at("totals").at("p99").to_number<double>(), 0.25);
  EXPECT_EQ(PoolOf(data).at("totals").at("retries").to_number<int>(), 3);
}

TEST(HtmlTest, BrokenPromisesAreCountedAndTheFirstOnesTold) {
  const RunSummary run = Summary(3);
  ReportRun shown = RunOf(run);
  for (int i = 0; i < 150; ++i) {
    shown.breaches[run.pools[0].id].push_back({kStart + Duration(1'000) * i, "B1", "9 live of 8"});
  }
  const json::value data = DataIn(ToHtml(std::vector{shown}));
  EXPECT_EQ(PoolOf(data).at("totals").at("breaches").to_number<int>(), 150);
  EXPECT_EQ(PoolOf(data).at("breaches").as_array().size(), 100u);
  EXPECT_EQ(PoolOf(data).at("breaches").at(7).at("t").to_number<double>(), 7);
  EXPECT_EQ(PoolOf(data).at("breaches").at(7).at("what").as_string(), "B1: 9 live of 8");
}

TEST(HtmlTest, EqualRunsGiveEqualBytes) {
  const RunSummary run = Summary(500, 3);
  const std::vector<decision::Decision> decisions{Growth(1, run.pools[0].id)};
  const std::vector runs{RunOf(run, decisions), RunOf(run, decisions)};
  EXPECT_EQ(ToHtml(runs), ToHtml(runs));
}

}  // namespace
}  // namespace tidegate::sim
