#include "sim/runner/scenario.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr const char* kHead =
    "apiVersion: tidegate.dev/v1alpha1\n"
    "kind: Scenario\n"
    "metadata: {name: test}\n"
    "spec:\n";

class LoadScenarioTest : public ::testing::Test {
 protected:
  LoadedScenario Load(const std::string& text) const {
    return LoadScenario(dir_.Write("scenario.yaml", text).string());
  }
  // The problems of a scenario whose spec is `spec`, the file's folder cut off.
  std::string ProblemsOf(const std::string& spec) const {
    std::string text = Load(kHead + spec).problems.text();
    const std::string folder = dir_.path().string() + "/";
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.erase(at, folder.size());
    }
    return text;
  }

  const testing::TempDir dir_;
};

TEST_F(LoadScenarioTest, ReadsTheScenariosOfTheTree) {
  const auto loaded = LoadScenario(TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.name, "flash-crowd");
  EXPECT_EQ(loaded.scenario.tick, seconds(1));
  EXPECT_EQ(loaded.scenario.service.workers, 6);
  EXPECT_EQ(loaded.scenario.manifests.at(0), TIDEGATE_SOURCE_DIR "/sim/scenarios/edge");
  EXPECT_EQ(loaded.scenario.trace, TIDEGATE_SOURCE_DIR "/traces/data/flash_crowd_2m.csv");
}

TEST_F(LoadScenarioTest, LeavesDefaultsWhereNothingIsSaid) {
  const auto loaded = Load(std::string(kHead) + "  manifests: [edge]\n  trace: a.csv\n");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.tick, Scenario{}.tick);
  EXPECT_EQ(loaded.scenario.scale, 1);
}

TEST_F(LoadScenarioTest, ReadsHowLongATickTakes) {
  const auto loaded = Load(std::string(kHead) +
                           "  manifests: [edge]\n  trace: a.csv\n"
                           "  tickTakes: {queries: 2s, queryTimeout: 1s, eachStep: 50ms}\n");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.tick_takes.queries, seconds(2));
  EXPECT_EQ(loaded.scenario.tick_takes.query_timeout, seconds(1));
  EXPECT_EQ(loaded.scenario.tick_takes.each_step, Duration(50));
  const std::string problems = ProblemsOf(
      "  manifests: [edge]\n  trace: a.csv\n"
      "  tickTakes: {queries: 2h, queryTimeout: 1ms, eachStep: -1s, other: 1}\n");
  for (const char* field :
       {"tickTakes.queries", "tickTakes.queryTimeout", "tickTakes.eachStep", "tickTakes.other"}) {
    EXPECT_THAT(problems, HasSubstr(field));
  }
}

TEST_F(LoadScenarioTest, ReadsWhenItTicks) {
  const std::string head = std::string(kHead) + "  manifests: [edge]\n  trace: a.csv\n";
  EXPECT_TRUE(TicksEarly(Load(head).scenario));
  EXPECT_FALSE(TicksEarly(Load(head + "  replicas: deployment\n").scenario));
  const auto loaded =
      Load(head + "  replicas: deployment\n  earlyTicks: true\n  firstTick: 35ms\n");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_TRUE(TicksEarly(loaded.scenario));
  EXPECT_EQ(loaded.scenario.first_tick, Duration(35));
  const std::string problems =
      ProblemsOf("  manifests: [edge]\n  trace: a.csv\n  earlyTicks: soon\n  firstTick: 2h\n");
  EXPECT_THAT(problems, HasSubstr("spec.earlyTicks"));
  EXPECT_THAT(problems, HasSubstr("spec.firstTick"));
}

TEST_F(LoadScenarioTest, ReadsTheLoadThatPrecedesTheTrace) {
  dir_.Write("past.csv", "t_seconds,requests\n0,600\n60,1200\n");
  const auto loaded =
      Load(std::string(kHead) + "  manifests: [edge]\n  trace: a.csv\n  history: past.csv\n");
  EXPECT_EQ(loaded.problems.text(), "");
  ASSERT_NE(loaded.scenario.history, nullptr);
  EXPECT_EQ(loaded.scenario.history->requests, (std::vector<double>{600, 1200}));
  EXPECT_THAT(ProblemsOf("  manifests: [edge]\n  trace: a.csv\n  history: none.csv\n"),
              HasSubstr("scenario.yaml:7:12: spec.history: "));
}

