#include "scheduler/adapters/process/process_fleet.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/posix.h"
#include "scheduler/adapters/system_clock.h"
#include "tests/integration/process_fleet_fixture.h"
#include "tests/testing/child_process.h"
#include "tests/testing/gateway_pool.h"
#include "traces/import/log_import.h"

namespace tidegate::adapters {
namespace {

using rollout::Step;
using rollout::StepKind;
using rollout::StepReason;
using signals::Phase;
using testing::BodyOf;
using testing::ClosedLoopLoad;
using testing::SlowUpstream;
using testing::StatusOf;
using testing::TempDir;
using testing::WaitUntil;

// Requests that a replica counts for its traffic; -1 if it doesn't say.
long RequestsOf(const std::string& metrics_address) {
  const std::string text = BodyOf(metrics_address, "/metrics");
  const std::string name = "\nhaproxy_frontend_http_requests_total{proxy=\"traffic_http\"} ";
  const std::size_t at = text.find(name);
  return at == std::string::npos ? -1 : std::atol(text.c_str() + at + name.size());
}

class ProcessFleetTest : public ProcessFleetFixture {
 protected:
  // `tidetrace import` makes a trace of the access log that counts each of its lines.
  void ExpectImported(const std::string& log, long lines) {
    traces::ImportOptions options;
    options.strict = true;
    options.bins.bin = Duration(10);
    options.filter.statuses = traces::ParseStatuses("2xx").value();
    auto importer = traces::LogImporter::Create(options).value();
    auto stream = traces::ByteStream::Open(log).value();
    const auto read = importer.Read(stream, {});
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(importer.format(), "json");
    const auto trace = importer.Finish();
    ASSERT_TRUE(trace.has_value()) << trace.error().message;
    EXPECT_EQ(traces::TotalRequests(*trace), static_cast<double>(lines));
    EXPECT_LT(clock_.Now() - importer.first(), std::chrono::minutes(10));
  }
};

TEST_F(ProcessFleetTest, ServesThroughTheFrontOnceReplicasAreReady) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  EXPECT_EQ(Size(), 2);  // shown at once, before their processes run
  ASSERT_TRUE(BecomesReady(2));
  EXPECT_EQ(StatusOf(Front(), "/some/path"), 200);
  EXPECT_GT(changes_.load(), 0);
  for (const auto& replica : fleet_->Observe(kPool)) {
    EXPECT_EQ(replica.revision, "r1");
    ASSERT_TRUE(replica.ready_at.has_value());
    EXPECT_GE(*replica.ready_at, replica.started);
    EXPECT_EQ(replica.since, *replica.ready_at);
  }
}

TEST_F(ProcessFleetTest, LosesNoRequestWhileScalingUpAndDownUnderLoad) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const int front = fleet_->FrontPid(kPool);
  ClosedLoopLoad load(Front(), 16);
  StartAll(3, 8);
  ASSERT_TRUE(BecomesReady(8));
  DrainAll(1, 6);
  ASSERT_TRUE(BecomesReady(2));
  load.Stop();
  EXPECT_GT(load.requests(), 100);
  EXPECT_EQ(load.failures(), 0);
  EXPECT_EQ(fleet_->FrontPid(kPool), front);
}

TEST_F(ProcessFleetTest, RollsOutANewRevisionWithoutALostRequest) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  ClosedLoopLoad load(Front(), 8);
  pool.revision = "r2";
  pool.access_log_project = "mesh-log-1";
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  EXPECT_EQ(Take(StepKind::kStart, "edge-3", "r1").error().code, ErrorCode::kConflict);
  ASSERT_TRUE(Take(StepKind::kStart, "edge-3", "r2").has_value());
  ASSERT_TRUE(Take(StepKind::kStart, "edge-4", "r2").has_value());
  ASSERT_TRUE(BecomesReady(4));
  DrainAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  load.Stop();
  EXPECT_EQ(load.failures(), 0);
  long served_by_new = 0;
  for (const ScrapeTarget& target : fleet_->Targets()) served_by_new += RequestsOf(target.address);
  EXPECT_GT(served_by_new, 10);
  EXPECT_EQ(StatusOf(Front(), "/a%22b\"c\\d"), 200);
  DrainAll(3, 4);
  ASSERT_TRUE(BecomesReady(0));

  std::istringstream log(testing::ReadFile(dir_.path() / "state/logs/mesh-log-1.log"));
  long lines = 0;
  bool quoted = false;
  for (std::string line; std::getline(log, line); ++lines) {
    boost::json::error_code error;
    const auto value = boost::json::parse(line, error);
    ASSERT_FALSE(error) << line;
    EXPECT_EQ(value.at("response_code").as_int64(), 200);
    quoted = quoted || value.at("path").as_string() == "/a%22b\"c\\d";
  }
  // Every request is there once: those of the load that the new revision served, and ours.
  EXPECT_EQ(lines, served_by_new + 1);
  EXPECT_TRUE(quoted);
  ExpectImported(state_dir() + "/logs/mesh-log-1.log", lines);
}

