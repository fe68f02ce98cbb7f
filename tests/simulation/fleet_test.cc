// The whole loop with replicas that a Deployment owns, within a quota, in zones that get lost, and
// with templates that change on the way.

#include "sim/runner/fleet.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using signals::Phase;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

struct Played {
  RunResult run;
  std::vector<signals::PoolSnapshot> seen;  // of each tick
  std::vector<decision::Decision> decisions;
  config::CompiledConfig manifests;

  const PoolResult& pool() const { return run.summary.pools.at(0); }
};

config::CompiledConfig Manifests(const Scenario& scenario) {
  config::Compiled compiled = config::LoadAndCompile(scenario.manifests, {});
  EXPECT_EQ(compiled.problems.text(), "");
  return compiled.config;
}

Played Play(const Scenario& scenario) {
  Played played;
  played.manifests = Manifests(scenario);
  const auto trace = traces::ReadTrace(scenario.trace);
  EXPECT_TRUE(trace);
  Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) {
    played.seen.push_back(snapshot.pools.at(0));
  };
  recorder.decision = [&](const decision::Decision& decision) {
    played.decisions.push_back(decision);
  };
  auto run = Simulate(scenario, played.manifests, *trace, recorder);
  EXPECT_TRUE(run) << run.error().message;
  if (run) played.run = *std::move(run);
  return played;
}

Scenario Shipped() {
  LoadedScenario loaded =
      LoadScenario(TIDEGATE_SOURCE_DIR "/sim/scenarios/deployment_rollout.yaml");
  EXPECT_EQ(loaded.problems.text(), "");
  return loaded.scenario;
}

Scenario ShippedAs(Owner owner) {
  Scenario scenario = Shipped();
  scenario.fleet.owner = owner;
  return scenario;
}

std::size_t MostThatExist(const Played& played) {
  std::size_t most = 0;
  for (const auto& pool : played.seen) most = std::max(most, pool.replicas.size());
  return most;
}

class FleetTest : public ::testing::TestWithParam<Owner> {};

TEST_P(FleetTest, TheShippedScenarioKeepsWhatIsPromised) {
  const Played played = Play(ShippedAs(GetParam()));
  EXPECT_EQ(ToText(played.run.breaches), "");
  EXPECT_GE(played.pool().peak_live, 8);
  EXPECT_LE(MostThatExist(played), 16U);
}

TEST_P(FleetTest, ARolloutReplacesEveryReplica) {
  const Played played = Play(ShippedAs(GetParam()));
  const Revision before = played.manifests.pools.at(0).revision;
  const Revision after = NextRevision(before, 1);
  for (const auto& view : played.seen.front().replicas) EXPECT_EQ(view.revision, before);
  for (const auto& view : played.seen.back().replicas) EXPECT_EQ(view.revision, after);
  EXPECT_EQ(played.decisions.back().revision, after);
}

TEST_P(FleetTest, NothingStartsBeyondATightQuota) {
  Scenario scenario = ShippedAs(GetParam());
  scenario.fleet.placement.quota = 5;
  const Played played = Play(scenario);
  EXPECT_EQ(ToText(played.run.breaches), "");
  EXPECT_EQ(MostThatExist(played), 5U);
  EXPECT_GT(played.pool().peak_desired, 5);
}

TEST_P(FleetTest, WithoutAnyZoneNothingStartsUntilOneIsBack) {
  Scenario scenario = ShippedAs(GetParam());
  scenario.fleet.rollouts.clear();
  scenario.fleet.placement.zones = {"a"};
  scenario.fleet.placement.losses = {{"a", seconds(60), seconds(30)}};
  const Played played = Play(scenario);
  EXPECT_EQ(ToText(played.run.breaches), "");
  EXPECT_EQ(played.pool().least_ready, 0);
  EXPECT_GT(signals::Count(played.seen.back().replicas).ready, 0);
}

TEST_P(FleetTest, SameScenarioSameRun) {
  const Played first = Play(ShippedAs(GetParam()));
  const Played again = Play(ShippedAs(GetParam()));
  EXPECT_EQ(first.run.summary.digest, again.run.summary.digest);
  EXPECT_EQ(first.decisions, again.decisions);
}

INSTANTIATE_TEST_SUITE_P(Of, FleetTest, ::testing::Values(Owner::kManaged, Owner::kDeployment),
                         [](const auto& test) {
                           return test.param == Owner::kManaged ? "Managed" : "Deployment";
                         });

