// The whole loop over metrics that get lost, come late or are plain PromQL.

#include <algorithm>
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

constexpr const char* kScenario = TIDEGATE_SOURCE_DIR "/sim/scenarios/blind_scaler.yaml";

struct Seen {
  RunResult run;
  std::vector<signals::Reading> readings;
};

Seen Play(const Scenario& scenario, const std::string& promql = "") {
  Seen seen;
  config::Compiled manifests = config::LoadAndCompile(scenario.manifests, {});
  EXPECT_EQ(manifests.problems.text(), "");
  if (!promql.empty()) {
    for (auto& manifest : manifests.config.manifests) {
      for (auto& signal : manifest.signals) {
        signal.preset.clear();
        signal.promql = promql;
      }
    }
  }
  const auto trace = traces::ReadTrace(scenario.trace);
  EXPECT_TRUE(trace);
  Recorder recorder;
  recorder.snapshot = [&](const signals::Snapshot& snapshot) {
    seen.readings.push_back(snapshot.pools.at(0).readings.at(0));
  };
  auto run = Simulate(scenario, manifests.config, *trace, recorder);
  EXPECT_TRUE(run) << run.error().message;
  if (run) seen.run = *std::move(run);
  return seen;
}

Scenario Shipped() {
  LoadedScenario loaded = LoadScenario(kScenario);
  EXPECT_EQ(loaded.problems.text(), "");
  return loaded.scenario;
}

TEST(MetricsModelTest, SameSeedSameRun) {
  Scenario scenario = Shipped();
  scenario.metrics.lost_scrapes = 0.3;  // enough for two seeds to differ in a short run
  const Seen first = Play(scenario);
  const Seen again = Play(scenario);
  EXPECT_EQ(first.readings, again.readings);
  EXPECT_EQ(first.run.summary.digest, again.run.summary.digest);
  Scenario other = scenario;
  other.seed = 2;
  EXPECT_NE(Play(other).readings, first.readings);
}

TEST(MetricsModelTest, PlainPromqlStopsItsOwnScaleOut) {
  Scenario promql = Shipped();
  promql.metrics.lost_scrapes = 0;
  Scenario samples = promql;
  samples.metrics.promql = false;
  samples.metrics.window.reset();
  // The crowd of 433 rps needs nine replicas at 50 rps each.
  EXPECT_LE(Play(promql).run.summary.pools.at(0).peak_live, 6);
  EXPECT_GE(Play(samples).run.summary.pools.at(0).peak_live, 8);
}

TEST(MetricsModelTest, AUsersExpressionIsThePresetsRate) {
  Scenario preset = Shipped();
  Scenario expression = preset;
  expression.metrics.promql = false;  // of presets only
  EXPECT_EQ(
      Play(expression, "sum(rate(haproxy_frontend_http_requests_total[{{window}}]))").readings,
      Play(preset).readings);
}

TEST(MetricsModelTest, WithoutScrapesNothingIsKnownAndThePoolStays) {
  Scenario scenario = Shipped();
  scenario.metrics.lost_scrapes = 1;
  const Seen seen = Play(scenario);
  ASSERT_FALSE(seen.readings.empty());
  for (const auto& reading : seen.readings) EXPECT_EQ(reading.quality, signals::Quality::kEmpty);
  EXPECT_EQ(seen.run.summary.pools.at(0).least_ready, 2);
  EXPECT_EQ(seen.run.summary.pools.at(0).peak_live, 2);
}

TEST(MetricsModelTest, AnExpressionThatCannotBeEvaluatedIsRefused) {
  const Scenario scenario = Shipped();
  config::Compiled manifests = config::LoadAndCompile(scenario.manifests, {});
  auto& signal = manifests.config.manifests.at(0).signals.at(0);
  signal.preset.clear();
  signal.promql = "avg(rate(x_total[1m]))";
  const auto trace = traces::ReadTrace(scenario.trace);
  const auto run = Simulate(scenario, manifests.config, *trace);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(run.error().message, ::testing::HasSubstr("avg(rate(x_total[1m]))"));
}

}  // namespace
}  // namespace tidegate::sim