TEST_F(ProcessFleetTest, TakesAKilledReplicaOutWithinASecond) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  ClosedLoopLoad load(Front(), 4);
  const auto killed = clock_.Now();
  ::kill(fleet_->Pids(kPool).at("edge-1"), SIGKILL);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return CountOf(Phase::kFailed) == 1; }));
  const auto views = fleet_->Observe(kPool);
  EXPECT_EQ(views[0].phase, Phase::kFailed);
  EXPECT_LT(views[0].since - killed, Duration(1'000));
  // Only what was in progress on it may fail, and a GET is tried again elsewhere.
  load.Stop();
  EXPECT_LE(load.failures(), 4);
  DrainAll(1, 1);
  EXPECT_TRUE(BecomesReady(1));
}

TEST_F(ProcessFleetTest, NoticesAReplicaThatHangs) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const int pid = fleet_->Pids(kPool).at("edge-2");
  ::kill(pid, SIGSTOP);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return CountOf(Phase::kFailed) == 1; }));
  ::kill(pid, SIGCONT);
  EXPECT_TRUE(BecomesReady(2));
}

TEST_F(ProcessFleetTest, BringsADeadFrontBackOnTheSamePort) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const std::string address = Front();
  const int pid = fleet_->FrontPid(kPool);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(WaitUntil(kPatience, [&] {
    const int now = fleet_->FrontPid(kPool);
    return now != 0 && now != pid && StatusOf(address, "/") == 200;
  }));
  EXPECT_EQ(Front(), address);
  EXPECT_TRUE(BecomesReady(2));
}

TEST_F(ProcessFleetTest, RestartsAFrontThatHangs) {
  ProcessFleetOptions options = Options();
  options.command_timeout = Duration(100);
  options.front_patience = Duration(500);
  Open(options);
  ASSERT_TRUE(fleet_->Configure({Template()}).has_value());
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const int pid = fleet_->FrontPid(kPool);
  ::kill(pid, SIGSTOP);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return !fleet_->PoolError(kPool).empty(); }));
  EXPECT_TRUE(WaitUntil(kPatience, [&] {
    const int now = fleet_->FrontPid(kPool);
    return now != 0 && now != pid && fleet_->PoolError(kPool).empty();
  }));
  EXPECT_TRUE(BecomesReady(1));
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return StatusOf(Front(), "/") == 200; }));
}

TEST_F(ProcessFleetTest, AReplicaThatCanNotStartHasFailed) {
  OpenAndConfigure(Template());
  // A directory where its configuration should go.
  std::filesystem::create_directories(state_dir() + "/istio-system_edge/edge-1/haproxy.cfg.new");
  StartAll(1, 1);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return CountOf(Phase::kFailed) == 1; }));
  DrainAll(1, 1);
  EXPECT_TRUE(BecomesReady(0));
}

