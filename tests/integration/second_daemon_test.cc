// Two daemons and one state directory, as real processes: who comes second stays out, and who stood
// still while another one took its place touches nothing when it goes on.

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/demo/parts.h"
#include "tests/testing/child_process.h"
#include "tests/testing/front_watcher.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr Duration kPatience{60'000};

class SecondDaemonTest : public ::testing::Test {
 protected:
  // No Prometheus: the pool holds its declared two replicas.
  void SetUp() override {
    const fs::path build = TIDEGATE_BINARY_DIR;
    const Programs programs{build / "scheduler/tidegate", build / "traces/tidetrace",
                            build / "sim/tidesim"};
    tidegate_ = programs.tidegate.string();
    auto stage = Stage::Build(dir_.path(), programs, "unused.csv");
    ASSERT_TRUE(stage) << stage.error().message;
    stage_ = *std::move(stage);
    const auto started = stage_->StartDaemon({});
    ASSERT_TRUE(started) << started.error().message << "\n" << Log();
    ASSERT_TRUE(stage_->WaitSettled(2, kPatience)) << Log();
  }

  std::string Log() const { return testing::ReadFile(dir_.path() / "tidegate.log"); }
  std::set<int> Processes() const {
    const auto pids = testing::ProcessesBelow(stage_->pool_dir());
    return {pids.begin(), pids.end()};
  }

  testing::TempDir dir_;
  std::unique_ptr<Stage> stage_;
  std::string tidegate_;
};

TEST_F(SecondDaemonTest, IsToldWhoKeepsThePools) {
  const std::set<int> before = Processes();
  const auto second = testing::RunProgram(
      {tidegate_, "run", "--config", (dir_.path() / "tidegate.yaml").string()}, kPatience);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->status, 1);
  EXPECT_THAT(
      second->output,
      HasSubstr("tidegate run: another daemon (process " + std::to_string(stage_->daemon().pid()) +
                ") keeps the pools of " + (dir_.path() / "state").string()));
  EXPECT_TRUE(stage_->daemon().Running());
  EXPECT_EQ(Processes(), before);
}

TEST_F(SecondDaemonTest, OneThatStoodStillLetsGoOfEverything) {
  const std::set<int> before = Processes();
  testing::ChildProcess old = std::move(stage_->daemon());
  old.Signal(SIGSTOP);
  // The one way to get past its lock.
  fs::remove(dir_.path() / "state" / "lock");
  // It stands on its port as well.
  const std::string config = testing::ReadFile(dir_.path() / "tidegate.yaml");
  const std::string port = std::to_string(stage_->ports().daemon);
  const auto at = config.find(":" + port);
  ASSERT_NE(at, std::string::npos) << config;
  const int other = testing::FreePort();
  dir_.Write("tidegate.yaml",
             std::string(config).replace(at + 1, port.size(), std::to_string(other)));
  auto next = testing::ChildProcess::Start(
      {tidegate_, "run", "--config", (dir_.path() / "tidegate.yaml").string()},
      {.output = dir_.path() / "next.log"});
  ASSERT_TRUE(next);
  const std::string url = "http://127.0.0.1:" + std::to_string(other);
  const auto log = [&] { return testing::ReadFile(dir_.path() / "next.log"); };
  ASSERT_TRUE(testing::WaitUntil(kPatience, [&] { return !stage_->Get(url, "/readyz").empty(); }))
      << log();
  old.Signal(SIGCONT);
  EXPECT_EQ(old.Wait(kPatience), 1) << Log();
  EXPECT_THAT(Log(), HasSubstr("is not the file that this daemon locked"));
  EXPECT_THAT(Log(), HasSubstr("stopped without touching them"));
  // The pool is as it was, and the new daemon keeps it.
  EXPECT_EQ(Processes(), before);
  EXPECT_THAT(log(), HasSubstr("state restored pools=1"));
  EXPECT_TRUE(next->Running());
}

}  // namespace
}  // namespace tidegate::demo
