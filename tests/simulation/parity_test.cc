// The daemon and the simulator are two hosts of one control loop. These tests hold them to that: a
// recorded run decides the same, letter for letter, in the daemon's wiring.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/config/compile.h"
#include "scheduler/loop/control_loop.h"
#include "sim/runner/simulate.h"
#include "tests/testing/child_process.h"
#include "tests/testing/fake_ports.h"
#include "traces/format/trace_file.h"

namespace tidegate {
namespace {

const char kScenario[] = TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml";

struct Recorded {
  sim::RunResult run;
  std::vector<signals::Snapshot> snapshots;
  std::vector<std::string> texts;  // of each decision of each tick
};

// The scenario as `tidesim run` runs it; fails the test where it can't be loaded.
Recorded Simulated(double scale = 1) {
  Recorded recorded;
  const sim::LoadedScenario loaded = sim::LoadScenario(kScenario);
  EXPECT_EQ(loaded.problems.text(), "");
  const config::Compiled manifests = config::LoadAndCompile(loaded.scenario.manifests, {});
  EXPECT_EQ(manifests.problems.text(), "");
  const auto trace = traces::ReadTrace(loaded.scenario.trace);
  if (!trace) {
    ADD_FAILURE() << trace.error().message;
    return recorded;
  }
  sim::Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) {
    recorded.snapshots.push_back(snapshot);
  };
  recorder.decision = [&](const decision::Decision& decision) {
    recorded.texts.push_back(decision::ToText(decision));
  };
  auto run =
      sim::Simulate(loaded.scenario, manifests.config, traces::Scaled(*trace, scale), recorder);
  if (!run) {
    ADD_FAILURE() << run.error().message;
    return recorded;
  }
  recorded.run = *std::move(run);
  return recorded;
}

// The parts that the daemon puts around its control loop, the world's ends replaced by a recording.
class DaemonWiring {
 public:
  DaemonWiring(std::string journal, std::vector<signals::Snapshot> snapshots)
      : clock_(snapshots.front().at), snapshots_(snapshots), source_(std::move(snapshots)) {
    auto opened = adapters::SqliteJournal::Open({.path = std::move(journal)});
    EXPECT_TRUE(opened) << opened.error().message;
    journal_ = *std::move(opened);
    loop::Options options;
    options.record_every = Duration(0);  // as the daemon does for few pools: every tick is kept
    loop_ = std::make_unique<loop::ControlLoop>(clock_, source_, actuator_, *journal_, options);
    std::vector<std::string> unreadable;
    auto state = journal_->Restore(&unreadable);
    EXPECT_TRUE(state && unreadable.empty());
    loop_->Restore(*std::move(state));
    const config::Compiled manifests =
        config::LoadAndCompile({TIDEGATE_SOURCE_DIR "/sim/scenarios/edge"}, {});
    EXPECT_EQ(manifests.problems.text(), "");
    loop_->Configure(manifests.config.pools);
  }

  // All the snapshots, each at its own time, and a clean stop.
  void Run() {
    for (const signals::Snapshot& snapshot : snapshots_) {
      clock_.Set(snapshot.at);
      loop_->Step();
      EXPECT_EQ(loop_->last()->observe_error, "");
      EXPECT_EQ(loop_->last()->journal_error, "");
    }
    EXPECT_TRUE(loop_->Checkpoint());
  }
  const decision::DecisionState& state() const { return loop_->state(); }
  int steps() const { return static_cast<int>(actuator_.steps().size()); }