TEST_F(LoadScenarioTest, ReadsHowMetricsComeAbout) {
  const auto loaded = Load(std::string(kHead) +
                           "  manifests: [edge]\n  trace: a.csv\n  scrapeInterval: 15s\n"
                           "  seed: 7\n"
                           "  metrics: {mode: promql, window: 1m, prometheusVersion: 3,\n"
                           "            lostScrapes: 0.05, firstScrapesLost: 1,\n"
                           "            bornByRequest: true, latency: 2s,\n"
                           "            queryDelay: 7s, phases: [1s, 14s],\n"
                           "            requestCounter: nginx_http_requests_total,\n"
                           "            outages: [{at: 1m, lasts: 30s}]}\n");
  EXPECT_EQ(loaded.problems.text(), "");
  const MetricsModel& metrics = loaded.scenario.metrics;
  EXPECT_EQ(loaded.scenario.seed, 7U);
  EXPECT_TRUE(metrics.promql);
  EXPECT_EQ(metrics.window, seconds(60));
  EXPECT_EQ(metrics.prometheus_version, 3);
  EXPECT_EQ(metrics.lost_scrapes, 0.05);
  EXPECT_EQ(metrics.first_scrapes_lost, 1);
  EXPECT_TRUE(metrics.born_by_request);
  EXPECT_EQ(metrics.latency, seconds(2));
  EXPECT_EQ(metrics.query_delay, seconds(7));
  EXPECT_EQ(metrics.phases, (std::vector<Duration>{seconds(1), seconds(14)}));
  ASSERT_EQ(metrics.outages.size(), 1U);
  EXPECT_EQ(metrics.outages[0].at, seconds(60));
  EXPECT_EQ(metrics.outages[0].lasts, seconds(30));
  EXPECT_EQ(metrics.request_counter, "nginx_http_requests_total");
}

TEST_F(LoadScenarioTest, RefusesMetricsThatCannotBe) {
  const std::string problems = ProblemsOf(
      "  manifests: [edge]\n  trace: a.csv\n  scrapeInterval: 30s\n"
      "  metrics: {mode: guess, window: 59s, prometheusVersion: 4, lostScrapes: 1.5,\n"
      "            latency: 11s, queryDelay: 2h, phases: [0s, 31s],\n"
      "            requestCounter: '1 bad', outages: [{at: 1m}, {at: 1m, lasts: 0s}]}\n");
  for (const char* field :
       {"metrics.mode", "metrics.window: shorter than two scrape intervals",
        "metrics.prometheusVersion", "metrics.lostScrapes", "metrics.requestCounter",
        "metrics.latency: no scrape takes that long: it is given up after 10s",
        "metrics.queryDelay", "metrics.phases[1]", "metrics.outages[0].lasts",
        "metrics.outages[1].lasts"}) {
    EXPECT_THAT(problems, HasSubstr(field));
  }
}

TEST_F(LoadScenarioTest, ReadsAnObjective) {
  const auto loaded = Load(std::string(kHead) +
                           "  manifests: [edge]\n  trace: a.csv\n"
                           "  objective: {badFraction: 0.02, wait: 500ms}\n");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.objective.bad_fraction, 0.02);
  EXPECT_EQ(LongestGoodWait(loaded.scenario), Duration(500));
}

TEST_F(LoadScenarioTest, WithoutAnObjectivePatienceIsTheLongestGoodWait) {
  Scenario scenario;
  scenario.service.patience_seconds = 7;
  EXPECT_EQ(LongestGoodWait(scenario), seconds(7));
}

TEST_F(LoadScenarioTest, RefusesObjectivesThatCannotBe) {
  const std::string problems = ProblemsOf(
      "  manifests: [edge]\n  trace: a.csv\n  service: {patienceSeconds: 2}\n"
      "  objective: {badFraction: 1.5, wait: 3s, latency: 1}\n");
  EXPECT_THAT(problems, HasSubstr("objective.badFraction: expected a share"));
  EXPECT_THAT(problems, HasSubstr("objective.wait: longer than clients are patient"));
  EXPECT_THAT(problems, HasSubstr("objective.latency"));
}

TEST_F(LoadScenarioTest, ReplicasAreManagedByDefaultAndWithoutLimits) {
  const auto loaded = Load(std::string(kHead) + "  manifests: [edge]\n  trace: a.csv\n");
  const FleetModel& fleet = loaded.scenario.fleet;
  EXPECT_EQ(fleet.owner, Owner::kManaged);
  EXPECT_EQ(fleet.placement.quota, std::nullopt);
  EXPECT_TRUE(fleet.placement.zones.empty());
  EXPECT_TRUE(fleet.rollouts.empty());
}

