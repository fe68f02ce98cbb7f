// A pool with a past, under a job that comes each hour: who has seen it is ready before it comes.

#include <algorithm>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/catalog.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "tests/testing/manifests.h"
#include "traces/format/trace.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

// 200 rps, and 600 for ten minutes from each full hour on.
traces::Trace HourlyJob(int hours) {
  traces::Trace trace{minutes(1), {}};
  for (int minute = 0; minute < hours * 60; ++minute) {
    trace.requests.push_back(60 * (minute % 60 < 10 ? 600 : 200));
  }
  return trace;
}

RunResult Play(const std::string& policy, bool with_past) {
  config::CompiledConfig manifests =
      testing::CompiledText(testing::GatewayManifest("  replicaCount: 3\n") + "---\n" +
                            testing::ScalerManifest("  minReplicas: 2\n"));
  manifests.pools.at(0).policies = {FindPolicy(policy)->options};
  Scenario scenario;
  scenario.scrape_interval = seconds(15);
  scenario.service.startup = seconds(45);
  scenario.start += minutes(30);  // the trace begins at half past
  if (with_past) {
    auto past = std::make_shared<traces::Trace>(HourlyJob(48));
    past->requests.resize(past->requests.size() - 30);
    scenario.history = std::move(past);
  }
  traces::Trace trace = HourlyJob(3);
  trace.requests.erase(trace.requests.begin(), trace.requests.begin() + 30);
  auto run = Simulate(scenario, manifests, trace);
  EXPECT_TRUE(run) << run.error().message;
  return *std::move(run);
}

TEST(ForecastSimulation, IsReadyForWhatItsPastTells) {
  const RunResult target = Play("target", true);
  const RunResult forecast = Play("forecast", true);
  const PoolResult& late = target.summary.pools.at(0);
  const PoolResult& early = forecast.summary.pools.at(0);
  // Two jobs, and start-up and two waves each for who only follows. Half of it is left: a forecast
  // looks one wave ahead, and readings blur the job's edge over their window.
  EXPECT_GT(late.short_of_capacity, seconds(100));
  EXPECT_LT(early.short_of_capacity, late.short_of_capacity * 2 / 3);
  const auto tells = [](const decision::Decision& decision) {
    return decision.proposals.size() == 2 &&
           decision.proposals[1].note.starts_with("forecast p90 in ");
  };
  EXPECT_TRUE(std::ranges::any_of(forecast.decisions, tells));
}

TEST(ForecastSimulation, IsTargetTrackingWhileItKnowsNothing) {
  const RunResult run = Play("forecast", false);
  EXPECT_THAT(run.decisions.at(0).proposals.at(1).note, HasSubstr("learning"));
  EXPECT_EQ(run.summary.pools.at(0).peak_desired,
            Play("target", false).summary.pools.at(0).peak_desired);
}

TEST(ForecastSimulation, IsDeterministic) {
  EXPECT_EQ(Play("forecast", true).summary.digest, Play("forecast", true).summary.digest);
}

}  // namespace
}  // namespace tidegate::sim
