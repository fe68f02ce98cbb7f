#include "sim/runner/gate.h"

#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/runner/backtest.h"
#include "sim/runner/cli.h"
#include "tests/testing/child_process.h"
#include "traces/format/csv.h"
#include "traces/net/http_server.h"
#include "traces/net/url.h"

namespace tidegate::sim {
namespace {

namespace json = boost::json;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kTree = TIDEGATE_SOURCE_DIR;
const std::string kScenario = kTree + "/sim/scenarios/flash_crowd.yaml";
const std::string kTrace = kTree + "/traces/data/flash_crowd_2m.csv";
constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);
const PoolId kPool{"istio-system", "edge"};

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

Ran Gate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "gate");
  return Tidesim(std::move(arguments));
}

// The shipped pool, whose scaler allows at most so many replicas.
std::vector<std::string> Manifests(const testing::TempDir& dir, int most) {
  std::string scaler = testing::ReadFile(kTree + "/sim/scenarios/edge/scaler.yaml");
  const std::string was = "maxReplicas: 12";
  scaler.replace(scaler.find(was), was.size(), "maxReplicas: " + std::to_string(most));
  return {kTree + "/sim/scenarios/edge/gateway.yaml", dir.Write("scaler.yaml", scaler).string()};
}

Candidate LoadShipped() {
  return *LoadCandidate({.manifests = {}, .scenario = kScenario, .config = "", .pools = {}});
}

// 90 rps, and 270 rps for two minutes from each of the given minutes on.
traces::Trace Spiky(int length, const std::vector<int>& spikes) {
  traces::Trace trace{.bin = seconds(1),
                      .requests = std::vector<double>(static_cast<std::size_t>(length) * 60, 90)};
  for (const int minute : spikes) {
    for (int i = 0; i < 120; ++i) trace.requests[static_cast<std::size_t>(minute * 60 + i)] = 270;
  }
  return trace;
}