 private:
  testing::FakeClock clock_;
  std::vector<signals::Snapshot> snapshots_;
  testing::ReplayingSource source_;
  testing::RecordingActuator actuator_;
  std::unique_ptr<adapters::SqliteJournal> journal_;
  std::unique_ptr<loop::ControlLoop> loop_;
};

// What `tidegate explain` reads.
std::vector<std::string> Explained(const std::string& journal) {
  std::vector<std::string> texts;
  const auto reader = adapters::JournalReader::Open(journal);
  EXPECT_TRUE(reader);
  const auto decisions = (*reader)->Last({"istio-system", "edge"}, 10'000, std::nullopt);
  EXPECT_TRUE(decisions);
  for (const decision::Decision& decision : *decisions) {
    texts.push_back(decision::ToText(decision));
  }
  return texts;
}

void ExpectSameLines(const std::vector<std::string>& got, const std::vector<std::string>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(got[i], want[i]) << "decision " << i;
}

TEST(ParityTest, DaemonWiringDecidesRecordedSnapshotsAsTheSimulatorDid) {
  const Recorded recorded = Simulated();
  ASSERT_GT(recorded.snapshots.size(), 100U);
  ASSERT_GT(recorded.run.summary.pools.at(0).starts, 2);  // there is something to agree on
  const testing::TempDir dir;
  const std::string path = dir.path() / "journal.db";
  DaemonWiring daemon(path, recorded.snapshots);
  daemon.Run();
  ExpectSameLines(Explained(path), recorded.texts);
  EXPECT_EQ(fmt::format("{:016x}", decision::Digest(daemon.state())), recorded.run.summary.digest);
  const sim::PoolResult& pool = recorded.run.summary.pools.at(0);
  EXPECT_EQ(daemon.steps(), pool.starts + pool.drains);
}

TEST(ParityTest, DaemonRestartedInTheMiddleDecidesOnAsTheSimulatorDid) {
  const Recorded recorded = Simulated();
  ASSERT_GT(recorded.snapshots.size(), 100U);
  const testing::TempDir dir;
  const std::string path = dir.path() / "journal.db";
  // In the middle of the crowd's growth, with windows and steps in flight.
  const auto middle = recorded.snapshots.begin() + 40;
  DaemonWiring(path, {recorded.snapshots.begin(), middle}).Run();
  DaemonWiring(path, {middle, recorded.snapshots.end()}).Run();
  ExpectSameLines(Explained(path), recorded.texts);
}

TEST(ParityTest, SimulatorKeepsADecisionOfEachTickThatSaysSomethingNew) {
  const Recorded recorded = Simulated();
  ASSERT_FALSE(recorded.run.decisions.empty());
  std::vector<std::string> kept;
  for (const decision::Decision& decision : recorded.run.decisions) {
    kept.push_back(decision::ToText(decision));
  }
  // The kept ones are a part of all, in the same order, and every step is among them.
  auto at = recorded.texts.begin();
  for (const std::string& text : kept) {
    at = std::find(at, recorded.texts.end(), text);
    ASSERT_NE(at, recorded.texts.end()) << text;
  }
  std::size_t steps = 0;
  for (const decision::Decision& decision : recorded.run.decisions) {
    steps += decision.plan.steps.size();
  }
  const sim::PoolResult& pool = recorded.run.summary.pools.at(0);
  EXPECT_EQ(steps, static_cast<std::size_t>(pool.starts + pool.drains));
}

TEST(SimulateTest, SameScenarioTwiceGivesTheSameDigestAndReport) {
  const Recorded first = Simulated();
  const Recorded second = Simulated();
  ASSERT_NE(first.run.summary.digest, "");
  EXPECT_EQ(first.run.summary.digest, second.run.summary.digest);
  EXPECT_EQ(sim::ToJson(first.run.summary), sim::ToJson(second.run.summary));
  EXPECT_EQ(first.texts, second.texts);
}

TEST(SimulateTest, OtherLoadGivesAnotherDigest) {
  EXPECT_NE(Simulated(1).run.summary.digest, Simulated(1.5).run.summary.digest);
}

TEST(SimulateTest, RefusesManifestsWithoutAPool) {
  const auto run = sim::Simulate({}, {}, {.requests = {1, 2}});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kInvalid);
}

TEST(SimulateTest, RefusesATraceWithoutBins) {
  config::CompiledConfig manifests;
  manifests.pools.emplace_back();
  manifests.manifests.emplace_back();
  const auto run = sim::Simulate({}, manifests, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace tidegate
