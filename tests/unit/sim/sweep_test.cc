#include "sim/runner/sweep.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/measures.h"
#include "sim/runner/cli.h"
#include "sim/runner/results.h"
#include "sim/runner/sweep_plan.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScenarios = TIDEGATE_SOURCE_DIR "/sim/scenarios";

// Two targets, three surges and lost scrapes that are drawn: 6 cells, of 2 runs each.
constexpr const char* kGrid =
    "  replications: 2\n"
    "  fields:\n"
    "    - {field: 'scaler.spec.signals[requests].target.perReplica', values: [40, 80]}\n"
    "    - {field: gateway.spec.rollingMaxSurge, values: [1, 50%, 100%]}\n"
    "    - {field: scenario.spec.metrics.lostScrapes, values: [0.3]}\n"
    "  objective: {optimize: replicaSeconds, limits: {shortSeconds: 60}}\n";

struct Ran {
  int status;
  std::string out;
  std::string err;
};

class SweepTest : public ::testing::Test {
 protected:
  std::string File(const std::string& spec) const {
    return dir_
        .Write("sweep.yaml", fmt::format("apiVersion: tidegate.dev/v1alpha1\nkind: Sweep\n"
                                         "metadata: {{name: test}}\nspec:\n"
                                         "  scenario: {}/flash_crowd.yaml\n{}",
                                         kScenarios, spec))
        .string();
  }
  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }

  Ran Tidesim(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "tidesim");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out, err;
    const int status = Main(static_cast<int>(argv.size()), argv.data(), out, err);
    return {status, out.str(), err.str()};
  }
  // One process, no shards, whatever this test runs under.
  Ran Whole(const std::string& file, const std::string& results, const std::string& threads) const {
    return Tidesim({"sweep", file, "--results", Path(results), "--threads", threads, "--shard",
                    "0/1", "--output", "json"});
  }
  std::string ProblemsOf(const std::string& spec) const {
    return MakePlan(File(spec)).problems.text();
  }

  const testing::TempDir dir_;
};

TEST_F(SweepTest, RunsEveryCombination) {
  const Ran ran = Whole(File(kGrid), "a", "2");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto json = boost::json::parse(ran.out);
  const auto& cells = json.at("cells").as_array();
  ASSERT_EQ(cells.size(), 6U);
  std::set<std::string> points;
  for (const auto& cell : cells) {
    points.insert(boost::json::serialize(cell.at("fields")));
    EXPECT_EQ(cell.at("runs").as_int64(), 2);
    EXPECT_GT(cell.at("measures").at("replicaSeconds").at("mean").as_double(), 100);
  }
  EXPECT_EQ(points.size(), 6U);
  // A higher target needs fewer replicas.
  const auto cost = [&](std::size_t i) {
    return cells[i].at("measures").at("replicaSeconds").at("mean").as_double();
  };
  EXPECT_GT(cost(2), cost(5));
  EXPECT_EQ(json.at("ranking").as_array().size(), 6U);
}

TEST_F(SweepTest, ACellIsWhatTheScenarioGivesByItself) {
  const std::string file = File(
      "  fields: [{field: 'scaler.spec.signals[requests].target.perReplica', values: [50]}]\n");
  const Ran swept = Whole(file, "a", "1");
  const Ran alone = Tidesim({"run", std::string(kScenarios) + "/flash_crowd.yaml", "-o", "json"});
  const auto cell = boost::json::parse(swept.out).at("cells").at(0);
  const auto pool = boost::json::parse(alone.out).at("pools").at(0);
  EXPECT_EQ(cell.at("measures").at("replicaSeconds").at("mean").as_double(),
            pool.at("replicaSeconds").to_number<double>());
}

