// A pool's past in a real Prometheus: what a backtest reads of it, and a gate that a bad
// configuration does not pass. The past is a simulated run with the demo's traffic, under the names
// of live metrics.

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/prometheus/query_client.h"
#include "sim/runner/cli.h"
#include "tests/testing/block_prometheus.h"
#include "tests/testing/child_process.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;

const std::string kTree = TIDEGATE_SOURCE_DIR;
const std::string kScenario = kTree + "/sim/scenarios/flash_crowd.yaml";
constexpr int kBegin = 1'767'225'600;  // where scenarios begin
const std::string kFrom = std::to_string(kBegin + 5);
const std::string kTo = std::to_string(kBegin + 120);

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

Ran Tidesim(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "tidesim");
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out, err;
  const int status = Main(static_cast<int>(argv.size()), argv.data(), out, err);
  return {status, out.str(), err.str()};
}

class BacktestTest : public ::testing::Test {
 protected:
  // One Prometheus for all tests: nothing changes it.
  static void SetUpTestSuite() {
    dir_ = new testing::TempDir();
    const std::string file = (dir_->path() / "export.om").string();
    const Ran run =
        Tidesim({"run", "--export", "openmetrics", "--export-file", file, kScenario, "-o", "json"});
    ASSERT_EQ(run.status, 0) << run.err;
    run_ = json::parse(run.out);
    auto server = testing::BlockPrometheus::Start(dir_->path(), testing::ReadFile(file));
    ASSERT_TRUE(server) << server.error().message;
    server_ = server->release();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete dir_;
    server_ = nullptr;
    dir_ = nullptr;
  }

  static Ran With(const std::string& command, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {command, "--prometheus", server_->url(), "--from", kFrom,
                                         "--to", kTo, "--scenario", kScenario});
    return Tidesim(std::move(arguments));
  }

  // The shipped scaler with another bound.
  static std::string Bounded(int most) {
    std::string text = testing::ReadFile(kTree + "/sim/scenarios/edge/scaler.yaml");
    const std::string was = "maxReplicas: 12";
    text.replace(text.find(was), was.size(), fmt::format("maxReplicas: {}", most));
    return dir_->Write(fmt::format("scaler-{}.yaml", most), text).string();
  }

  static testing::TempDir* dir_;
  static testing::BlockPrometheus* server_;
  static json::value run_;
};
testing::TempDir* BacktestTest::dir_ = nullptr;
testing::BlockPrometheus* BacktestTest::server_ = nullptr;
json::value BacktestTest::run_;

