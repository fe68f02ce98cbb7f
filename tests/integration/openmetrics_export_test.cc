// A simulated run, exported by the program and loaded into a real Prometheus: the boards of live
// pools show it.

#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/runner/cli.h"
#include "tests/testing/block_prometheus.h"
#include "tests/testing/board.h"
#include "tests/testing/child_process.h"
#include "traces/format/prometheus_response.h"

namespace tidegate::sim {
namespace {

using testing::BoardQuery;

constexpr const char* kScenario = TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml";
constexpr int kBegin = 1'767'225'602;
constexpr int kEnd = kBegin + 176;
// What a simulated daemon has none of.
const std::set<std::string> kNotSimulated{"tidegate_pool_front_up",
                                          "tidegate_query_duration_seconds_bucket",
                                          "tidegate_query_errors_total",
                                          "tidegate_query_empty_results_total",
                                          "tidegate_loop_lag_seconds_bucket",
                                          "tidegate_tick_duration_seconds_bucket",
                                          "tidegate_step_failures_total",
                                          "tidegate_log_messages_total",
                                          "tidegate_journal_errors_total",
                                          "tidegate_observe_errors_total",
                                          "tidegate_config_problems",
                                          "tidegate_journal_size_bytes",
                                          "tidegate_build_info",
                                          "tidegate_config_last_reload_successful",
                                          "tidegate_config_info",
                                          "process_resident_memory_bytes",
                                          "process_cpu_seconds_total"};

class OpenMetricsExportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string file = (dir_.path() / "export.om").string();
    const std::vector<const char*> arguments{
        "tidesim", "run", "--export", "openmetrics", "--export-file", file.c_str(), kScenario};
    std::ostringstream out, err;
    ASSERT_EQ(Main(static_cast<int>(arguments.size()), arguments.data(), out, err), 0) << err.str();
    text_ = testing::ReadFile(file);
    auto server = testing::BlockPrometheus::Start(dir_.path(), text_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
  }

  std::string AskOverTime(const std::string& expr) {
    return server_->Ask("/api/v1/query_range", {{"query", expr},
                                                {"start", std::to_string(kBegin)},
                                                {"end", std::to_string(kEnd)},
                                                {"step", "1"}});
  }
  std::string AskAtTheEnd(const std::string& expr) {
    return server_->Ask("/api/v1/query", {{"query", expr}, {"time", std::to_string(kEnd)}});
  }
  double Value(const std::string& expr) {
    const auto response = traces::ParseResponse(AskAtTheEnd(expr), {}, {});
    return response && response->series.size() == 1 ? response->series[0].samples[0].value : -1;
  }

  testing::TempDir dir_;
  std::string text_;
  std::unique_ptr<testing::BlockPrometheus> server_;
};

bool Simulated(const BoardQuery& query) {
  for (const std::string& name : testing::MetricNames(query.expr)) {
    if (kNotSimulated.contains(name)) return false;
  }
  return true;
}

TEST_F(OpenMetricsExportTest, TheBoardsShowASimulatedRun) {
  int asked = 0;
  for (const char* file : {"fleet.json", "pool.json"}) {
    const auto board = testing::ParseBoard(
        testing::ReadFile(std::string(TIDEGATE_SOURCE_DIR "/dashboards/") + file));
    ASSERT_TRUE(board) << board.error().message;
    const std::map<std::string, std::string> values{{"__rate_interval", "20s"},
                                                    {"__interval", "5s"},
                                                    {"__range", "176s"},
                                                    {"namespace", "istio-system"},
                                                    {"pool", "edge"}};
    for (const BoardQuery& query : board->queries) {
      if (!Simulated(query)) continue;
      const std::string expr = testing::Substitute(query.expr, values);
      const std::string body = query.instant ? AskAtTheEnd(expr) : AskOverTime(expr);
      EXPECT_EQ(testing::AnswerProblem(body, query.legend), "") << query.where << ": " << expr;
      ++asked;
    }
  }
  EXPECT_GT(asked, 40);
}

TEST_F(OpenMetricsExportTest, TheFiguresAreThoseOfTheRun) {
  EXPECT_EQ(Value("max_over_time(sum(tidegate_pool_desired_replicas)[3m:1s])"), 8);
  EXPECT_EQ(Value("min_over_time(tidegate_pool_desired_replicas[3m])"), 2);
  EXPECT_GE(Value("sum(tidegate_pool_steps_total{kind=\"start\"})"), 6);
  EXPECT_EQ(Value("sum(tidegate_pool_steps_total)"), Value("sum(tidegate_steps_total)"));
  EXPECT_GT(Value("max_over_time(sum(rate(haproxy_frontend_http_requests_total[20s]))[3m:1s])"),
            250);
}

TEST_F(OpenMetricsExportTest, IsWholeAndTyped) {
  EXPECT_TRUE(text_.ends_with("\n# EOF\n"));
  for (const char* line :
       {"# TYPE tidegate_pool_desired_replicas gauge\n", "# TYPE tidegate_pool_steps counter\n",
        "\ntidegate_pool_steps_total{", "# TYPE haproxy_frontend_http_requests counter\n"}) {
    EXPECT_NE(text_.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace tidegate::sim