TEST_F(SweepTest, InModeRequestsSingleRequestsAreJudged) {
  const std::string scenario = std::string(kScenarios) + "/keep_alive.yaml";
  const std::string file =
      dir_.Write("sweep.yaml",
                 fmt::format("apiVersion: tidegate.dev/v1alpha1\nkind: Sweep\n"
                             "metadata: {{name: test}}\nspec:\n"
                             "  scenario: {}\n"
                             "  fields: [{{field: scenario.spec.seed, values: [1]}}]\n"
                             "  objective: {{optimize: latencyP99Seconds}}\n",
                             scenario))
          .string();
  const Ran swept = Whole(file, "a", "1");
  ASSERT_EQ(swept.status, 0) << swept.err;
  const auto measures = boost::json::parse(swept.out).at("cells").at(0).at("measures");
  const auto mean = [&](const char* name) {
    return measures.at(name).at("mean").to_number<double>();
  };
  const Ran alone = Tidesim({"run", scenario, "-o", "json"});
  const auto pool = boost::json::parse(alone.out).at("pools").at(0);
  const auto& yardstick = pool.at("yardstick");
  EXPECT_GT(mean("badPercent"), 1);
  EXPECT_DOUBLE_EQ(mean("badPercent"), 100 * yardstick.at("badFraction").to_number<double>());
  EXPECT_GE(mean("worstMinutePercent"), mean("badPercent"));
  EXPECT_DOUBLE_EQ(mean("worstMinutePercent"),
                   100 * pool.at("worstMinuteBadFraction").to_number<double>());
  EXPECT_EQ(mean("latencyP99Seconds"),
            pool.at("requests").at("latencySeconds").at("p99").to_number<double>());
  EXPECT_DOUBLE_EQ(mean("costMultiple"), yardstick.at("oracle").at("multiple").to_number<double>());
}

TEST_F(SweepTest, RefusesAnObjectiveThatTheModeDoesNotKnow) {
  const std::string field = "  fields: [{field: scenario.spec.scale, values: [1]}]\n";
  EXPECT_THAT(ProblemsOf(field + "  objective: {optimize: latencyP99Seconds}\n"),
              HasSubstr("latencyP99Seconds is known in mode requests only"));
  EXPECT_THAT(
      ProblemsOf(field + "  objective: {optimize: costMultiple, limits: {latencyP50Seconds: 1}}\n"),
      HasSubstr("latencyP50Seconds is known in mode requests only"));
  EXPECT_EQ(ProblemsOf(field + "  objective: {optimize: costMultiple}\n"), "");
}

TEST_F(SweepTest, GivesTheSameBytesOnAnyNumberOfThreadsAndShards) {
  const std::string file = File(kGrid);
  const Ran one = Whole(file, "one", "1");
  ASSERT_EQ(one.status, 0) << one.err;
  const Ran three = Whole(file, "three", "3");
  EXPECT_EQ(one.out, three.out);
  EXPECT_EQ(testing::ReadFile(Path("one")), testing::ReadFile(Path("three")));
  for (const std::size_t shards : {std::size_t{2}, std::size_t{4}, std::size_t{9}}) {
    std::vector<std::string> merge = {"merge", "--output", "json", "--results", Path("merged")};
    for (std::size_t i = 0; i < shards; ++i) {
      merge.push_back(Path(fmt::format("{}-of-{}", i, shards)));
      const Ran shard = Tidesim(
          {"sweep", file, "--results", merge.back(), "--shard", fmt::format("{}/{}", i, shards)});
      ASSERT_EQ(shard.status, 0) << shard.err;
    }
    const Ran merged = Tidesim(merge);
    EXPECT_EQ(merged.status, 0) << merged.err;
    EXPECT_EQ(merged.out, one.out) << shards;
    EXPECT_EQ(testing::ReadFile(Path("merged")), testing::ReadFile(Path("one"))) << shards;
  }
}