TEST_F(LoadScenarioTest, ReadsWhoseReplicasAndWhere) {
  const auto loaded =
      Load(std::string(kHead) +
           "  manifests: [edge]\n  trace: a.csv\n  replicas: deployment\n"
           "  deployment: {minReady: 5s, watch: 100ms, eviction: 1m}\n"
           "  quota: 12\n  zones: [a, b]\n  zoneLosses: [{zone: b, at: 2m, lasts: 30s}]\n"
           "  rollouts: [1m, 3m]\n");
  EXPECT_EQ(loaded.problems.text(), "");
  const FleetModel& fleet = loaded.scenario.fleet;
  EXPECT_EQ(fleet.owner, Owner::kDeployment);
  EXPECT_EQ(fleet.deployment.min_ready, seconds(5));
  EXPECT_EQ(fleet.deployment.watch, Duration(100));
  EXPECT_EQ(fleet.deployment.eviction, seconds(60));
  EXPECT_EQ(fleet.placement.quota, 12);
  EXPECT_THAT(fleet.placement.zones, ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(fleet.placement.losses,
              ::testing::ElementsAre(ZoneLoss{"b", seconds(120), seconds(30)}));
  EXPECT_THAT(fleet.rollouts, ::testing::ElementsAre(seconds(60), seconds(180)));
}

TEST_F(LoadScenarioTest, RefusesFleetsThatCannotBe) {
  const std::string problems = ProblemsOf(
      "  manifests: [edge]\n  trace: a.csv\n"
      "  replicas: statefulset\n  deployment: {maxSurge: 1}\n  quota: 0\n"
      "  zones: [a, a, '']\n  zoneLosses: [{zone: c, at: 1m}, {zone: a, at: 1m, lasts: 0s}]\n"
      "  rollouts: [2m, 1m]\n");
  for (const char* problem :
       {"7:13: spec.replicas: expected", "spec.deployment: has no effect without",
        "spec.deployment.maxSurge: ", "rollingMaxSurge in the gateway's manifest",
        "spec.quota: expected a number of replicas from 1", "spec.zones[1]: is there twice",
        "spec.zones[2]: expected a zone's name", "spec.zoneLosses[0].zone: expected one of",
        "spec.zoneLosses[0].lasts", "spec.zoneLosses[1].lasts",
        "spec.rollouts[1]: comes no later than the one before it"}) {
    EXPECT_THAT(problems, HasSubstr(problem));
  }
}

TEST_F(LoadScenarioTest, AMissingFieldIsNamed) {
  const std::string problems = ProblemsOf("  manifests: [edge]\n");
  EXPECT_THAT(problems, HasSubstr("scenario.yaml:"));
  EXPECT_THAT(problems, HasSubstr("trace"));
}

TEST_F(LoadScenarioTest, AnUnknownFieldIsToldWithItsPlace) {
  EXPECT_THAT(ProblemsOf("  manifests: [edge]\n  trace: a.csv\n  trak: b\n"),
              HasSubstr("scenario.yaml:7:3: spec.trak"));
}

TEST_F(LoadScenarioTest, ANumberOutOfRangeIsToldWithItsPlace) {
  EXPECT_THAT(
      ProblemsOf("  manifests: [edge]\n  trace: a.csv\n  service:\n    workersPerReplica: 0\n"),
      HasSubstr("scenario.yaml:8:24: spec.service.workersPerReplica"));
}

TEST_F(LoadScenarioTest, AllProblemsAreToldAtOnce) {
  const std::string problems = ProblemsOf(
      "  manifests: [edge]\n  trace: a.csv\n  tick: 5\n  scale: -1\n"
      "  service: {startup: soon}\n");
  EXPECT_THAT(problems, HasSubstr("spec.tick"));
  EXPECT_THAT(problems, HasSubstr("spec.scale"));
  EXPECT_THAT(problems, HasSubstr("spec.service.startup"));
}

TEST_F(LoadScenarioTest, AnotherKindIsRefused) {
  const auto loaded = Load("apiVersion: v1\nkind: Pod\n");
  EXPECT_THAT(loaded.problems.text(), HasSubstr("expected kind Scenario"));
}

TEST_F(LoadScenarioTest, BrokenYamlIsToldWithItsLine) {
  EXPECT_THAT(Load("apiVersion: [\nkind: x\n").problems.text(), HasSubstr("scenario.yaml:"));
}

TEST_F(LoadScenarioTest, TwoDocumentsAreRefused) {
  const auto loaded = Load(std::string(kHead) + "  trace: a\n---\n" + kHead + "  trace: b\n");
  EXPECT_THAT(loaded.problems.text(), HasSubstr("expected one document"));
}

TEST_F(LoadScenarioTest, AMissingFileIsAProblem) {
  const auto loaded = LoadScenario((dir_.path() / "none.yaml").string());
  EXPECT_THAT(loaded.problems.text(), HasSubstr("none.yaml: can't be read"));
}

}  // namespace
}  // namespace tidegate::sim
