#include "scheduler/adapters/process/process_fleet.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/posix.h"
#include "scheduler/adapters/system_clock.h"
#include "tests/testing/child_process.h"
#include "tests/testing/gateway_pool.h"

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

constexpr Duration kPatience = std::chrono::seconds(30);
const PoolId kPool{"istio-system", "edge"};

// Requests that a replica counts for its traffic; -1 if it doesn't say.
long RequestsOf(const std::string& metrics_address) {
  const std::string text = BodyOf(metrics_address, "/metrics");
  const std::string name = "\nhaproxy_frontend_http_requests_total{proxy=\"traffic_http\"} ";
  const std::size_t at = text.find(name);
  return at == std::string::npos ? -1 : std::atol(text.c_str() + at + name.size());
}

class ProcessFleetTest : public ::testing::Test {
 protected:
  ~ProcessFleetTest() override {
    if (fleet_) fleet_->Stop(true);
    fleet_.reset();
    EXPECT_TRUE(FindGatewayProcesses(state_dir()).empty());
  }

  std::string state_dir() const { return (dir_.path() / "state").string(); }

  ProcessFleetOptions Options() {
    ProcessFleetOptions options;
    options.state_dir = state_dir();
    options.health_interval = Duration(200);
    options.on_change = [this] { ++changes_; };
    options.on_warning = [](const std::string& text) { GTEST_LOG_(INFO) << text; };
    return options;
  }

  PoolTemplate Template() const {
    PoolTemplate pool;
    pool.id = kPool;
    pool.revision = "r1";
    pool.ports = {{"http", 80, 80, "TCP"}};
    pool.routes = {{"/", "", upstream_.address()}};
    pool.drain_deadline = Duration(5'000);
    pool.export_cluster = "c1";
    return pool;
  }

  void Open(const ProcessFleetOptions& options) {
    auto fleet = ProcessFleet::Open(options);
    ASSERT_TRUE(fleet.has_value()) << fleet.error().message;
    fleet_ = std::move(*fleet);
  }

  void OpenAndConfigure(const PoolTemplate& pool) {
    Open(Options());
    const auto configured = fleet_->Configure({pool});
    ASSERT_TRUE(configured.has_value()) << configured.error().message;
  }

  Expected<void> Take(StepKind kind, const std::string& replica, const Revision& revision = "r1") {
    return fleet_->Request(clock_.Now(), kPool, {kind, replica, revision, StepReason::kGrow});
  }

  static std::string NameOf(int i) { return "edge-" + std::to_string(i); }

  void StartAll(int from, int to) {
    for (int i = from; i <= to; ++i) ASSERT_TRUE(Take(StepKind::kStart, NameOf(i)).has_value());
  }
  void DrainAll(int from, int to) {
    for (int i = from; i <= to; ++i) ASSERT_TRUE(Take(StepKind::kDrain, NameOf(i)).has_value());
  }

  int CountOf(Phase phase) const {
    int count = 0;
    for (const auto& replica : fleet_->Observe(kPool)) count += replica.phase == phase ? 1 : 0;
    return count;
  }
  int Size() const { return static_cast<int>(fleet_->Observe(kPool).size()); }

  ::testing::AssertionResult BecomesReady(int count) const {
    if (WaitUntil(kPatience, [&] { return CountOf(Phase::kReady) == count && Size() == count; })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << CountOf(Phase::kReady) << " ready of " << Size() << ", expected " << count;
  }

  std::string Front() const { return fleet_->FrontAddress(kPool, "http").value(); }

  // As a crash of the daemon does: nothing is told to the processes.
  void Drop() { fleet_.reset(); }

  TempDir dir_;
  SlowUpstream upstream_{Duration(20)};
  SystemClock clock_;
  std::atomic<int> changes_{0};
  std::unique_ptr<ProcessFleet> fleet_;
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

TEST_F(ProcessFleetTest, AnotherListOfPortsReplacesTheFrontAndKeepsItsPort) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const std::string http = Front();
  pool.revision = "r2";
  pool.ports.push_back({"https", 443, 443, "TCP"});
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  ASSERT_TRUE(Take(StepKind::kStart, "edge-2", "r2").has_value());
  ASSERT_TRUE(BecomesReady(2));
  EXPECT_EQ(Front(), http);
  const std::string https = fleet_->FrontAddress(kPool, "https").value();
  EXPECT_EQ(StatusOf(https, "/"), 200);
  EXPECT_EQ(StatusOf(http, "/"), 200);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).size() == 3; }));
}