TEST_F(SweepTest, TakesItsShardFromTheEnvironment) {
  const std::string file = File(kGrid);
  const Ran whole = Whole(file, "whole", "2");
  std::vector<std::string> merge = {"merge", "--output", "json"};
  for (int i = 0; i < 3; ++i) {
    // The first and the last as Slurm would start it, the other as Kubernetes.
    const Variables variables = [&](const char* name) -> std::optional<std::string> {
      const std::map<std::string, std::string> slurm = {
          {"SLURM_ARRAY_TASK_ID", std::to_string(i + 1)},
          {"SLURM_ARRAY_TASK_COUNT", "3"},
          {"SLURM_ARRAY_TASK_MIN", "1"},
          {"SLURM_ARRAY_TASK_MAX", "3"}};
      const std::map<std::string, std::string> job = {{"JOB_COMPLETION_INDEX", std::to_string(i)},
                                                      {"TIDESIM_SHARDS", "3"}};
      const auto& set = i == 1 ? job : slurm;
      const auto found = set.find(name);
      return found == set.end() ? std::nullopt : std::optional(found->second);
    };
    std::ostringstream out, err;
    merge.push_back(Path(fmt::format("part-{}", i)));
    const SweepOptions options{.file = file, .results = merge.back(), .shard = {}};
    EXPECT_EQ(RunSweep(options, variables, {out, err}), 0) << err.str();
    EXPECT_THAT(err.str(), HasSubstr(fmt::format("shard {}/3", i)));
  }
  EXPECT_EQ(Tidesim(merge).out, whole.out);
}

TEST_F(SweepTest, GoesOnWithoutRepeatingWhatIsDone) {
  const std::string file = File(kGrid);
  ASSERT_EQ(Whole(file, "whole", "1").status, 0);
  auto results = *ParseResults(testing::ReadFile(Path("whole")));
  // Two cells that a killed run left, one of them with a value that no run would give.
  results.cells.resize(2);
  results.cells[1].runs[0][0] = 99.5;
  std::ofstream(Path("killed")) << HeaderLine(results.header) << CellLine(results.cells[1])
                                << CellLine(results.cells[0])
                                << CellLine(results.cells[0]).substr(0, 20);
  const Ran resumed = Whole(file, "killed", "2");
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("holds 2 of 6 cells already"));
  EXPECT_THAT(resumed.err, HasSubstr("took 1 damaged lines out"));
  const auto after = *ParseResults(testing::ReadFile(Path("killed")));
  ASSERT_EQ(after.cells.size(), 6U);
  EXPECT_EQ(after.cells[1].runs[0][0], 99.5);
}

TEST_F(SweepTest, RefusesResultsOfOtherInputs) {
  ASSERT_EQ(Whole(File(kGrid), "a", "1").status, 0);
  std::string other = kGrid;
  other.replace(other.find("[40, 80]"), 8, "[40, 81]");
  const Ran ran = Whole(File(other), "a", "1");
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("another sweep, or its inputs have changed"));
}

TEST_F(SweepTest, MergeListsWhatIsMissingOrThereTwice) {
  const std::string file = File(kGrid);
  for (const char* shard : {"0/3", "1/3", "2/3"}) {
    const std::string results = Path(std::string("s") + shard[0]);
    ASSERT_EQ(Tidesim({"sweep", file, "--results", results, "--shard", shard}).status, 0);
  }
  const Ran missing = Tidesim({"merge", Path("s0"), Path("s2")});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("2 of 6 cells are missing: 1, 4"));
  EXPECT_EQ(missing.out, "");
  const Ran twice = Tidesim({"merge", Path("s0"), Path("s1"), Path("s2"), Path("s1")});
  EXPECT_EQ(twice.status, 1);
  EXPECT_THAT(twice.err, HasSubstr("2 of 6 cells are there more than once: 1, 4"));
  EXPECT_THAT(twice.err, Not(HasSubstr("missing")));
  const Ran none = Tidesim({"merge", Path("s0"), Path("nothing")});
  EXPECT_EQ(none.status, 2);
  const std::string other = File(std::string(kGrid) + "  seed: 2\n");
  ASSERT_EQ(Tidesim({"sweep", other, "--results", Path("o1"), "--shard", "1/3"}).status, 0);
  const Ran mixed = Tidesim({"merge", Path("s0"), Path("o1"), Path("s2")});
  EXPECT_EQ(mixed.status, 2);
  EXPECT_THAT(mixed.err, HasSubstr("o1: holds results of another sweep"));
}