TEST_F(BacktestTest, ReadsTheDemandThatThereWas) {
  const std::string saved = (dir_->path() / "saved.csv").string();
  const Ran ran = With("backtest", {"--save-trace", saved, "-o", "json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json::value backtest = json::parse(ran.out);
  EXPECT_EQ(backtest.at("demand").at("source").get_string(), "haproxy");
  EXPECT_EQ(backtest.at("demand").at("guessedBins").to_number<int>(), 0);
  const auto read = traces::ReadTrace(saved);
  const auto truth = traces::ReadTrace(kTree + "/traces/data/flash_crowd_2m.csv");
  ASSERT_TRUE(read && truth);
  ASSERT_EQ(read->bin, seconds(1));
  ASSERT_EQ(read->requests.size(), 115u);
  double was = 0, worst = 0;
  for (std::size_t scrape = 0; scrape < 23; ++scrape) {
    double wanted = 0, found = 0;
    for (std::size_t i = 5 * scrape; i < 5 * scrape + 5; ++i) {
      wanted += truth->requests[5 + i];
      found += read->requests[i];
    }
    was += wanted;
    worst = std::max(worst, std::abs(found - wanted) / wanted);
  }
  // Replicas that leave take what they served since their last scrape with them, and what they
  // served between two scrapes is known as a whole only.
  EXPECT_NEAR(traces::TotalRequests(*read) / was, 1, 0.02);
  EXPECT_LT(worst, 0.35);
}

TEST_F(BacktestTest, FindsThatTheSameConfigurationWouldHaveDoneTheSame) {
  const Ran ran = With("backtest", {"-o", "json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json::value backtest = json::parse(ran.out);
  const json::value& real = backtest.at("real");
  const json::value& candidate = backtest.at("candidate");
  EXPECT_EQ(real.at("source").get_string(), "tidegate_pool_replicas");
  EXPECT_EQ(real.at("peakReplicas").to_number<int>(),
            run_.at("pools").at(0).at("peakLive").to_number<int>());
  EXPECT_NEAR(candidate.at("peakReplicas").to_number<int>(),
              real.at("peakReplicas").to_number<int>(), 1);
  EXPECT_NEAR(candidate.at("replicaHours").to_number<double>() /
                  real.at("replicaHours").to_number<double>(),
              1, 0.15);
  EXPECT_EQ(backtest.at("rows").get_array().size(), 115u);
}

TEST_F(BacktestTest, FindsThatATighterBoundWouldHaveLostRequests) {
  const Ran ran = With("backtest", {kTree + "/sim/scenarios/edge/gateway.yaml", Bounded(2)});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("what really ran: tidegate_pool_replicas"));
  const Ran as_json =
      With("backtest", {kTree + "/sim/scenarios/edge/gateway.yaml", Bounded(2), "-o", "json"});
  const json::value candidate = json::parse(as_json.out).at("candidate");
  EXPECT_GT(candidate.at("lostRequests").to_number<double>(), 100);
  EXPECT_GE(candidate.at("badMinutes").to_number<int>(), 1);
  EXPECT_EQ(candidate.at("peakReplicas").to_number<int>(), 2);
}

TEST_F(BacktestTest, TakesDemandFromAnExpression) {
  const Ran ran = With(
      "backtest",
      {"--query",
       R"(sum(rate(haproxy_frontend_http_requests_total{namespace="{{namespace}}",gateway="{{gateway}}"}[20s])))",
       "-o", "json", "--step", "1s", "--max-gaps", "0.2"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json::value demand = json::parse(ran.out).at("demand");
  EXPECT_EQ(demand.at("source").get_string(), "promql");
  EXPECT_EQ(demand.at("bins").to_number<int>(), 115);
  EXPECT_GT(demand.at("peakRate").to_number<double>(), 250);
  const Ran wrong = With("backtest", {"--query", "sum("});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("parse error"));
}

TEST_F(BacktestTest, SaysWhereThereIsNoHistory) {
  const Ran ran = Tidesim({"backtest", "--prometheus", server_->url(), "--from", "1600000000",
                           "--to", "1600003600", "--scenario", kScenario});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("haproxy_frontend_http_requests_total"));
  EXPECT_THAT(ran.err, HasSubstr("2020-09-13T12:26:40Z"));
  // Most of these two hours are before the run.
  const Ran gaps = Tidesim({"backtest", "--prometheus", server_->url(), "--last", "2h", "--to", kTo,
                            "--scenario", kScenario});
  EXPECT_EQ(gaps.status, 2);
  EXPECT_THAT(gaps.err, HasSubstr("at most 10 % may be missing"));
}

TEST_F(BacktestTest, TheGatePassesAGoodConfigurationAndFailsABadOne) {
  const Ran good = With("gate", {"--max-bad-minutes", "0", "--max-replicas", "12"});
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("passed: 1 of 1 spikes"));
  const std::string gateway = kTree + "/sim/scenarios/edge/gateway.yaml";
  // Far too few: what Prometheus holds blurs the spike, as it finds new replicas late.
  const Ran bad = With("gate", {gateway, Bounded(2), "--max-bad-minutes", "0"});
  EXPECT_EQ(bad.status, 1) << bad.out << bad.err;
  EXPECT_THAT(bad.out, HasSubstr("bad minutes: "));
  EXPECT_THAT(bad.out, HasSubstr("when  2026-01-01T00:0"));
  EXPECT_THAT(bad.out, HasSubstr("2 allowed: maxReplicas is 2"));
  EXPECT_THAT(bad.out, HasSubstr("limits\n              bounds: "));
  // Again from a file, without the Prometheus.
  const std::string saved = (dir_->path() / "kept.csv.zst").string();
  ASSERT_EQ(With("backtest", {"--save-trace", saved}).status, 0);
  const Ran offline = Tidesim({"gate", gateway, Bounded(2), "--scenario", kScenario, "--trace",
                               saved, "--max-bad-minutes", "0"});
  EXPECT_EQ(offline.status, 1) << offline.err;
  EXPECT_EQ(offline.out.substr(offline.out.find("        why")),
            bad.out.substr(bad.out.find("        why")));
  EXPECT_THAT(offline.out, HasSubstr("when  2026-01-01T00:0"));
  const Ran costly = With("gate", {"--max-cost", "0.05", "--max-replicas", "4"});
  EXPECT_EQ(costly.status, 1);
  EXPECT_THAT(costly.out, HasSubstr("replicas: "));
  EXPECT_THAT(costly.out, HasSubstr("replica-hours: "));
}

TEST_F(BacktestTest, ReadsMoreThanPrometheusGivesAtOnce) {
  // 16 minutes at a tenth of a second: 25,000 points, where Prometheus refuses more than 11,000.
  config::PrometheusConfig config;
  config.url = server_->url();
  auto reader = adapters::MakeRangeReader(config);
  ASSERT_TRUE(reader);
  const Instant begin = FromUnixMillis(std::int64_t{kBegin} * 1'000);
  const auto series = reader->Read({.promql = "time()",
                                    .begin = begin,
                                    .end = begin + Duration(100) * 24'999,
                                    .step = Duration(100),
                                    .labels = {}},
                                   {});
  ASSERT_TRUE(series) << series.error().message;
  ASSERT_EQ(series->size(), 1u);
  ASSERT_EQ((*series)[0].samples.size(), 25'000u);
  for (std::size_t i = 0; i < 25'000; ++i) {
    EXPECT_EQ((*series)[0].samples[i].at, begin + Duration(100) * static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(reader->pieces(), 3u);
}

// Two pools whose replicas were scraped, one of them a Deployment that kube-state-metrics knows.
std::string TwoPools() {
  std::string counters, all, ready;
  for (int second = 0; second <= 600; second += 15) {
    for (const int replica : {1, 2, 3}) {
      const char* pool = replica == 3 ? "side" : "main";
      counters += fmt::format(
          "nginx_http_requests_total{{namespace=\"shop\",gateway=\"{0}\",instance=\"{1}:80\"}} {2} "
          "{3}\n",
          pool, replica, 1'000 * replica + 20 * second, kBegin + second);
    }
    const int size = second < 300 ? 4 : 5;
    all += fmt::format(
        "kube_deployment_status_replicas{{namespace=\"shop\",deployment=\"istio-main\"}} {} {}\n",
        size, kBegin + second);
    ready += fmt::format(
        "kube_deployment_status_replicas_ready{{namespace=\"shop\",deployment=\"istio-main\"}} {} "
        "{}\n",
        size - 1, kBegin + second);
  }
  // Samples of one series must stand together.
  std::map<std::string, std::string> series;
  std::istringstream lines(counters);
  for (std::string line; std::getline(lines, line);)
    series[line.substr(0, line.find('}'))] += line + "\n";
  std::string text = "# TYPE nginx_http_requests counter\n";
  for (const auto& [labels, samples] : series) text += samples;
  return text + "# TYPE kube_deployment_status_replicas gauge\n" + all +
         "# TYPE kube_deployment_status_replicas_ready gauge\n" + ready + "# EOF\n";
}

std::string PoolManifest(const std::string& name) {
  return "apiVersion: istio.alibabacloud.com/v1beta1\nkind: IstioGateway\n"
         "metadata: {name: " +
         name +
         ", namespace: shop, annotations: "
         "{asm.alibabacloud.com/managed-by-asm: 'true'}}\n"
         "spec:\n  gatewayType: ingress\n  ports: [{name: http, port: 80, protocol: TCP, "
         "targetPort: 80}]\n  replicaCount: 2\n---\n"
         "apiVersion: tidegate.dev/v1alpha1\nkind: GatewayScaler\n"
         "metadata: {name: " +
         name +
         ", namespace: shop}\n"
         "spec:\n  scaleTargetRef: {kind: IstioGateway, name: " +
         name +
         "}\n"
         "  minReplicas: 1\n  maxReplicas: 9\n"
         "  signals: [{name: requests, preset: nginx, metric: requests, target: {perReplica: "
         "15}}]\n";
}

TEST(PoolHistoryTest, KnowsWhatRanFromKubernetesOrFromScrapes) {
  const testing::TempDir dir;
  const auto server = testing::BlockPrometheus::Start(dir.path(), TwoPools());
  ASSERT_TRUE(server) << server.error().message;
  const auto manifests =
      dir.Write("pools.yaml", PoolManifest("main") + "---\n" + PoolManifest("side")).string();
  const std::vector<std::string> arguments{"backtest",
                                           manifests,
                                           "--prometheus",
                                           (*server)->url(),
                                           "--from",
                                           kFrom,
                                           "--to",
                                           std::to_string(kBegin + 595),
                                           "--scrape-interval",
                                           "15s",
                                           "-o",
                                           "json"};
  const Ran ran = Tidesim(arguments);
  ASSERT_EQ(ran.status, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const json::value main = json::parse(line);
  EXPECT_EQ(main.at("name").get_string(), "main");
  EXPECT_NEAR(main.at("demand").at("peakRate").to_number<double>(), 40, 0.1);
  EXPECT_EQ(main.at("real").at("source").get_string(), "kube_deployment_status_replicas");
  EXPECT_EQ(main.at("real").at("peakReplicas").to_number<int>(), 5);
  EXPECT_EQ(main.at("real").at("leastReady").to_number<int>(), 3);
  ASSERT_TRUE(std::getline(lines, line));
  const json::value side = json::parse(line);
  EXPECT_NEAR(side.at("demand").at("peakRate").to_number<double>(), 20, 0.1);
  EXPECT_EQ(side.at("real").at("source").get_string(), "replicas that were scraped");
  EXPECT_EQ(side.at("real").at("peakReplicas").to_number<int>(), 1);
  // One file holds one pool.
  std::vector<std::string> saving = arguments;
  saving.insert(saving.end(), {"--save-trace", (dir.path() / "t.csv").string()});
  EXPECT_EQ(Tidesim(saving).status, 2);
  saving.insert(saving.end(), {"--pool", "shop/side"});
  EXPECT_EQ(Tidesim(saving).status, 0);
  EXPECT_TRUE(traces::ReadTrace((dir.path() / "t.csv").string()));
}

}  // namespace
}  // namespace tidegate::sim
