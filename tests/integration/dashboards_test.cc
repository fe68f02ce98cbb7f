// Every query of both boards, asked of the Prometheus of a live pool that grows, rolls out, loses
// its samples and shrinks.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/demo/parts.h"
#include "tests/testing/board.h"
#include "tests/testing/child_process.h"
#include "tests/testing/prometheus_proxy.h"
#include "tests/testing/steady_load.h"
#include "traces/net/http_client.h"
#include "traces/net/url.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::Board;
using testing::BoardQuery;
using testing::PrometheusProxy;

constexpr Duration kPatience{60'000};
const fs::path kDashboards = fs::path(TIDEGATE_SOURCE_DIR) / "dashboards";

double UnixNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string Replace(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Whole names only: tidegate_steps_total is no part of tidegate_pool_steps_total.
std::string Rename(const std::string& expr, const std::string& name) {
  return std::regex_replace(expr, std::regex("\\b" + name + "\\b"), name + "_renamed");
}

class DashboardsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path build = TIDEGATE_BINARY_DIR;
    const Programs programs{build / "scheduler/tidegate", build / "traces/tidetrace",
                            build / "sim/tidesim"};
    auto stage = Stage::Build(dir_.path(), programs, "unused.csv");
    ASSERT_TRUE(stage) << stage.error().message;
    stage_ = *std::move(stage);
    WatchClosely();
    ASSERT_TRUE(stage_->StartPrometheus());
    auto client = net::HttpClient::Create(*net::ParseUrl(stage_->prometheus_url()), {});
    ASSERT_TRUE(client) << client.error().message;
    client_.emplace(*std::move(client));
    proxy_ = std::make_unique<PrometheusProxy>(stage_->prometheus_url());
    UseSignalsFrom(dir_.path(), stage_->ports(), proxy_->port());
    const auto started = stage_->StartDaemon({});
    ASSERT_TRUE(started) << started.error().message << "\n" << Log();
    ASSERT_TRUE(stage_->WaitSettled(2, kPatience)) << Log();
    begin_ = UnixNow();
  }

  // Loads the rules, and scrapes the daemon every second, so that $__rate_interval is 4 s and the
  // run can be short. The pool is scraped every 5 s as ever.
  void WatchClosely() const {
    const std::string rules = (kDashboards / "rules" / "*.yaml").string();
    std::string text = testing::ReadFile(dir_.path() / "prometheus.yaml");
    const std::string head = "global:\n  scrape_interval: 5s\n";
    ASSERT_TRUE(text.starts_with(head));
    text.replace(0, head.size(),
                 "rule_files: ['" + rules +
                     "']\nglobal:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n");
    dir_.Write("prometheus.yaml", text);
  }

  std::string Log() const { return testing::ReadFile(dir_.path() / "tidegate.log"); }

  std::string Ask(const std::string& path, const net::Parameters& parameters) {
    const auto response = client_->Send({.method = "GET",
                                         .target = path + "?" + net::EncodeParameters(parameters),
                                         .headers = {},
                                         .body = {}},
                                        Duration(20'000));
    return response ? response->body : "{\"error\": \"" + response.error().message + "\"}";
  }

  // Waits until a comparison has a result.
  bool Becomes(const std::string& condition) {
    return testing::WaitUntil(kPatience, [&] {
      return testing::AnswerProblem(Ask("/api/v1/query", {{"query", condition}}), "").empty();
    });
  }

  // Holds once a series that appears late has been scraped often enough for a rate, and for a point
  // of the range queries.
  static std::string Scraped(const std::string& series) {
    return "count_over_time(" + series + "[1m]) >= 5";
  }

  // Lets everything happen that a panel shows.
  void Live() {
    testing::SteadyLoad load(stage_->FrontUrl() + "/", 240);
    ASSERT_TRUE(Becomes("tidegate_pool_replicas{phase=\"ready\"} >= 5")) << Log();
    SwitchAccessLogsOn(dir_.path());  // under this load only the rollout drains
    ASSERT_TRUE(Becomes("tidegate_pool_steps_total{kind=\"drain\"} >= 1")) << Log();
    proxy_->Set(PrometheusProxy::Mode::kDown);
    ASSERT_TRUE(Becomes(Scraped("tidegate_query_errors_total"))) << Log();
    proxy_->Set(PrometheusProxy::Mode::kEmpty);
    ASSERT_TRUE(Becomes(Scraped("tidegate_query_empty_results_total"))) << Log();
    proxy_->Set(PrometheusProxy::Mode::kPass);
    load.SetRate(60);
    ASSERT_TRUE(Becomes(Scraped("tidegate_pool_last_scale_timestamp_seconds{direction=\"down\"}")))
        << Log();
    ASSERT_TRUE(Becomes("tidegate_pool_rollout_complete == 1")) << Log();
    end_ = UnixNow();
    EXPECT_EQ(load.Finish().failed, 0u);
  }

  // What Grafana puts in, for a panel as wide as the run is long in seconds.
  std::map<std::string, std::string> Values(const Board& board, bool all) const {
    std::map<std::string, std::string> values{
        {"__rate_interval", "4s"},
        {"__interval", "1s"},
        {"__range", std::to_string(static_cast<int>(end_ - begin_)) + "s"}};
    for (const auto& variable : board.variables) {
      if (all) values[variable.name] = variable.all_value;
    }
    if (!all) values["namespace"] = "istio-system";
    if (!all) values["pool"] = "ingressgateway";
    return values;
  }

  std::string Problem(const BoardQuery& query, const std::map<std::string, std::string>& values) {
    const std::string expr = testing::Substitute(query.expr, values);
    if (expr.find('$') != std::string::npos) return "a variable has no value: " + expr;
    ++asked_;
    const std::string body =
        query.instant ? Ask("/api/v1/query", {{"query", expr}, {"time", std::to_string(end_)}})
                      : Ask("/api/v1/query_range", {{"query", expr},
                                                    {"start", std::to_string(begin_)},
                                                    {"end", std::to_string(end_)},
                                                    {"step", "1"}});
    return testing::AnswerProblem(body, query.legend);
  }

  void ExpectAnswers(const Board& board) {
    for (const bool all : {true, false}) {
      const auto values = Values(board, all);
      for (const BoardQuery& query : board.queries)
        EXPECT_EQ(Problem(query, values), "") << query.where << ": " << query.expr;
    }
  }

  // label_values(metric, label), as Grafana asks for it.
  void ExpectChoices(const Board& board) {
    static const std::regex kLabelValues(R"(label_values\((.*), *(\w+)\))");
    for (const auto& variable : board.variables) {
      if (variable.query.empty()) continue;
      std::smatch match;
      ASSERT_TRUE(std::regex_match(variable.query, match, kLabelValues)) << variable.query;
      const std::string selector = testing::Substitute(match[1].str(), Values(board, true));
      const std::string body =
          Ask("/api/v1/label/" + match[2].str() + "/values", {{"match[]", selector}});
      const json::object answer = json::parse(body).as_object();
      ASSERT_EQ(answer.at("status").as_string(), "success") << body;
      ASSERT_EQ(answer.at("data").as_array().size(), 1u) << variable.query << body;
      EXPECT_EQ(std::string(answer.at("data").at(0).as_string()),
                Values(board, false).at(variable.name));
    }
  }

  // The check fails wherever a metric is called otherwise, and wherever a legend asks for a label
  // that the query drops.
  void ExpectRenamesAreSeen(const Board& board) {
    const auto values = Values(board, true);
    for (const BoardQuery& query : board.queries) {
      const auto names = testing::MetricNames(query.expr);
      EXPECT_FALSE(names.empty()) << query.where;
      for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
        BoardQuery renamed = query;
        renamed.expr = Rename(query.expr, name);
        ++renames_;
        EXPECT_EQ(Problem(renamed, values), "no series") << query.where << ": " << renamed.expr;
      }
      BoardQuery labelled = query;
      labelled.legend = Replace(query.legend, "}}", "_renamed}}");
      if (labelled.legend == query.legend) continue;
      EXPECT_NE(Problem(labelled, values).find("has no label"), std::string::npos) << query.where;
    }
  }

  // Prometheus evaluates every rule without an error, and each recording rule has recorded.
  void ExpectRulesRecord() {
    const json::object answer = json::parse(Ask("/api/v1/rules", {})).as_object();
    for (const json::value& group : answer.at("data").at("groups").as_array()) {
      for (const json::value& rule : group.at("rules").as_array()) {
        const std::string name(rule.at("name").as_string());
        EXPECT_EQ(rule.at("health").as_string(), "ok") << name;
        ++rules_;
        if (rule.at("type").as_string() != "recording") continue;
        EXPECT_EQ(Problem({name, name, "", false}, {}), "") << name;
      }
    }
    EXPECT_GT(rules_, 20);
  }

  testing::TempDir dir_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<PrometheusProxy> proxy_;
  std::optional<net::HttpClient> client_;
  double begin_ = 0;
  double end_ = 0;
  int asked_ = 0;
  int renames_ = 0;
  int rules_ = 0;
};

TEST_F(DashboardsTest, EveryQueryAnswersOnALivePoolAndARenamedMetricDoesNot) {
  ASSERT_NO_FATAL_FAILURE(Live());
  for (const char* name : {"fleet.json", "pool.json"}) {
    SCOPED_TRACE(name);
    const auto board = testing::ParseBoard(testing::ReadFile(kDashboards / name));
    ASSERT_TRUE(board) << board.error().message;
    EXPECT_GT(board->queries.size(), board->panels);
    ExpectAnswers(*board);
    ExpectChoices(*board);
    ExpectRenamesAreSeen(*board);
    RecordProperty(std::string(name) + "_panels", static_cast<int>(board->panels));
    RecordProperty(std::string(name) + "_queries", static_cast<int>(board->queries.size()));
  }
  ExpectRulesRecord();
  RecordProperty("asked", asked_);
  RecordProperty("renames", renames_);
  RecordProperty("rules", rules_);
  RecordProperty("live_seconds", static_cast<int>(end_ - begin_));
}

}  // namespace
}  // namespace tidegate::demo