TEST_F(SweepTest, DrawsTheSamePointsFromTheSameSeed) {
  const std::string fields =
      "  search: random\n  points: 40\n  fields:\n"
      "    - {field: 'scaler.spec.signals[requests].target.perReplica',\n"
      "       range: {from: 10, to: 1k, scale: log}}\n"
      "    - {field: scenario.spec.tick, range: {from: 1, to: 30, whole: true, unit: s}}\n"
      "    - {field: gateway.spec.rollingMaxSurge, values: [1, 50%]}\n";
  const MadePlan made = MakePlan(File(fields));
  ASSERT_EQ(made.problems.text(), "");
  ASSERT_EQ(made.plan.points.size(), 40U);
  std::set<std::string> ticks, surges;
  int low = 0;
  for (const SweepPoint& point : made.plan.points) {
    const double target = std::stod(point.texts[0]);
    EXPECT_GE(target, 10);
    EXPECT_LE(target, 1'000);
    low += target < 100;
    ticks.insert(point.texts[1]);
    surges.insert(point.texts[2]);
  }
  // Half of a log scale's values lie below the geometric mean of its ends.
  EXPECT_GT(low, 10);
  EXPECT_LT(low, 30);
  EXPECT_GT(ticks.size(), 10U);
  EXPECT_EQ(surges.size(), 2U);
  EXPECT_EQ(MakePlan(File(fields)).plan.fingerprint, made.plan.fingerprint);
  const MadePlan other = MakePlan(File(fields + "  seed: 2\n"));
  EXPECT_NE(other.plan.points[0].texts, made.plan.points[0].texts);
  EXPECT_NE(other.plan.fingerprint, made.plan.fingerprint);
}

TEST_F(SweepTest, HalvingGivesMoreToTheBest) {
  const std::string file = File(
      "  search: halving\n  points: 9\n  halving: {factor: 3, rungs: 3}\n  fields:\n"
      "    - {field: 'scaler.spec.signals[requests].target.perReplica', range: {from: 20, to: "
      "110}}\n"
      "  objective: {optimize: replicaSeconds}\n");
  const Ran ran = Whole(file, "a", "2");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto json = boost::json::parse(ran.out);
  const auto& cells = json.at("cells").as_array();
  ASSERT_EQ(cells.size(), 9U + 3U + 1U);
  EXPECT_EQ(json.at("rungs").at(0).at("traceShare").to_number<double>(), 1.0 / 9);
  const auto cost = [&](std::size_t i) {
    return cells[i].at("measures").at("replicaSeconds").at("mean").to_number<double>();
  };
  std::vector<double> first;
  for (std::size_t i = 0; i < 9; ++i) first.push_back(cost(i));
  std::ranges::sort(first);
  for (std::size_t i = 9; i < 12; ++i) {
    const auto point = cells[i].at("point").to_number<std::size_t>();
    EXPECT_LE(cost(point), first[2]);
    EXPECT_GT(cost(i), cost(point)) << "more of the trace costs more";
  }
  EXPECT_EQ(json.at("ranking").at(0).as_int64(), 12);
  EXPECT_EQ(Tidesim({"sweep", file, "--results", Path("b"), "--shard", "0/2"}).status, 2);
  // Where it stopped between two rungs it comes to the same end.
  auto results = *ParseResults(testing::ReadFile(Path("a")));
  results.cells.resize(10);
  std::ofstream(Path("b")) << FormatResults(results.header, results.cells);
  EXPECT_EQ(Whole(file, "b", "1").out, ran.out);
}

TEST_F(SweepTest, HalvingCanGiveRunsInPlaceOfTheTrace) {
  const MadePlan made = MakePlan(
      File("  search: halving\n  points: 8\n  replications: 9\n"
           "  halving: {factor: 2, rungs: 3, resource: replications}\n  fields:\n"
           "    - {field: scaler.spec.maxReplicas, range: {from: 5, to: 20, whole: true}}\n"
           "  objective: {optimize: lostPercent}\n"));
  ASSERT_EQ(made.problems.text(), "");
  EXPECT_EQ(made.plan.rungs, (std::vector<Rung>{{8, 1, 3}, {4, 1, 5}, {2, 1, 9}}));
}

TEST_F(SweepTest, SaysAllThatIsWrongWithThePlaceInTheSweep) {
  const std::string problems = ProblemsOf(
      "  fields:\n"
      "    - {field: scaler.spec.maxReplicaz, values: [5, 6]}\n"
      "    - {field: gateway.spec.rollingMaxSurge, values: [50%, lots]}\n"
      "    - {field: 'scaler.spec.signals[requests].target.perReplica', values: [0]}\n");
  EXPECT_THAT(problems, HasSubstr("sweep.yaml:7:15: scaler.spec.maxReplicaz = 5: "
                                  "spec.maxReplicaz: unknown field; did you mean maxReplicas?"));
  EXPECT_THAT(problems, HasSubstr("sweep.yaml:8:15: gateway.spec.rollingMaxSurge = lots"));
  EXPECT_THAT(problems, HasSubstr("sweep.yaml:9:15: "));
  EXPECT_EQ(std::ranges::count(problems, '\n'), 3) << problems;
}

TEST_F(SweepTest, FindsValuesThatContradictEachOther) {
  const std::string problems = ProblemsOf(
      "  fields:\n"
      "    - {field: scaler.spec.minReplicas, values: [2, 9]}\n"
      "    - {field: scaler.spec.maxReplicas, values: [8, 20]}\n");
  EXPECT_THAT(problems, HasSubstr("scaler.spec.minReplicas = 9, scaler.spec.maxReplicas = 8"));
}

TEST_F(SweepTest, RefusesSweepsThatMakeNoSense) {
  EXPECT_THAT(ProblemsOf("  fields: []\n"), HasSubstr("at least one field"));
  EXPECT_THAT(
      ProblemsOf("  search: random\n  fields: [{field: scenario.spec.tick, values: [5s]}]\n"),
      HasSubstr("needs points"));
  EXPECT_THAT(ProblemsOf("  search: halving\n  points: 3\n"
                         "  fields: [{field: scenario.spec.tick, values: [5s]}]\n"),
              HasSubstr("needs an objective"));
  EXPECT_THAT(ProblemsOf("  fields: [{field: scenario.spec.scale, range: {from: 2, to: 1}}]\n"),
              HasSubstr("from below to"));
  EXPECT_THAT(ProblemsOf("  fields: [{field: scenario.spec.scale, range: {from: 1, to: 2}}]\n"),
              HasSubstr("steps"));
  EXPECT_THAT(ProblemsOf("  fields: [{field: scenario.spec.scale}]\n"), HasSubstr("either values"));
  EXPECT_THAT(ProblemsOf("  fields: [{field: scenario.spec.trace, values: [none.csv]}]\n"),
              HasSubstr("none.csv"));
  EXPECT_THAT(
      ProblemsOf("  fields:\n"
                 "    - {field: scenario.spec.scale, range: {from: 1, to: 2, steps: 1000}}\n"
                 "    - {field: scaler.spec.maxReplicas,\n"
                 "       range: {from: 5, to: 2000, steps: 1000, whole: true}}\n"),
      HasSubstr("more than 100000 points"));
  EXPECT_EQ(Tidesim({"sweep", "no_such.yaml"}).status, 2);
  EXPECT_EQ(Tidesim({"sweep", File(kGrid), "--shard", "3/3"}).status, 2);
}

TEST_F(SweepTest, TheShippedSweepRunsAndHelpShowsIt) {
  const std::string file = std::string(kScenarios) + "/sweep_targets.yaml";
  const Ran ran =
      Tidesim({"sweep", file, "--results", Path("shipped"), "--shard", "0/1", "--threads", "2"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("perReplica"));
  EXPECT_THAT(ran.out, HasSubstr("missed"));
  for (const char* command : {"sweep", "merge"}) {
    const Ran help = Tidesim({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("Example"));
  }
}

}  // namespace
}  // namespace tidegate::sim
