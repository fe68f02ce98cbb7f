// The whole daemon on real parts: Prometheus, HAProxy replicas and load, watched from outside.
// TIDEGATE_LONG=1 runs the full lengths (20 kills, an outage of 60 s); without it each test is as
// short as its point allows.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/demo/parts.h"
#include "tests/testing/child_process.h"
#include "tests/testing/front_watcher.h"
#include "tests/testing/judge.h"
#include "tests/testing/prometheus_proxy.h"
#include "tests/testing/steady_load.h"
#include "traces/net/url.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::steady_clock;
using testing::PrometheusProxy;
using testing::SteadyLoad;
using testing::WaitUntil;

constexpr Duration kPatience{60'000};

bool Long() { return std::getenv("TIDEGATE_LONG") != nullptr; }

class LivePoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path build = TIDEGATE_BINARY_DIR;
    const Programs programs{build / "scheduler/tidegate", build / "traces/tidetrace",
                            build / "sim/tidesim"};
    auto stage = Stage::Build(dir_.path(), programs, "unused.csv");
    ASSERT_TRUE(stage) << stage.error().message;
    stage_ = *std::move(stage);
    ASSERT_TRUE(stage_->StartPrometheus());
  }

  void Start() {
    watcher_ = std::make_unique<testing::FrontWatcher>(stage_->pool_dir());
    const auto started = stage_->StartDaemon({});
    ASSERT_TRUE(started) << started.error().message << "\n" << Log();
    ASSERT_TRUE(WaitUntil(kPatience, [&] { return Serving() == 2; })) << Log();
    ASSERT_TRUE(stage_->WaitSettled(2, kPatience));
  }

  std::string Log() const { return testing::ReadFile(dir_.path() / "tidegate.log"); }

  int Serving() const {
    const auto sight = watcher_->Latest();
    return static_cast<int>(std::ranges::count_if(
        sight.front, [](const auto& entry) { return entry.second.status.starts_with("UP"); }));
  }

  // The name of one that serves.
  std::string AReplica() const {
    for (const auto& [name, server] : watcher_->Latest().front) {
      if (server.status.starts_with("UP")) return name;
    }
    return "";
  }

  json::object Status() const {
    const std::string body = stage_->Get(stage_->daemon_url(), "/api/v1/pools");
    return body.empty() ? json::object{} : json::parse(body).as_object();
  }
  std::string Text(const char* key) const {
    const json::object status = Status();
    return status.empty() ? "" : std::string(status.at("pools").at(0).at(key).as_string());
  }
  int Number(const char* key) const {
    const json::object status = Status();
    return status.empty() ? -1 : status.at("pools").at(0).at(key).to_number<int>();
  }

  // What `tidegate explain` says of the last decision on record.
  std::string Explained() const {
    const auto run = testing::RunProgram(
        {(fs::path(TIDEGATE_BINARY_DIR) / "scheduler/tidegate").string(), "explain",
         "istio-system/ingressgateway", "--last", "1", "--journal", stage_->journal().string()},
        kPatience);
    return run ? run->output : run.error().message;
  }

  // From two scrapes of a replica its rate is known again.
  bool EveryReplicaWasScrapedTwice() const {
    const std::string query =
        "count(count_over_time(up{job=\"istio-system/managed-envoy\"}[12s])>1)";
    const std::string body = stage_->Get(
        stage_->prometheus_url(), "/api/v1/query?" + net::EncodeParameters({{"query", query}}));
    if (body.empty()) return false;
    const json::value answer = json::parse(body);
    const json::array& result = answer.at("data").at("result").as_array();
    return !result.empty() &&
           std::stoi(std::string(result[0].at("value").at(1).as_string())) >= Serving();
  }

  std::string Judged() {
    watcher_->Stop();
    const auto desired = stage_->DesiredOverTime();
    const testing::JudgeOptions options{
        .budget = {}, .declared = 2, .drain_deadline = Duration(10'000)};
    std::string text;
    for (const auto& breach : testing::Judge(watcher_->Sights(), desired, options).breaches)
      text += breach + "\n";
    return text;
  }

  static void ExpectNoFailures(const net::LoadReport& report) {
    std::string kinds;
    for (const auto& [kind, count] : report.failures)
      kinds += kind + " x " + std::to_string(count) + " ";
    RecordProperty("requests", static_cast<int>(report.started));
    RecordProperty("failed", static_cast<int>(report.failed));
    EXPECT_EQ(report.failed, 0u) << "of " << report.started << ": " << kinds;
    EXPECT_GT(report.succeeded, 100u);
  }

  testing::TempDir dir_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<testing::FrontWatcher> watcher_;
};

// Kills the daemon at random instants while load rises, falls and the template changes, and starts
// it again each time.
TEST_F(LivePoolTest, ADaemonKilledAtAnyInstantLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(Start());
  SteadyLoad load(stage_->FrontUrl() + "/", 60);
  std::mt19937 random(7);
  const int kills = Long() ? 20 : 6;
  for (int kill = 0; kill < kills; ++kill) {
    const int third = kill * 3 / kills;  // up, then down, then a rollout
    load.SetRate(third == 0 ? 350 : 60);
    if (third == 2 && kill * 3 % kills < 3) SwitchAccessLogsOn(dir_.path());
    const Duration wait(500 + static_cast<int>(random() % 5'500));
    WaitUntil(wait, [] { return false; });
    stage_->daemon().Signal(SIGKILL);
    ASSERT_TRUE(stage_->daemon().Wait(kPatience));
    const auto started = stage_->StartDaemon({});
    ASSERT_TRUE(started) << started.error().message << "\n" << Log();
  }
  EXPECT_TRUE(stage_->WaitSettled(2, kPatience)) << Log();
  ExpectNoFailures(load.Finish());
  // Every process is a replica that serves, each once: no orphan, no double.
  EXPECT_EQ(testing::ProcessesBelow(stage_->pool_dir()).size(),
            static_cast<std::size_t>(Serving()) + 1);
  EXPECT_EQ(Judged(), "");
  EXPECT_THAT(Log(), ::testing::HasSubstr("state restored pools=1"));
}

TEST_F(LivePoolTest, AKilledReplicaIsReplacedWithinThreeSeconds) {
  ASSERT_NO_FATAL_FAILURE(Start());
  SteadyLoad load(stage_->FrontUrl() + "/", 80);
  // It has to have served for longer than minReadySeconds, else its death counts as a failed start
  // and backs off.
  WaitUntil(Duration(11'000), [] { return false; });
  const auto before = watcher_->Latest().processes;
  ASSERT_EQ(before.size(), 2u);
  const std::string name = before.begin()->first;
  const int pid = before.begin()->second;
  const auto killed = steady_clock::now();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(WaitUntil(Duration(10'000), [&] {
    return Serving() == 2 && !watcher_->Latest().processes.contains(name);
  })) << Log();
  const double seconds = std::chrono::duration<double>(steady_clock::now() - killed).count();
  RecordProperty("replaced_after_ms", static_cast<int>(seconds * 1000));
  EXPECT_LT(seconds, 3) << Log();
  const auto report = load.Finish();
  RecordProperty("failed", static_cast<int>(report.failed));
  EXPECT_LE(report.failed, 6u);  // its maxconn: what it had in flight
}

TEST_F(LivePoolTest, BadSamplesNeverShrinkThePool) {
  PrometheusProxy proxy(stage_->prometheus_url());
  UseSignalsFrom(dir_.path(), stage_->ports(), proxy.port());
  ASSERT_NO_FATAL_FAILURE(Start());
  SteadyLoad load(stage_->FrontUrl() + "/", 240);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return Serving() >= 5; })) << Log();
  using Mode = PrometheusProxy::Mode;
  const Duration outage(Long() ? 60'000 : 18'000);
  for (const Mode mode : {Mode::kDown, Mode::kEmpty, Mode::kNaN, Mode::kFrozen}) {
    ASSERT_TRUE(
        WaitUntil(kPatience, [&] { return Text("reason") != "SamplesNotOk" && Serving() >= 5; }));
    const int before = Number("desired");
    proxy.Set(mode, AReplica());
    load.SetRate(60);  // the load is gone, but nobody can see it
    int least = before;
    WaitUntil(mode == Mode::kDown ? outage : Duration(18'000), [&] {
      if (const int desired = Number("desired"); desired > 0) least = std::min(least, desired);
      return false;
    });
    EXPECT_GE(least, before) << "mode " << static_cast<int>(mode);
    EXPECT_EQ(Text("reason"), "SamplesNotOk") << Text("summary");
    load.SetRate(240);
    proxy.Set(Mode::kPass);
    const auto recovered =
        WaitUntil(Duration(2'500), [&] { return Text("reason") != "SamplesNotOk"; });
    EXPECT_TRUE(recovered) << Text("summary");  // two ticks and a half
  }
  ExpectNoFailures(load.Finish());
  EXPECT_EQ(Judged(), "");
}

// The real process goes away in the middle of a spike and comes back with its data.
TEST_F(LivePoolTest, APrometheusThatIsStoppedForAWhileShrinksNothing) {
  ASSERT_NO_FATAL_FAILURE(Start());
  SteadyLoad load(stage_->FrontUrl() + "/", 240);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return Serving() >= 5; })) << Log();
  stage_->prometheus().Signal(SIGTERM);
  ASSERT_TRUE(stage_->prometheus().Wait(kPatience));
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return Text("reason") == "SamplesNotOk"; }));
  const int before = Number("desired");
  load.SetRate(60);  // the load is gone, but nobody can see it
  int least = before;
  WaitUntil(Duration(Long() ? 60'000 : 15'000), [&] {
    if (const int desired = Number("desired"); desired > 0) least = std::min(least, desired);
    return false;
  });
  EXPECT_GE(least, before);
  const std::string why = Explained();
  EXPECT_THAT(why, ::testing::HasSubstr("SamplesNotOk"));
  EXPECT_THAT(why, ::testing::HasSubstr("error"));
  load.SetRate(240);
  ASSERT_TRUE(stage_->StartPrometheus());
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return EveryReplicaWasScrapedTwice(); }));
  const auto scraped = steady_clock::now();
  EXPECT_TRUE(WaitUntil(Duration(2'500), [&] { return Text("reason") != "SamplesNotOk"; }))
      << Text("summary");  // two ticks and a half
  RecordProperty("recovered_after_ms",
                 static_cast<int>(
                     std::chrono::duration_cast<Duration>(steady_clock::now() - scraped).count()));
  ExpectNoFailures(load.Finish());
  EXPECT_EQ(Judged(), "");
}

TEST_F(LivePoolTest, ABrokenManifestChangesNothingAndIsTold) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const fs::path manifest = dir_.path() / "manifests" / "gateway.yaml";
  const std::string good = testing::ReadFile(manifest);
  std::string bad = good;
  bad.replace(bad.find("replicaCount: 2"), 15, "replicaCount: two");
  dir_.Write("manifests/gateway.yaml", bad);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return !Status().at("config").at("ok").as_bool(); }))
      << Log();
  const std::string problem(Status().at("config").at("problems").at(0).as_string());
  EXPECT_THAT(problem,
              ::testing::MatchesRegex(".*gateway.yaml:[0-9]+:[0-9]+: spec.replicaCount: .*"));
  EXPECT_THAT(Log(), ::testing::HasSubstr("spec.replicaCount"));
  EXPECT_EQ(Number("ready"), 2);
  EXPECT_NE(stage_->Get(stage_->daemon_url(), "/readyz"), "");
  EXPECT_THAT(stage_->Get(stage_->daemon_url(), "/metrics"),
              ::testing::HasSubstr("tidegate_config_last_reload_successful 0"));
  dir_.Write("manifests/gateway.yaml", good);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return Status().at("config").at("ok").as_bool(); }))
      << Log();
}

}  // namespace
}  // namespace tidegate::demo
