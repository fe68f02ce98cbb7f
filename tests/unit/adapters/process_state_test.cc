#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "scheduler/adapters/process/access_log.h"
#include "scheduler/adapters/process/discovery.h"
#include "scheduler/adapters/process/gateway_process.h"
#include "scheduler/adapters/process/posix.h"
#include "scheduler/adapters/process/replica_store.h"
#include "scheduler/adapters/process/state_lock.h"
#include "tests/testing/child_process.h"

namespace tidegate::adapters {
namespace {

ReplicaRecord Record() {
  ReplicaRecord record;
  record.name = "edge-7";
  record.revision = "0a1b2c3d";
  record.process = {4711, 123456789};
  record.phase = signals::Phase::kDraining;
  record.since = FromUnixMillis(1'795'427'137'293);
  record.started = FromUnixMillis(1'795'427'000'000);
  record.ready_at = FromUnixMillis(1'795'427'001'000);
  record.drain_deadline = FromUnixMillis(1'795'427'167'293);
  record.drain_period = Duration(30'000);
  record.maxconn = 50;
  record.metrics_port = 20900;
  record.ports = {{"http", 20080}};
  record.access_log_project = "mesh-log-1";
  return record;
}

TEST(ReplicaRecordTest, ComesBackAsItWasWritten) {
  const auto read = ParseReplicaRecord(ToJson(Record()));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, Record());
  ReplicaRecord fresh = Record();
  fresh.ready_at.reset();
  fresh.drain_deadline.reset();
  EXPECT_EQ(ParseReplicaRecord(ToJson(fresh)).value(), fresh);
}

TEST(FrontRecordTest, ComesBackAsItWasWritten) {
  const FrontRecord record{{"ns", "edge"},   {12, 34},        {10, 30},
                           {{"http", 8080}}, Duration(9'000), "c1"};
  EXPECT_EQ(ParseFrontRecord(ToJson(record)).value(), record);
}

TEST(ReplicaRecordTest, SaysThatItIsDamaged) {
  const std::string whole = ToJson(Record());
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
    const auto read = ParseReplicaRecord(whole.substr(0, size));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  }
  EXPECT_FALSE(ParseReplicaRecord(R"({"version":2})").has_value());
  EXPECT_FALSE(ParseReplicaRecord(R"({"version":1,"name":3})").has_value());
}

TEST(StateFileTest, IsReplacedWholeAndPrivate) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "record.json").string();
  ASSERT_TRUE(WriteFileAtomic(path, "one").has_value());
  ASSERT_TRUE(WriteFileAtomic(path, "two").has_value());
  EXPECT_EQ(ReadFileBounded(path, 100).value(), "two");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(ReadFileBounded(path, 2).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(ReadFileBounded(path + "x", 2).error().code, ErrorCode::kNotFound);
}

TEST(StateFileTest, ALockKeepsOthersOutUntilItIsGone) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "lock").string();
  auto first = LockFile(path, Duration(0));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(LockFile(path, Duration(30)).error().code, ErrorCode::kConflict);
  first->reset();
  EXPECT_TRUE(LockFile(path, Duration(0)).has_value());
}

class StateLockTest : public ::testing::Test {
 protected:
  std::string directory() const { return dir_.path().string(); }
  std::filesystem::path file() const { return dir_.path() / "lock"; }
  StateLock Take() const {
    auto lock = StateLock::Take(directory(), Duration(0));
    EXPECT_TRUE(lock.has_value()) << lock.error().message;
    return *std::move(lock);
  }
  testing::TempDir dir_;
};

TEST_F(StateLockTest, KeepsOthersOutAndSaysWhoHasIt) {
  const StateLock first = Take();
  EXPECT_TRUE(first.Check().has_value());
  const auto second = StateLock::Take(directory(), Duration(0));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("(process " + std::to_string(::getpid()) + ")"),
            std::string::npos)
      << second.error().message;
  EXPECT_TRUE(first.Check().has_value());
}

TEST_F(StateLockTest, CountsItsHolders) {
  for (std::int64_t generation = 1; generation <= 12; ++generation) {
    EXPECT_EQ(Take().generation(), generation);
  }
  std::ofstream(file()) << "something else";
  EXPECT_EQ(Take().generation(), 1);
}

TEST_F(StateLockTest, IsLostWithItsFile) {
  const StateLock old = Take();
  std::filesystem::remove(file());
  EXPECT_EQ(old.Check().error().code, ErrorCode::kConflict);
  const StateLock next = Take();  // as its generation is 1 too, the file itself has to tell
  EXPECT_EQ(next.generation(), old.generation());
  EXPECT_EQ(old.Check().error().code, ErrorCode::kConflict);
  EXPECT_TRUE(next.Check().has_value());
}

// As on a file system that doesn't keep locks.
TEST_F(StateLockTest, IsLostToWhoTookItSince) {
  const StateLock old = Take();
  std::ofstream(file()) << "2 4711\n";
  const auto lost = old.Check();
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::kConflict);
  EXPECT_NE(lost.error().message.find("process 4711"), std::string::npos) << lost.error().message;
}

