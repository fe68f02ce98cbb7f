// The shipped script on a real Slurm. Opt-in, since it needs four packages that nothing else does:
//   apt-get install --no-install-recommends munge slurmctld slurmd slurm-client
//   TIDEGATE_SLURM=1 integration_test --gtest_filter='SlurmSweep*'

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testing/child_process.h"
#include "tests/testing/slurm_cluster.h"
#include "tests/testing/sweep_files.h"

namespace tidegate {
namespace {

using std::chrono::seconds;

constexpr int kCells = 24;
constexpr int kShards = 3;
const std::string kTidesim = TIDEGATE_BINARY_DIR "/sim/tidesim";

class SlurmSweepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("TIDEGATE_SLURM") == nullptr) GTEST_SKIP() << "set TIDEGATE_SLURM=1";
    auto cluster = testing::SlurmCluster::Start();
    ASSERT_TRUE(cluster) << cluster.error().message;
    cluster_ = *std::move(cluster);
    sweep_ = testing::WriteSweep(dir_, 1, kCells);
  }

  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }

  testing::ProgramResult Submit(const std::vector<std::string>& options) const {
    std::vector<std::string> command = {
        "sbatch", "--parsable", fmt::format("--array=1-{}", kShards), "--output=" + Path("log-%a"),
        "--export=ALL,TIDESIM=" + kTidesim};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(),
                   {TIDEGATE_SOURCE_DIR "/sim/cluster/job_array.sh", sweep_, Path("results")});
    auto ran = cluster_->Run(command, seconds(240));
    EXPECT_TRUE(ran);
    return ran ? *ran : testing::ProgramResult{};
  }
  std::string Results(int task) const { return Path(fmt::format("results/{}.results", task)); }
  int LinesOfAll() const {
    int lines = 0;
    for (int task = 1; task <= kShards; ++task) lines += testing::WholeLines(Results(task));
    return lines;
  }

  const testing::TempDir dir_;
  std::unique_ptr<testing::SlurmCluster> cluster_;
  std::string sweep_;
};

TEST_F(SlurmSweepTest, AnArrayThatIsCancelledGoesOnAndMergesToTheSameBytes) {
  const auto whole = testing::RunProgram(
      {kTidesim, "sweep", sweep_, "--results", Path("whole"), "--shard", "0/1"}, seconds(240));
  ASSERT_TRUE(whole);
  ASSERT_EQ(whole->status, 0) << whole->output;

  const auto first = Submit({});
  ASSERT_EQ(first.status, 0) << first.output;
  const std::string job = first.output.substr(0, first.output.find('\n'));
  ASSERT_TRUE(testing::WaitUntil(seconds(60), [&] { return LinesOfAll() >= 4; }));
  ASSERT_TRUE(cluster_->Run({"scancel", "--signal=KILL", job}, seconds(20)));
  ASSERT_TRUE(cluster_->Run({"scancel", job}, seconds(20)));
  ASSERT_TRUE(testing::WaitUntil(seconds(60), [&] {
    const auto jobs = cluster_->Run({"squeue", "-h"}, seconds(20));
    return jobs && jobs->status == 0 && jobs->output.empty();
  }));
  EXPECT_LT(LinesOfAll(), kCells);

  const auto second = Submit({"--wait"});
  EXPECT_EQ(second.status, 0) << second.output;
  std::vector<std::string> merge = {kTidesim,       "merge",    "--results",
                                    Path("merged"), "--output", "json"};
  for (int task = 1; task <= kShards; ++task) {
    merge.push_back(Results(task));
    EXPECT_NE(testing::ReadFile(Path(fmt::format("log-{}", task)))
                  .find(fmt::format("shard {}/{} of sweep", task - 1, kShards)),
              std::string::npos);
  }
  const auto merged = testing::RunProgram(merge, seconds(60));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->status, 0) << merged->output;
  EXPECT_EQ(testing::ReadFile(Path("merged")), testing::ReadFile(Path("whole")));
}

}  // namespace
}  // namespace tidegate