// Seconds from the zone's loss to full strength, with room enough for replacements.
double SecondsToFullStrength(Owner owner) {
  Scenario scenario = ShippedAs(owner);
  scenario.fleet.rollouts.clear();
  scenario.fleet.deployment.eviction = seconds(20);
  scenario.fleet.placement.losses = {{"b", seconds(50), minutes(2)}};
  const Played played = Play(scenario);
  EXPECT_EQ(ToText(played.run.breaches), "");
  bool hurt = false;
  for (std::size_t i = 0; i < played.seen.size(); ++i) {
    const auto counts = signals::Count(played.seen[i].replicas);
    hurt = hurt || counts.failed > 0;
    if (hurt && counts.ready >= played.decisions[i].desired.replicas) {
      return Seconds(played.decisions[i].at - scenario.start - seconds(50));
    }
  }
  ADD_FAILURE() << "never";
  return 0;
}

TEST(FleetZonesTest, ADeploymentWaitsForEvictionAndOurPlannerDoesNot) {
  const double managed = SecondsToFullStrength(Owner::kManaged);
  const double deployment = SecondsToFullStrength(Owner::kDeployment);
  EXPECT_LE(managed, 12);
  EXPECT_GE(deployment, 24);
  EXPECT_LE(deployment, 30);
}

TEST(FleetDeploymentTest, ScalesAtOnceWhereOurPlannerGoesInWaves) {
  Scenario scenario = ShippedAs(Owner::kDeployment);
  scenario.fleet = {};
  scenario.fleet.owner = Owner::kDeployment;
  const Played played = Play(scenario);
  for (std::size_t i = 1; i < played.seen.size(); ++i) {
    const auto counts = signals::Count(played.seen[i].replicas);
    EXPECT_EQ(counts.live(), played.decisions[i - 1].desired.replicas);
  }
}

TEST(FleetDeploymentTest, APoolInDryRunKeepsItsSize) {
  const Scenario scenario = ShippedAs(Owner::kDeployment);
  config::CompiledConfig manifests = Manifests(scenario);
  manifests.pools.at(0).dry_run = true;
  const auto trace = traces::ReadTrace(scenario.trace);
  const auto run = Simulate(scenario, manifests, *trace);
  ASSERT_TRUE(run);
  EXPECT_GE(run->summary.pools.at(0).peak_desired, 6);
  EXPECT_LE(run->summary.pools.at(0).peak_live, 4);  // two, and as many for the rollout
}

TEST(FleetValidateTest, ContradictionsAreTold) {
  Scenario scenario = Shipped();
  const config::CompiledConfig manifests = Manifests(scenario);
  const auto trace = traces::ReadTrace(scenario.trace);
  const auto problem = [&](const FleetModel& fleet) {
    scenario.fleet = fleet;
    const auto run = Simulate(scenario, manifests, *trace);
    EXPECT_TRUE(!run && run.error().code == ErrorCode::kInvalid);
    return run ? "" : run.error().message;
  };
  FleetModel fleet;
  fleet.placement.quota = 1;
  EXPECT_THAT(problem(fleet), HasSubstr("istio-system/edge begins with 2 replicas of at most 1"));
  fleet = {};
  fleet.rollouts = {minutes(3)};
  EXPECT_THAT(problem(fleet), HasSubstr("spec.rollouts: 3m is not before the run's end"));
  fleet = {};
  fleet.placement.zones = {"a"};
  fleet.placement.losses = {{"a", minutes(9), seconds(1)}};
  EXPECT_THAT(problem(fleet), HasSubstr("spec.zoneLosses: 9m is not before"));
}

// The checks see what is wrong: the same run, held to less than it was allowed.
TEST(FleetCheckTest, ARunThatTakesMoreThanWasPromisedIsCaught) {
  Scenario scenario = ShippedAs(Owner::kManaged);
  scenario.fleet.placement.losses.clear();
  const config::CompiledConfig manifests = Manifests(scenario);
  const auto trace = traces::ReadTrace(scenario.trace);
  auto strict = SpecsFor(scenario.fleet, manifests.pools);
  strict.at(0).rollout.budget = {{1, false}, {0, false}};
  RunCheck check(strict, scenario);
  Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) { check.Observed(snapshot); };
  recorder.tick = [&](const loop::ControlLoop& loop, World&, const TickTimes&) {
    check.Decided(*loop.last());
  };
  const auto run = Simulate(scenario, manifests, *trace, recorder);
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->breaches.empty());
  std::map<std::string, int> rules;
  for (const PoolBreach& breach : check.breaches()) ++rules[breach.breach.rule];
  EXPECT_GT(rules["B1"], 0);
  EXPECT_GT(rules["B3"], 0);
}

}  // namespace
}  // namespace tidegate::sim