TEST(AccessLogTest, MovesCompleteLinesOnceAcrossRestarts) {
  const testing::TempDir dir;
  const std::string source = dir.Write("access.log", "one\ntwo\nthr").string();
  const std::string target = (dir.path() / "project.log").string();
  ASSERT_TRUE(AccessLog(source, target).Move().has_value());
  EXPECT_EQ(testing::ReadFile(target), "one\ntwo\n");
  // The writer goes on at its own offset, past what was given back.
  std::ofstream(source, std::ios::in | std::ios::out | std::ios::ate) << "ee\nfo";
  AccessLog next(source, target);
  ASSERT_TRUE(next.Move().has_value());
  ASSERT_TRUE(next.Move().has_value());
  EXPECT_EQ(testing::ReadFile(target), "one\ntwo\nthree\n");
  ASSERT_TRUE(next.Finish().has_value());
  EXPECT_EQ(testing::ReadFile(target), "one\ntwo\nthree\nfo\n");
}

TEST(AccessLogTest, NothingToMoveIsNoError) {
  const testing::TempDir dir;
  AccessLog log((dir.path() / "none").string(), (dir.path() / "project.log").string());
  EXPECT_TRUE(log.Move().has_value());
  EXPECT_TRUE(log.Finish().has_value());
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "project.log"));
}

TEST(ReservedPortTest, NoTwoAreTheSameWhileHeld) {
  const auto a = ReservePort("127.0.0.1");
  const auto b = ReservePort("127.0.0.1");
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_NE(a->port, b->port);
  EXPECT_FALSE(ReservePort("localhost").has_value());
}

TEST(StatLineTest, SurvivesANameWithBlanksAndParentheses) {
  const auto stat = ParseStatLine(
      "4711 (ha (x) y) S 1 4711 4711 0 -1 4194560 100 0 0 0 1 2 3 4 20 0 1 0 987654 1000 20");
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_ticks, 987654u);
  EXPECT_FALSE(ParseStatLine("4711 (x) S 1 2").has_value());
  EXPECT_FALSE(ParseStatLine("").has_value());
}

TEST(GatewayProcessTest, AdoptsOnlyTheProcessThatWasMeant) {
  const auto ticks = StartTicks(::getpid());
  ASSERT_TRUE(ticks.has_value());
  EXPECT_TRUE(GatewayProcess::Adopt({::getpid(), *ticks}).has_value());
  EXPECT_EQ(GatewayProcess::Adopt({::getpid(), *ticks + 1}).error().code, ErrorCode::kNotFound);
}

// What stands in a replica's folder and runs its program once a file `go` is there, as a process
// does whose daemon was killed while it started it.
class StartedProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(dir_.path() / "edge-1");
    auto child = testing::ChildProcess::Start(
        {"/bin/sh", "-c",
         "cd '" + (dir_.path() / "edge-1").string() + "' && until [ -e go ]; do :; done; " +
             "exec tail -f '" + config_ + "'"},
        {});
    ASSERT_TRUE(child.has_value());
    child_.emplace(std::move(*child));
    const auto cwd = "/proc/" + std::to_string(child_->pid()) + "/cwd";
    ASSERT_TRUE(testing::WaitUntil(Duration(10'000), [&] {
      return std::filesystem::read_symlink(cwd).filename() == "edge-1";
    }));
  }

  testing::TempDir dir_;
  std::string config_ = dir_.Write("haproxy.cfg", "").string();
  std::optional<testing::ChildProcess> child_;
};

TEST_F(StartedProcessTest, IsWaitedFor) {
  EXPECT_TRUE(FindGatewayProcesses(dir_.path().string()).empty());
  std::jthread release([&] { dir_.Write("edge-1/go", ""); });
  const auto found = FindAllGatewayProcesses(dir_.path().string(), Duration(10'000));
  ASSERT_EQ(found.count(config_), 1u);
  EXPECT_EQ(found.begin()->second.pid, child_->pid());
}

TEST_F(StartedProcessTest, IsNotWaitedForForEver) {
  EXPECT_TRUE(FindAllGatewayProcesses(dir_.path().string(), Duration(20)).empty());
}

TEST(DiscoveryTest, LabelsMakeTheDocumentedScrapeConfigurationKeepTheTarget) {
  const ScrapeTarget target{{"istio-system", "edge"},
                            "edge-1",
                            "127.0.0.1:20900",
                            "c1",
                            {{"app.kubernetes.io/name", "shop"}}};
  const auto labels = TargetLabels(target);
  EXPECT_EQ(labels.at("namespace"), "istio-system");
  EXPECT_EQ(labels.at("gateway"), "edge");
  EXPECT_EQ(labels.at("replica"), "edge-1");
  EXPECT_EQ(labels.at("app_kubernetes_io_name"), "shop");
  EXPECT_EQ(labels.at("__meta_kubernetes_service_label_asm_sync_target"), "c1");
  EXPECT_EQ(labels.at("__meta_kubernetes_endpoint_port_name"), "http-envoy-prom");
  EXPECT_EQ(labels.at("__meta_kubernetes_namespace"), "istio-system");
  const auto json = boost::json::parse(TargetsToJson({target}));
  EXPECT_EQ(json.at(0).at("targets").at(0).as_string(), "127.0.0.1:20900");
  EXPECT_EQ(json.at(0).at("labels").as_object().size(), labels.size());
  EXPECT_EQ(TargetsToJson({}), "[]");
}

}  // namespace
}  // namespace tidegate::adapters