TEST_F(ProcessFleetTest, KillsADrainingReplicaAtItsDeadlineOnly) {
  SlowUpstream endless(std::chrono::seconds(15));
  PoolTemplate pool = Template();
  pool.routes = {{"/", "", endless.address()}};
  pool.drain_deadline = Duration(1'500);
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  std::atomic<int> status{-1};
  std::thread client([&, address = Front()] { status = StatusOf(address, "/"); });
  const std::string metrics = fleet_->Targets().at(0).address;
  ASSERT_TRUE(WaitUntil(kPatience, [&] {
    const std::string text = BodyOf(metrics, "/metrics");
    return text.find("haproxy_frontend_current_sessions{proxy=\"traffic_http\"} 1") !=
           std::string::npos;
  }));
  const auto began = clock_.Now();
  DrainAll(1, 1);
  ASSERT_TRUE(BecomesReady(0));
  EXPECT_LT(clock_.Now() - began, Duration(5'000));
  client.join();
  EXPECT_NE(status, 200);
}

TEST_F(ProcessFleetTest, RepeatedStepsDoNothingMore) {
  OpenAndConfigure(Template());
  StartAll(1, 1);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const auto before = fleet_->Pids(kPool);
  StartAll(1, 1);
  DrainAll(7, 7);  // never existed
  StartAll(2, 2);
  ASSERT_TRUE(BecomesReady(2));
  EXPECT_EQ(fleet_->Pids(kPool).at("edge-1"), before.at("edge-1"));
  EXPECT_EQ(FindGatewayProcesses(state_dir()).size(), 3u);
}

TEST_F(ProcessFleetTest, RefusesStepsThatItCanNotTake) {
  OpenAndConfigure(Template());
  EXPECT_EQ(Take(StepKind::kStart, "../edge").error().code, ErrorCode::kInvalid);
  const Step step{StepKind::kStart, "x-1", "r1", StepReason::kGrow};
  EXPECT_EQ(fleet_->Request(clock_.Now(), {"istio-system", "other"}, step).error().code,
            ErrorCode::kNotFound);
}

TEST_F(ProcessFleetTest, KeepsASecondFleetOutOfItsStateDirectory) {
  Open(Options());
  const auto second = ProcessFleet::Open(Options());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(ProcessFleetTest, DrainsAPoolThatIsGoneFromTheConfiguration) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  ASSERT_TRUE(fleet_->Configure({}).has_value());
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).empty(); }));
  EXPECT_TRUE(
      WaitUntil(kPatience, [&] { return !fleet_->FrontAddress(kPool, "http").has_value(); }));
  EXPECT_FALSE(std::filesystem::exists(state_dir() + "/istio-system_edge"));
}

TEST_F(ProcessFleetTest, ListsExportedReplicasForDiscovery) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const auto groups = boost::json::parse(fleet_->TargetsJson()).as_array();
  ASSERT_EQ(groups.size(), 2u);
  const auto& labels = groups[0].at("labels").as_object();
  EXPECT_EQ(labels.at("namespace").as_string(), "istio-system");
  EXPECT_EQ(labels.at("gateway").as_string(), "edge");
  EXPECT_EQ(labels.at("replica").as_string(), "edge-1");
  EXPECT_EQ(labels.at("__meta_kubernetes_endpoint_port_name").as_string(), "http-envoy-prom");
  const std::string target(groups[0].at("targets").at(0).as_string());
  EXPECT_EQ(StatusOf(target, "/stats/prometheus"), 200);
  EXPECT_EQ(StatusOf(target, "/metrics"), 200);

  PoolTemplate silent = Template();
  silent.export_cluster.clear();
  ASSERT_TRUE(fleet_->Configure({silent}).has_value());
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return fleet_->Targets().empty(); }));
}

TEST_F(ProcessFleetTest, AnInheritedPoolIsAdoptedAndStartsNothingTwice) {
  OpenAndConfigure(Template());
  StartAll(1, 3);
  ASSERT_TRUE(BecomesReady(3));
  const auto pids = fleet_->Pids(kPool);
  const int front = fleet_->FrontPid(kPool);
  const auto views = fleet_->Observe(kPool);
  ClosedLoopLoad load(Front(), 4);
  Drop();
  ::kill(pids.at("edge-2"), SIGKILL);  // nobody watches
  OpenAndConfigure(Template());
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return CountOf(Phase::kFailed) == 1; }));
  EXPECT_EQ(fleet_->FrontPid(kPool), front);
  EXPECT_EQ(fleet_->Pids(kPool).at("edge-1"), pids.at("edge-1"));
  EXPECT_EQ(fleet_->Pids(kPool).at("edge-3"), pids.at("edge-3"));
  EXPECT_EQ(fleet_->Observe(kPool)[0], views[0]);
  load.Stop();
  EXPECT_LE(load.failures(), 4);
  DrainAll(2, 2);
  EXPECT_TRUE(BecomesReady(2));
}

