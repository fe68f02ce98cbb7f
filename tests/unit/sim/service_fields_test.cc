#include "sim/runner/service_fields.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/runner/scenario.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class ServiceFieldsTest : public ::testing::Test {
 protected:
  LoadedScenario Load(const std::string& spec) const {
    return LoadScenario(dir_.Write("s.yaml",
                                   "apiVersion: tidegate.dev/v1alpha1\nkind: Scenario\n"
                                   "metadata: {name: test}\nspec:\n  manifests: [a]\n"
                                   "  trace: a.csv\n" +
                                       spec)
                            .string());
  }
  std::string ProblemsOf(const std::string& spec) const { return Load(spec).problems.text(); }

  const testing::TempDir dir_;
};

TEST_F(ServiceFieldsTest, ReadsAllOfTheShippedExample) {
  const auto loaded = LoadScenario(TIDEGATE_SOURCE_DIR "/sim/scenarios/keep_alive.yaml");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.mode, Mode::kRequests);
  const ServiceModel& service = loaded.scenario.service;
  EXPECT_EQ(service.startup_variation, 0.3);
  EXPECT_EQ(service.readiness_quantum, seconds(1));
  const RequestModel& requests = service.requests;
  EXPECT_EQ(requests.arrivals.shape, ArrivalModel::Shape::kLines);
  EXPECT_EQ(requests.arrivals.spacing, ArrivalModel::Spacing::kPoisson);
  EXPECT_EQ(requests.arrivals.burst_bias, 0.6);
  EXPECT_EQ(requests.distribution, ServiceKind::kLognormal);
  EXPECT_EQ(requests.variation, 0.5);
  EXPECT_EQ(requests.balancing, Balancing::kLeastOfTwo);
  EXPECT_EQ(requests.queue_limit, 200U);
  EXPECT_EQ(requests.retries, (RetryModel{2, 0.1, 0.2}));
  EXPECT_EQ(requests.connections, 400U);
  EXPECT_EQ(requests.requests_per_connection, 1'000U);
  EXPECT_EQ(requests.slow_share, 0.1);
  EXPECT_EQ(requests.slow_factor, 2);
  EXPECT_EQ(requests.objective_seconds, 0.25);
}

TEST_F(ServiceFieldsTest, EmpiricalTimesSetTheMean) {
  const auto loaded = Load(
      "  mode: requests\n  requests: {serviceTimes: {distribution: empirical, "
      "seconds: [0.02, 0.04, 0.12]}}\n");
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_NEAR(loaded.scenario.service.service_seconds, 0.06, 1e-12);
}

TEST_F(ServiceFieldsTest, SaysWhatDoesNotFitTogether) {
  EXPECT_THAT(ProblemsOf("  requests: {serviceTimes: {distribution: empirical}}\n"),
              HasSubstr("needs seconds, a list of times"));
  EXPECT_THAT(ProblemsOf("  requests: {serviceTimes: {seconds: [1]}}\n"),
              HasSubstr("is for distribution empirical"));
  EXPECT_THAT(ProblemsOf("  requests: {serviceTimes: {variation: 2}}\n"),
              HasSubstr("only lognormal and hyperexponential"));
  EXPECT_THAT(
      ProblemsOf("  requests: {serviceTimes: {distribution: hyperexponential, variation: 0.5}}\n"),
      HasSubstr("expected a number from 1 to 20"));
}

TEST_F(ServiceFieldsTest, BoundsNumbersAndNamesChoices) {
  EXPECT_THAT(ProblemsOf("  requests: {retries: {budget: 1.5}}\n"),
              HasSubstr("expected a number from 0 to 1"));
  EXPECT_THAT(ProblemsOf("  requests: {arrivals: {burstBias: 0.2}}\n"),
              HasSubstr("expected a number from 0.5 to 0.95"));
  EXPECT_THAT(ProblemsOf("  requests: {arrivals: {replaySeed: 2}}\n"),
              HasSubstr("spacing: replay"));
  EXPECT_THAT(ProblemsOf("  requests: {arrivals: {spacing: replay, shape: lines}}\n"),
              HasSubstr("shape steps, no bursts"));
  EXPECT_THAT(ProblemsOf("  requests: {balancing: best}\n"), HasSubstr("leastOfTwo"));
  EXPECT_THAT(ProblemsOf("  requests: {balancing: oneLine, connections: {count: 5}}\n"),
              HasSubstr("no connection is bound"));
  EXPECT_THAT(ProblemsOf("  service: {startupVariation: 3}\n"),
              HasSubstr("expected a number from 0 to 2"));
  EXPECT_THAT(ProblemsOf("  mode: exact\n"), HasSubstr("fluid"));
  EXPECT_THAT(ProblemsOf("  chain: [front]\n"), HasSubstr("a pool as namespace/name"));
}

TEST_F(ServiceFieldsTest, RequestsMayComeAsAReplaySendsThem) {
  const auto loaded = Load("  requests: {arrivals: {spacing: replay, replaySeed: 7}}\n");
  EXPECT_EQ(loaded.problems.text(), "");
  const ArrivalModel& arrivals = loaded.scenario.service.requests.arrivals;
  EXPECT_EQ(arrivals.spacing, ArrivalModel::Spacing::kReplay);
  EXPECT_EQ(arrivals.replay_seed, 7U);
}

}  // namespace
}  // namespace tidegate::sim