// One port stays, one comes, one goes; the load on the one that stays notices nothing, and every
// front but the last one goes by itself.
TEST_F(ProcessFleetTest, ChangesItsPortsUnderLoadWithoutAFailedRequest) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 2);
  ASSERT_TRUE(BecomesReady(2));
  const std::string http = Front();
  ClosedLoopLoad load(http, 8);
  std::set<int> fronts{fleet_->FrontPid(kPool)};
  std::atomic<int> refused{0};
  std::atomic<bool> stop{false};
  // A new connection for each request: these are the ones that a listener could lose.
  std::thread newcomers([&] {
    while (!stop) refused += StatusOf(http, "/") == 200 ? 0 : 1;
  });
  for (int round = 0; round < 6; ++round) {
    pool.ports.resize(1);
    if (round % 2 == 0) pool.ports.push_back({"https", 443, 443, "TCP"});
    ASSERT_TRUE(fleet_->Configure({pool}).has_value());
    EXPECT_TRUE(WaitUntil(kPatience,
                          [&] {
                            const int pid = fleet_->FrontPid(kPool);
                            return pid != 0 && fronts.count(pid) == 0 &&
                                   FindGatewayProcesses(state_dir()).size() == 3 &&
                                   CountOf(Phase::kReady) == 2;
                          }))
        << "round " << round << ": " << FindGatewayProcesses(state_dir()).size() << " processes";
    fronts.insert(fleet_->FrontPid(kPool));
  }
  EXPECT_EQ(fronts.size(), 7u);
  stop = true;
  newcomers.join();
  load.Stop();
  EXPECT_GT(load.requests(), 100);
  EXPECT_EQ(load.failures(), 0);
  EXPECT_EQ(refused.load(), 0);
  EXPECT_EQ(Front(), http);
}

TEST_F(ProcessFleetTest, FinishesTheRequestsOfAPortThatGoes) {
  PoolTemplate pool = Template();
  const SlowUpstream slow(Duration(700));
  pool.routes = {{"/", "", slow.address()}};
  pool.ports.push_back({"https", 443, 443, "TCP"});
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  const std::string https = fleet_->FrontAddress(kPool, "https").value();
  int status = 0;
  std::thread last([&] { status = StatusOf(https, "/"); });
  // The replica has it.
  ASSERT_TRUE(WaitUntil(kPatience, [&] { return slow.requests() == 1; }));
  pool.ports.resize(1);
  ASSERT_TRUE(fleet_->Configure({pool}).has_value());
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return StatusOf(https, "/") == 0; }));
  last.join();
  EXPECT_EQ(status, 200);
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return FindGatewayProcesses(state_dir()).size() == 2; }));
}

// The daemon dies at an instant of the change; the next one ends with the wanted ports and one
// front, and the load notices neither.
TEST_F(ProcessFleetTest, GoesOnWithAChangeOfPortsAfterACrash) {
  PoolTemplate pool = Template();
  OpenAndConfigure(pool);
  StartAll(1, 1);
  ASSERT_TRUE(BecomesReady(1));
  ClosedLoopLoad load(Front(), 4);
  for (int round = 0; round < 8; ++round) {
    pool.ports.resize(1);
    if (round % 2 == 0) pool.ports.push_back({"https", 443, 443, "TCP"});
    ASSERT_TRUE(fleet_->Configure({pool}).has_value());
    WaitUntil(Duration(round * 6), [] { return false; });
    Drop();
    ASSERT_NO_FATAL_FAILURE(OpenAndConfigure(pool));
    EXPECT_TRUE(WaitUntil(kPatience,
                          [&] {
                            return fleet_->FrontAddresses(kPool).size() == pool.ports.size() &&
                                   FindGatewayProcesses(state_dir()).size() == 2 &&
                                   fleet_->FrontPid(kPool) != 0 && CountOf(Phase::kReady) == 1;
                          }))
        << "round " << round << ": " << FindGatewayProcesses(state_dir()).size() << " processes";
    const auto addresses = fleet_->FrontAddresses(kPool);
    if (round % 2 == 0) {
      // Its backend is empty until a replica of the new list is there.
      EXPECT_TRUE(
          WaitUntil(kPatience, [&] { return StatusOf(addresses.at("https"), "/") == 503; }));
    }
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0);
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
    EXPECT_EQ(FindGatewayProcesses(state_dir()).size(), 3u);
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