TEST(RunGateTest, ReplaysTheLastSpikesOfEachPool) {
  const std::vector<SpikeSource> sources{{kPool, "a.csv", Spiky(60, {10, 30, 50}), kStart},
                                         {kPool, "b.csv", Spiky(30, {20}), kStart}};
  const auto result = RunGate(LoadShipped(), sources, {.last = 2}, {});
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_THAT(result->spikes, SizeIs(2));
  EXPECT_EQ(result->spikes[0].source, "a.csv");
  EXPECT_NEAR(Seconds(result->spikes[0].spike.begin), 3'000, 5);
  EXPECT_EQ(result->spikes[0].judged_until, result->spikes[0].spike.end + minutes(5));
  EXPECT_EQ(result->spikes[1].source, "b.csv");
  EXPECT_TRUE(result->passed());
}

TEST(RunGateTest, JudgesASpikeAloneAsInItsPlace) {
  // The same spike, with quiet hours before it and with nothing: the lead makes up for it.
  const auto late = RunGate(LoadShipped(), {{kPool, "late", Spiky(60, {50}), kStart}}, {}, {});
  traces::Trace cut = Spiky(60, {50});
  cut.requests.erase(cut.requests.begin(), cut.requests.begin() + 49 * 60 + 50);
  const auto early = RunGate(LoadShipped(), {{kPool, "early", cut, kStart}}, {}, {});
  ASSERT_TRUE(late && early);
  ASSERT_THAT(late->spikes, SizeIs(1));
  ASSERT_THAT(early->spikes, SizeIs(1));
  EXPECT_EQ(late->spikes[0].spike.baseline, 90);
  EXPECT_EQ(early->spikes[0].verdict.peak_replicas, late->spikes[0].verdict.peak_replicas);
  EXPECT_NEAR(early->spikes[0].verdict.replica_hours, late->spikes[0].verdict.replica_hours, 0.01);
}

TEST(ScrapeAsSeenTest, TakesTheMomentsOfTheReplicasThatWereThere) {
  Scenario scenario = LoadShipped().scenario;
  scenario.scrape_interval = seconds(5);
  scenario.start = kStart + seconds(100);
  const std::vector<traces::ScrapedReplica> scraped{
      {kStart + seconds(2), kStart + seconds(97)},  // gone by then
      {kStart + seconds(3), kStart + seconds(500)},
      {kStart + seconds(121), kStart + seconds(130)}};
  ScrapeAsSeen(scraped, scenario);
  EXPECT_THAT(scenario.metrics.phases, ElementsAre(seconds(3), seconds(1)));
  // What a scenario says itself is stronger.
  scenario.metrics.phases = {seconds(4)};
  ScrapeAsSeen(scraped, scenario);
  EXPECT_THAT(scenario.metrics.phases, ElementsAre(seconds(4)));
}

TEST(RunGateTest, WithoutASpikeNothingPasses) {
  const auto result = RunGate(LoadShipped(), {{kPool, "calm", Spiky(60, {}), kStart}}, {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().message, HasSubstr("no spike was found"));
  const auto whole =
      RunGate(LoadShipped(), {{kPool, "calm", Spiky(60, {}), kStart}}, {.whole = true}, {});
  ASSERT_TRUE(whole);
  EXPECT_NEAR(whole->spikes[0].verdict.replica_hours, 2, 0.1);
}

TEST(GateCommandTest, PassesTheShippedScenario) {
  const Ran ran = Gate({"--scenario", kScenario, "--max-bad-minutes", "0", "--max-replicas", "12",
                        "--max-cost", "1"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("ok    istio-system/edge  2026-01-01T00:00:20Z, 20s into"));
  EXPECT_THAT(ran.out, HasSubstr("passed: 1 of 1 spikes"));
}

TEST(GateCommandTest, FailsABadConfigurationAndSaysWhichLimitWhenAndWhy) {
  const testing::TempDir dir;
  const auto manifests = Manifests(dir, 3);
  const Ran ran = Gate({manifests[0], manifests[1], "--scenario", kScenario, "--trace", kTrace,
                        "--trace-start", "2026-11-27T00:00:00Z", "--max-bad-minutes", "0"});
  EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.out,
              HasSubstr("FAIL  istio-system/edge  2026-11-27T00:00:20Z, 20s into " + kTrace));
  EXPECT_THAT(ran.out, HasSubstr("bad minutes: 1, at most 0 allowed\n"
                                 "        when  2026-11-27T00:00:"));
  EXPECT_THAT(ran.out, HasSubstr("3 allowed: maxReplicas is 3"));
  EXPECT_THAT(ran.out, HasSubstr("limits\n              bounds: "));
  EXPECT_THAT(ran.out, HasSubstr("FAILED: 0 of 1 spikes"));
}

TEST(GateCommandTest, SaysTheSameAsJson) {
  const testing::TempDir dir;
  const auto manifests = Manifests(dir, 3);
  const auto limits = dir.Write("limits.yaml", "limits: {badMinutes: 0, replicas: 99}\n").string();
  const Ran ran = Gate({manifests[0], manifests[1], "--scenario", kScenario, "--limits", limits,
                        "--max-cost", "0.01", "-o", "json"});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const json::value result = json::parse(ran.out);
  EXPECT_FALSE(result.at("passed").get_bool());
  EXPECT_EQ(result.at("limits").at("replicas").to_number<int>(), 99);
  const json::value& spike = result.at("spikes").at(0);
  EXPECT_EQ(spike.at("name").get_string(), "edge");
  EXPECT_EQ(spike.at("beginSeconds").to_number<double>(), 20);
  const json::array& breaches = spike.at("breaches").get_array();
  ASSERT_THAT(breaches, SizeIs(2));
  EXPECT_EQ(breaches[0].at("limit").get_string(), "bad minutes");
  EXPECT_EQ(breaches[1].at("limit").get_string(), "replica-hours");
  for (const json::value& breach : breaches) {
    EXPECT_GT(breach.at("reached").to_number<double>(), breach.at("allowed").to_number<double>());
    EXPECT_GT(breach.at("seconds").to_number<double>(), 20);
    EXPECT_THAT(std::string(breach.at("at").get_string()), HasSubstr("2026-01-01T00:0"));
    EXPECT_THAT(std::string(breach.at("decision").get_string()), HasSubstr("istio-system/edge: "));
  }
}

TEST(GateCommandTest, MeasuresCostAgainstTheClairvoyant) {
  const auto multiple = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--scenario", kScenario, "-o", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = Gate(arguments);
    EXPECT_NE(ran.status, 2) << ran.err;
    return json::parse(ran.out);
  };
  const json::value good = multiple({"--max-cost-multiple", "3"});
  EXPECT_TRUE(good.at("passed").get_bool());
  const double reached = good.at("spikes").at(0).at("costMultiple").to_number<double>();
  EXPECT_GE(reached, 1);
  const json::value bad = multiple({"--max-cost-multiple", std::to_string(reached * 0.9)});
  EXPECT_FALSE(bad.at("passed").get_bool());
  const json::value& breach = bad.at("spikes").at(0).at("breaches").at(0);
  EXPECT_EQ(breach.at("limit").get_string(), "cost multiple");
  EXPECT_EQ(breach.at("reached").to_number<double>(), reached);
  EXPECT_THAT(std::string(breach.at("why").get_string()), HasSubstr("where a clairvoyant pays"));
}

TEST(GateCommandTest, ACostWithoutAMeasureDoesNotPass) {
  const testing::TempDir dir;
  std::string scenario = testing::ReadFile(kScenario) + "  quota: 2\n";
  for (const auto& [was, is] :
       {std::pair<std::string, std::string>{"manifests: [edge]",
                                            "manifests: [" + kTree + "/sim/scenarios/edge]"},
        {"../../traces/data/flash_crowd_2m.csv", kTrace}}) {
    ASSERT_NE(scenario.find(was), std::string::npos);
    scenario.replace(scenario.find(was), was.size(), is);
  }
  const std::string file = dir.Write("scenario.yaml", scenario).string();
  const Ran ran = Gate({"--scenario", file, "--max-cost-multiple", "1"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("the cost of 1 of 1 spikes could not be judged"));
  EXPECT_THAT(ran.out, HasSubstr("nothing to measure the cost by, its limit is not judged)"));
  const Ran unlimited = Gate({"--scenario", file, "--max-replicas", "9"});
  EXPECT_EQ(unlimited.status, 0) << unlimited.err;
  EXPECT_THAT(unlimited.out, HasSubstr("nothing to measure the cost by);"));
}

TEST(GateCommandTest, TheWaitIsTheFlagsThenTheFilesThenTheScenarios) {
  const testing::TempDir dir;
  std::string scenario = testing::ReadFile(kScenario);
  const auto fix = [&](const std::string& was, const std::string& is) {
    scenario.replace(scenario.find(was), was.size(), is);
  };
  fix("[edge]", "[" + kTree + "/sim/scenarios/edge]");
  fix("../../traces", kTree + "/traces");
  fix(" wait: 1s ", " wait: 250ms ");
  const auto file = dir.Write("scenario.yaml", scenario).string();
  const auto limits = dir.Write("limits.yaml",
                                "limits: {replicas: 99}\n"
                                "objective: {wait: 500ms}\n")
                          .string();
  const auto wait = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--max-replicas", "99", "-o", "json"});
    const Ran ran = Gate(arguments);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return json::parse(ran.out).at("objective").at("waitSeconds").to_number<double>();
  };
  EXPECT_EQ(wait({kTree + "/sim/scenarios/edge", "--trace", kTrace}), 1);
  EXPECT_EQ(wait({"--scenario", file}), 0.25);
  EXPECT_EQ(wait({"--scenario", file, "--limits", limits}), 0.5);
  EXPECT_EQ(wait({"--scenario", file, "--limits", limits, "--max-wait", "750ms"}), 0.75);
}

TEST(GateCommandTest, ShowsTheWorstOfManyRuns) {
  const testing::TempDir dir;
  std::string scenario = testing::ReadFile(kScenario);
  const auto fix = [&](const std::string& was, const std::string& is) {
    scenario.replace(scenario.find(was), was.size(), is);
  };
  fix("[edge]", "[" + kTree + "/sim/scenarios/edge]");
  fix("../../traces", kTree + "/traces");
  fix("  tail: 1m\n", "  metrics: {lostScrapes: 0.5}\n");
  const auto file = dir.Write("scenario.yaml", scenario).string();
  const auto spike = [&](const std::string& runs) {
    const Ran ran =
        Gate({"--scenario", file, "--max-bad-minutes", "0", "--replications", runs, "-o", "json"});
    EXPECT_NE(ran.status, 2) << ran.err;
    const json::value result = json::parse(ran.out);
    EXPECT_EQ(result.at("passed").get_bool(), ran.status == 0);
    return result.at("spikes").at(0);
  };
  const json::value one = spike("1");
  const json::value many = spike("20");
  EXPECT_EQ(one.at("seed").to_number<int>(), 1);
  EXPECT_EQ(many.at("runs").to_number<int>(), 20);
  EXPECT_GE(many.at("badRequests").to_number<double>(), one.at("badRequests").to_number<double>());
  // Half of all scrapes are lost: some runs go wrong, not all.
  EXPECT_GT(many.at("failedRuns").to_number<int>(), 0);
  EXPECT_LT(many.at("failedRuns").to_number<int>(), 20);
  EXPECT_EQ(many.at("breaches").get_array().size(), 1u);
}

TEST(GateCommandTest, JudgesSingleRequestsToo) {
  const testing::TempDir dir;
  std::string scenario = testing::ReadFile(kScenario);
  const auto fix = [&](const std::string& was, const std::string& is) {
    scenario.replace(scenario.find(was), was.size(), is);
  };
  fix("[edge]", "[" + kTree + "/sim/scenarios/edge]");
  fix("../../traces", kTree + "/traces");
  fix("  tail: 1m\n", "  mode: requests\n");
  const auto file = dir.Write("scenario.yaml", scenario).string();
  const Ran good = Gate({"--scenario", file, "--max-bad-minutes", "0"});
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  const auto manifests = Manifests(dir, 3);
  const Ran bad = Gate({manifests[0], manifests[1], "--scenario", file, "--max-bad-minutes", "0"});
  EXPECT_EQ(bad.status, 1) << bad.out << bad.err;
  EXPECT_THAT(bad.out, HasSubstr("3 allowed: maxReplicas is 3"));
}

TEST(GateCommandTest, AnswersTwiceAlike) {
  const std::vector<std::string> arguments{"--scenario", kScenario, "--max-replicas", "5"};
  const Ran first = Gate(arguments);
  EXPECT_EQ(first.status, 1);
  EXPECT_EQ(first.out, Gate(arguments).out);
}

TEST(GateCommandTest, BadInputIsNoVerdict) {
  const testing::TempDir dir;
  const auto bad_limits = dir.Write("limits.yaml", "limits: {minutes: 3}\n").string();
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {
      {{"--scenario", kScenario}, "no limit is given"},
      {{"--max-replicas", "9"}, "nothing to try"},
      {{kTree + "/sim/scenarios/edge", "--max-replicas", "9"}, "expected --trace files"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--factor", "50"}, "no spike was found"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--factor", "1"}, "--factor"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--pool", "a/b"}, "no pool a/b"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--trace", "/nowhere.csv"}, "/nowhere.csv"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--lead", "soon"}, "--lead"},
      {{"--scenario", kScenario, "--limits", bad_limits}, "limits.yaml:1:10: limits.minutes"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--prometheus", "http://127.0.0.1:1"},
       "either --from or --last"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--prometheus", "http://127.0.0.1:1",
        "--last", "1h"},
       "127.0.0.1"},
      {{"--scenario", kScenario, "--max-replicas", "9", "--trace", kTrace, "--last", "1h"},
       "from --trace files or from a Prometheus"},
  };
  for (const auto& one : cases) {
    const Ran ran = Gate(one.arguments);
    EXPECT_EQ(ran.status, 2) << one.says << "\n" << ran.out;
    EXPECT_THAT(ran.err, HasSubstr(one.says));
    EXPECT_THAT(ran.out, IsEmpty()) << one.says;
  }
}