TEST_F(ProcessFleetTest, FinishesADrainThatAnEarlierFleetBegan) {
  OpenAndConfigure(Template());
  StartAll(1, 3);
  ASSERT_TRUE(BecomesReady(3));
  ClosedLoopLoad load(Front(), 8);
  DrainAll(2, 3);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return CountOf(Phase::kDraining) + Size() > 0; }));
  Drop();
  OpenAndConfigure(Template());
  DrainAll(2, 3);  // what the planner repeats
  EXPECT_TRUE(BecomesReady(1));
  load.Stop();
  EXPECT_EQ(load.failures(), 0);
}

// The daemon of the next test: this program, started again with this test only. It takes three
// steps up and one down, and lives until it is killed.
TEST_F(ProcessFleetTest, DISABLED_DaemonToKill) {
  const char* directory = std::getenv("TIDEGATE_TEST_STATE");
  const char* upstream = std::getenv("TIDEGATE_TEST_UPSTREAM");
  const char* first = std::getenv("TIDEGATE_TEST_FIRST");
  if (directory == nullptr || upstream == nullptr || first == nullptr) GTEST_SKIP();
  ProcessFleetOptions options = Options();
  options.state_dir = directory;
  PoolTemplate pool = Template();
  pool.routes[0].upstream = upstream;
  Open(options);
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  const int next = std::atoi(first);
  StartAll(next, next + 2);
  DrainAll(next - 2, next - 2);
  ASSERT_TRUE(WriteFileAtomic(std::string(directory) + "/began", first).has_value());
  WaitUntil(std::chrono::minutes(1), [] { return false; });
}

// A line each: which program it runs, and since when.
std::string Named(const ProcessTable& processes) {
  std::string text;
  for (const auto& [config, process] : processes) {
    text += config + " pid " + std::to_string(process.pid) + " since tick " +
            std::to_string(process.start_ticks) + "\n";
  }
  return text;
}

TEST_F(ProcessFleetTest, SurvivesAKillOfTheDaemonAtAnyInstant) {
  OpenAndConfigure(Template());
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  ::setenv("TIDEGATE_TEST_STATE", state_dir().c_str(), 1);
  ::setenv("TIDEGATE_TEST_UPSTREAM", upstream_.address().c_str(), 1);
  ClosedLoopLoad load(Front(), 4);
  int next = 3;
  for (const int millis : {1, 15, 40, 70, 110, 160, 230}) {
    Drop();
    ::setenv("TIDEGATE_TEST_FIRST", std::to_string(next).c_str(), 1);
    auto daemon =
        testing::ChildProcess::Start({"/proc/self/exe", "--gtest_filter=*DISABLED_DaemonToKill",
                                      "--gtest_also_run_disabled_tests"},
                                     {dir_.path() / "daemon.log", true, false});
    ASSERT_TRUE(daemon.has_value());
    const std::string began = state_dir() + "/began";
    ASSERT_TRUE(
        WaitUntil(kPatience, [&] { return testing::ReadFile(began) == std::to_string(next); }));
    WaitUntil(Duration(millis), [] { return false; });
    ASSERT_TRUE(daemon->Running());
    daemon->Signal(SIGKILL);
    daemon->Wait(kPatience);
    OpenAndConfigure(Template());
    // The steps that the planner would repeat.
    StartAll(next, next + 2);
    DrainAll(next - 2, next - 2);
    ASSERT_TRUE(BecomesReady(4)) << "killed after " << millis << " ms";
    DrainAll(next - 1, next);
    ASSERT_TRUE(BecomesReady(2));
    // Two and the front; what was told to go may need a moment more on a busy machine.
    EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).size() == 3; }))
        << Named(FindGatewayProcesses(state_dir())) << "killed after " << millis << " ms";
    next += 3;
  }
  load.Stop();
  EXPECT_GT(load.requests(), 100);
  EXPECT_EQ(load.failures(), 0);
}

TEST_F(ProcessFleetTest, ABrokenDrainOrderLosesRequests) {
  ProcessFleetOptions options = Options();
  options.fault = ProcessFault::kDrainOrder;
  Open(options);
  ASSERT_TRUE(fleet_->Configure({Template()}).has_value());
  StartAll(1, 4);
  ASSERT_TRUE(BecomesReady(4));
  ClosedLoopLoad load(Front(), 16);
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return load.requests() > 50; }));
  DrainAll(1, 3);
  ASSERT_TRUE(BecomesReady(1));
  load.Stop();
  EXPECT_GT(load.failures(), 0);
}

}  // namespace
}  // namespace tidegate::adapters
