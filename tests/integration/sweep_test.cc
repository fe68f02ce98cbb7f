// The program itself: killed at any moment, stopped by Ctrl-C, and started as batch systems do.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/testing/child_process.h"
#include "tests/testing/sweep_files.h"

namespace tidegate {
namespace {

using std::chrono::seconds;
using testing::ChildProcess;
using ::testing::HasSubstr;
using testing::ReadFile;
using testing::WholeLines;

constexpr int kCells = 24;
const std::string kTidesim = TIDEGATE_BINARY_DIR "/sim/tidesim";

class SweepProcessTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }

  std::vector<std::string> Command(const std::string& results) const {
    return {kTidesim,  "sweep", sweep_,      "--results", Path(results),
            "--shard", "0/1",   "--threads", "2"};
  }
  // What the whole sweep's file holds when nobody disturbs it.
  std::string Undisturbed() const {
    const auto run = testing::RunProgram(Command("whole"), seconds(120));
    EXPECT_TRUE(run);
    EXPECT_EQ(run->status, 0) << run->output;
    return ReadFile(Path("whole"));
  }
  // Starts the sweep and sends it a signal once it has added `more` cells. False where it had ended
  // before that.
  bool Disturb(int signal, int more, std::optional<int>* status) const {
    auto process = ChildProcess::Start(Command("disturbed"), {.output = Path("log")});
    EXPECT_TRUE(process);
    const int before = std::max(1, WholeLines(Path("disturbed")));
    const bool added = testing::WaitUntil(seconds(60), [&] {
      return WholeLines(Path("disturbed")) >= before + more || !process->Running();
    });
    EXPECT_TRUE(added);
    const bool running = process->Running();
    process->Signal(signal);
    *status = process->Wait(seconds(60));
    return running;
  }

  const testing::TempDir dir_;
  const std::string sweep_ = testing::WriteSweep(dir_, 1, kCells);
};

TEST_F(SweepProcessTest, EndsAtTheSameBytesHoweverOftenItIsKilled) {
  const std::string whole = Undisturbed();
  for (int i = 0; i < 4; ++i) {
    std::optional<int> status;
    ASSERT_TRUE(Disturb(SIGKILL, 2, &status));
    EXPECT_EQ(status, 128 + SIGKILL);
  }
  const int kept = WholeLines(Path("disturbed")) - 1;
  EXPECT_GE(kept, 8);
  EXPECT_LT(kept, kCells);
  const auto last = testing::RunProgram(Command("disturbed"), seconds(120));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, 0) << last->output;
  EXPECT_THAT(last->output, HasSubstr(fmt::format("holds {} of {} cells already", kept, kCells)));
  EXPECT_EQ(ReadFile(Path("disturbed")), whole);
}

TEST_F(SweepProcessTest, CtrlCLeavesAFileToGoOnFrom) {
  const std::string whole = Undisturbed();
  std::optional<int> status;
  ASSERT_TRUE(Disturb(SIGINT, 2, &status));
  EXPECT_EQ(status, 1);
  EXPECT_THAT(ReadFile(Path("log")), HasSubstr("the same command goes on"));
  EXPECT_LT(WholeLines(Path("disturbed")), kCells);
  EXPECT_TRUE(ReadFile(Path("disturbed")).ends_with('\n'));
  const auto last = testing::RunProgram(Command("disturbed"), seconds(120));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, 0) << last->output;
  EXPECT_EQ(ReadFile(Path("disturbed")), whole);
}

TEST_F(SweepProcessTest, ShardsOfBatchSystemsMergeToTheSameBytes) {
  const std::string whole = Undisturbed();
  std::vector<std::string> merge = {kTidesim, "merge", "--results", Path("merged")};
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> command = {"env"};
    if (i < 2) {
      for (const char* set : {"COUNT=3", "MIN=4", "MAX=6", "STEP=1"})
        command.push_back(std::string("SLURM_ARRAY_TASK_") + set);
      command.push_back(fmt::format("SLURM_ARRAY_TASK_ID={}", 4 + i));
    } else {
      command.insert(command.end(), {"-u", "SLURM_ARRAY_TASK_ID", "TIDESIM_SHARDS=3",
                                     fmt::format("JOB_COMPLETION_INDEX={}", i)});
    }
    merge.push_back(Path(fmt::format("part-{}", i)));
    command.insert(command.end(), {kTidesim, "sweep", sweep_, "--results", merge.back()});
    const auto run = testing::RunProgram(command, seconds(120));
    ASSERT_TRUE(run);
    ASSERT_EQ(run->status, 0) << run->output;
  }
  const auto merged = testing::RunProgram(merge, seconds(60));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->status, 0) << merged->output;
  EXPECT_EQ(ReadFile(Path("merged")), whole);
}

}  // namespace
}  // namespace tidegate