TEST(GateCommandTest, HelpTeachesWithAnExample) {
  const Ran ran = Gate({"--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr("tidesim gate manifests/"));
}

PoolHistory FlatHistory(Rate rate, Replicas replicas) {
  PoolHistory history;
  history.pool = kPool;
  history.begin = kStart;
  history.demand = {.bin = seconds(15), .requests = std::vector<double>(240, rate * 15)};
  history.demand_source = "haproxy";
  history.ready.assign(240, replicas);
  history.running.assign(240, replicas);
  history.replicas_source = "tidegate_pool_replicas";
  return history;
}

TEST(RunBacktestTest, PutsTheCandidateBesideWhatReallyRan) {
  const auto backtest = RunBacktest(LoadShipped(), FlatHistory(170, 10), minutes(10), {});
  ASSERT_TRUE(backtest) << backtest.error().message;
  ASSERT_TRUE(backtest->real);
  EXPECT_NEAR(backtest->real->replica_hours, 10, 1e-9);
  EXPECT_EQ(backtest->real->short_of_capacity, Duration(0));
  // 170 rps at 50 each, from a warm start: four replicas all the time.
  EXPECT_NEAR(backtest->candidate.replica_hours, 4, 1e-9);
  EXPECT_EQ(backtest->candidate.least_ready, 4);
  EXPECT_EQ(backtest->candidate.peak, 4);
  EXPECT_EQ(backtest->starts, 0);
  EXPECT_EQ(backtest->verdict.bad_minutes, 0);
  ASSERT_THAT(backtest->rows, SizeIs(240));
  EXPECT_EQ(backtest->rows[7].demand, 170);
  EXPECT_EQ(backtest->rows[7].really_ready, 10);
  EXPECT_EQ(backtest->rows[7].ready, 4);
  const std::string text = ToText(*backtest);
  EXPECT_THAT(text, HasSubstr("replica-hours                  10.000          4.000"));
  EXPECT_THAT(json::serialize(json::parse(ToJson(*backtest)).at("real").at("peakReplicas")), "10");
}

TEST(RunBacktestTest, SeesWhatReallyWasTooLittle) {
  // A replica serves 120 rps in the scenario.
  const auto backtest = RunBacktest(LoadShipped(), FlatHistory(200, 1), minutes(10), {});
  ASSERT_TRUE(backtest);
  EXPECT_EQ(backtest->real->short_of_capacity, minutes(60));
  EXPECT_EQ(backtest->candidate.short_of_capacity, Duration(0));
}

TEST(RunBacktestTest, DoesWithoutWhatReallyRan) {
  PoolHistory history = FlatHistory(200, 1);
  history.ready = history.running = {};
  const auto backtest = RunBacktest(LoadShipped(), std::move(history), minutes(10), {});
  ASSERT_TRUE(backtest);
  EXPECT_FALSE(backtest->real);
  EXPECT_THAT(ToText(*backtest), HasSubstr("in no metric that was looked for"));
  EXPECT_TRUE(json::parse(ToJson(*backtest)).at("real").is_null());
}

TEST(RunBacktestTest, KeepsLongHistoriesInBoundedRows) {
  PoolHistory history = FlatHistory(200, 3);
  history.demand = {.bin = seconds(1), .requests = std::vector<double>(20'000, 190)};
  history.demand.requests[19'999] = 195;
  history.ready.assign(20'000, 3);
  history.running.assign(20'000, 3);
  const auto backtest = RunBacktest(LoadShipped(), std::move(history), minutes(10), {});
  ASSERT_TRUE(backtest);
  EXPECT_EQ(backtest->row, seconds(3));
  ASSERT_THAT(backtest->rows, SizeIs(6'667));
  EXPECT_EQ(backtest->rows.back().demand, 195);
  EXPECT_EQ(backtest->rows.back().ready, 4);
}

TEST(BacktestCommandTest, BadInputIsSaid) {
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {
      {{"--scenario", kScenario, "--last", "1h"}, "expected --prometheus URL"},
      {{"--scenario", kScenario, "--prometheus", "http://127.0.0.1:1"}, "either --from or --last"},
      {{"--scenario", kScenario, "--prometheus", "ftp://x", "--last", "1h"}, "ftp"},
      {{"--scenario", kScenario, "--prometheus", "http://127.0.0.1:1", "--last", "10s", "--step",
        "6s"},
       "shorter than two steps of 6s"},
      {{"--scenario", kScenario, "--prometheus", "http://127.0.0.1:1", "--from", "yesterday"},
       "--from"},
      {{"--scenario", kScenario, "--prometheus", "http://127.0.0.1:1", "--from", "100", "--to",
        "50"},
       "expected 10 s to a year"},
  };
  for (const auto& one : cases) {
    std::vector<std::string> arguments = one.arguments;
    arguments.insert(arguments.begin(), "backtest");
    const Ran ran = Tidesim(arguments);
    EXPECT_EQ(ran.status, 2) << one.says;
    EXPECT_THAT(ran.err, HasSubstr(one.says));
  }
}

TEST(BacktestCommandTest, AsksAsTheDaemonsConfigurationSays) {
  std::mutex mutex;
  std::string credentials, query;
  auto server = net::HttpServer::Start({}, [&](const net::HttpRequest& request) {
    const std::lock_guard lock(mutex);
    if (const auto* header = net::FindHeader(request.headers, "authorization"))
      credentials = *header;
    if (query.empty())
      query = *net::FindParameter(net::ParseTarget(request.target)->parameters, "query");
    return net::MakeResponse(200, "application/json",
                             R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
  });
  ASSERT_TRUE(server);
  const testing::TempDir dir;
  const auto password = dir.Write("password", "sesame\n").string();
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  const auto config = dir.Write("tidegate.yaml",
                                "apiVersion: tidegate.dev/v1alpha1\nkind: TidegateConfig\nspec:\n"
                                "  manifests: [" +
                                    kTree +
                                    "/sim/scenarios/edge]\n"
                                    "  prometheus:\n    url: " +
                                    url +
                                    "\n"
                                    "    basicAuth: {username: ali, passwordFile: password}\n"
                                    "    labels: {gateway: pool}\n")
                          .string();
  const Ran ran =
      Tidesim({"backtest", "--config", config, "--from", "1767225600", "--to", "1767229200"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("Prometheus has no series"));
  EXPECT_EQ(credentials, "Basic YWxpOnNlc2FtZQ==");
  EXPECT_THAT(query, HasSubstr(R"(namespace="istio-system",pool="edge"})"));
  // Flags are stronger.
  const auto token = dir.Write("token", "t0ken").string();
  EXPECT_EQ(Tidesim({"backtest", "--config", config, "--bearer-token-file", token, "--from",
                     "1767225600", "--to", "1767229200"})
                .status,
            2);
  EXPECT_EQ(credentials, "Bearer t0ken");
}

TEST(BacktestCommandTest, APrometheusThatIsNotThereIsAFailure) {
  const Ran ran = Tidesim(
      {"backtest", "--scenario", kScenario, "--prometheus", "http://127.0.0.1:1", "--last", "1h"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("127.0.0.1"));
}

}  // namespace
}  // namespace tidegate::sim
