// The oracle against real policies on real loads: nothing that the control loop does costs less.
// Always over the traces of this repository; TIDEGATE_TRACES=FOLDER adds every CSV in that folder,
// prints a table, and takes about three minutes for a thousand days.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/report/oracle.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"
#include "tests/testing/manifests.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;

constexpr int kPeak = 20;  // replicas that the highest rate of each trace keeps busy
constexpr double kCapacity = 100;

struct Policy {
  std::string name;
  std::string manifests;
};

std::string Scaled(int target, const std::string& behavior) {
  return testing::GatewayManifest("  replicaCount: 10\n") + "---\n" +
         fmt::format(
             "apiVersion: tidegate.dev/v1alpha1\n"
             "kind: GatewayScaler\n"
             "metadata: {{name: edge, namespace: istio-system}}\n"
             "spec:\n"
             "  scaleTargetRef: {{kind: IstioGateway, name: edge}}\n"
             "  minReplicas: 2\n"
             "  maxReplicas: 60\n"
             "  signals: [{{name: requests, preset: haproxy, metric: requests,\n"
             "             target: {{perReplica: {}}}}}]\n{}",
             target, behavior);
}

std::vector<Policy> Policies() {
  const std::string quick = "  behavior: {scaleDown: {stabilizationWindowSeconds: 60}}\n";
  return {{"static peak", testing::GatewayManifest(fmt::format("  replicaCount: {}\n", kPeak))},
          {"target 50 %", Scaled(50, quick)},
          {"target 80 %", Scaled(80, quick)},
          {"HPA default", Scaled(65, "")}};
}

Scenario World() {
  Scenario scenario;
  scenario.name = "trace";
  scenario.tick = scenario.scrape_interval = seconds(15);
  scenario.service.workers = 5;
  scenario.service.service_seconds = 0.05;
  scenario.service.startup = scenario.service.drain = seconds(30);
  scenario.objective = {.bad_fraction = 0.001, .wait = seconds(1)};
  return scenario;
}

// The peak is worth kPeak replicas.
traces::Trace LoadFrom(const std::string& file) {
  auto trace = traces::ReadTrace(file);
  EXPECT_TRUE(trace) << trace.error().message;
  if (!trace) return {};
  const double factor = kPeak * kCapacity / traces::PeakRate(*trace);
  return traces::Scaled(*std::move(trace), factor);
}

// The fewest replica-seconds without any wait: a real schedule costs no more, so the truth lies
// between the oracle and this.
double Attainable(const traces::Trace& load, const Scenario& scenario, const RunSummary& run) {
  OracleInput input;
  input.capacity = kCapacity;
  input.startup = scenario.service.startup;
  input.drain = scenario.service.drain;
  input.initial = 10;
  input.least = 2;
  input.most = 120;
  input.end = run.length;
  input.counted_from = run.counted_from;
  input.bad_fraction = scenario.objective.bad_fraction;
  return LeastReplicaSeconds(load, input).replica_seconds;
}

class OracleTracesTest : public ::testing::Test {
 protected:
  // Runs a policy; fails where the oracle costs more than it. Gives its line of the table.
  static std::string Judge(const Policy& policy, const traces::Trace& load) {
    Scenario scenario = World();
    const config::CompiledConfig manifests = testing::CompiledText(policy.manifests);
    auto run = Simulate(scenario, manifests, load);
    EXPECT_TRUE(run) << run.error().message;
    if (!run) return "";
    AddYardsticks(run->summary, scenario, manifests, load);
    const PoolResult& pool = run->summary.pools.at(0);
    const Yardstick yardstick = *pool.yardstick;
    const double cost = pool.replica_seconds;
    const double most = cost * (1 + 1e-9);
    if (policy.name == "static peak") {
      EXPECT_TRUE(yardstick.kept()) << yardstick.bad_fraction;
    }
    EXPECT_TRUE(yardstick.oracle.reachable);
    if (yardstick.kept()) {
      EXPECT_LE(yardstick.oracle.replica_seconds, most);
    }
    EXPECT_LE(yardstick.same_loss.replica_seconds, most);
    // The dearest oracle that this run has to obey: no more bad requests than it had itself.
    scenario.objective.bad_fraction = yardstick.bad_fraction;
    AddYardsticks(run->summary, scenario, manifests, load);
    const OracleBound own = run->summary.pools.at(0).yardstick->oracle;
    EXPECT_TRUE(own.reachable);
    EXPECT_LE(own.replica_seconds, most);
    return fmt::format("  {:<12} {:9.4f} % bad {}  {:6.2f} x oracle  {:6.2f} x at equal loss\n",
                       policy.name, yardstick.bad_fraction * 100,
                       yardstick.kept() ? "kept  " : "missed",
                       cost / yardstick.oracle.replica_seconds, cost / own.replica_seconds);
  }

  static void JudgeAll(const std::string& file, bool print) {
    SCOPED_TRACE(file);
    const traces::Trace load = LoadFrom(file);
    if (load.requests.empty()) return;
    std::string table;
    for (const Policy& policy : Policies()) {
      SCOPED_TRACE(policy.name);
      table += Judge(policy, load);
    }
    if (print) {
      std::cout << std::filesystem::path(file).stem().string() << "\n" << table << std::flush;
    }
  }

  static std::vector<std::string> TracesIn(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".csv") files.push_back(entry.path().string());
    }
    std::ranges::sort(files);
    return files;
  }
};

TEST_F(OracleTracesTest, NoPolicyIsCheaperOnTheTracesOfTheRepository) {
  const auto files = TracesIn(TIDEGATE_SOURCE_DIR "/traces/data");
  ASSERT_GE(files.size(), 3U);
  for (const std::string& file : files) JudgeAll(file, true);
}

TEST_F(OracleTracesTest, NoPolicyIsCheaperOnTracesFromOutside) {
  const char* folder = std::getenv("TIDEGATE_TRACES");
  if (folder == nullptr) {
    GTEST_SKIP()
        << "set TIDEGATE_TRACES to a folder of CSV traces (t_seconds,requests) to run this";
  }
  const auto files = TracesIn(folder);
  ASSERT_FALSE(files.empty()) << "no *.csv in " << folder;
  for (const std::string& file : files) JudgeAll(file, true);
}

// The distance between the bound and what a schedule attains is known.
TEST_F(OracleTracesTest, TheBoundIsNearWhatAScheduleCosts) {
  for (const std::string& file : TracesIn(TIDEGATE_SOURCE_DIR "/traces/data")) {
    const traces::Trace load = LoadFrom(file);
    const Scenario scenario = World();
    const config::CompiledConfig manifests = testing::CompiledText(Policies().at(1).manifests);
    auto run = Simulate(scenario, manifests, load);
    ASSERT_TRUE(run);
    AddYardsticks(run->summary, scenario, manifests, load);
    const double bound = run->summary.pools.at(0).yardstick->oracle.replica_seconds;
    const double attained = Attainable(load, scenario, run->summary);
    std::cout << std::filesystem::path(file).stem().string()
              << fmt::format("  bound {:.0f}, attained {:.0f}: {:.3f}\n", bound, attained,
                             bound / attained);
    EXPECT_LE(bound, attained * (1 + 1e-9)) << file;
    EXPECT_GE(bound, 0.75 * attained) << file;
  }
}

}  // namespace
}  // namespace tidegate::sim
