#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/sizing/queueing.h"
#include "scheduler/config/load.h"
#include "tests/testing/manifests.h"

namespace tidegate::config {
namespace {

using ::testing::AllOf;
using testing::CompiledText;
using testing::GatewayManifest;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProblemsOf;
using testing::ScalerManifest;

constexpr const char* kQueueing = R"(  policies: [queueing]
  capacity:
    workers: 8
    serviceTime: 50ms
    serviceTimeVariation: 0.5
    latencyObjective: 250ms
    latencyShare: 0.999
    balancing: roundRobin
)";

TEST(CapacityFieldsTest, ReadsWhatOneReplicaCanDo) {
  const Loaded loaded = LoadText(ScalerManifest(kQueueing), "m.yaml", {});
  ASSERT_EQ(loaded.problems.text(), "");
  const sizing::Capacity& capacity = loaded.scalers.at(0).capacity;
  EXPECT_EQ(capacity.workers, 8);
  EXPECT_EQ(capacity.service_time, Duration(50));
  EXPECT_EQ(capacity.service_variation, 0.5);
  EXPECT_EQ(capacity.latency_objective, Duration(250));
  EXPECT_EQ(capacity.latency_share, 0.999);
  EXPECT_EQ(capacity.balancing, sizing::Balancing::kRoundRobin);
}

TEST(CapacityFieldsTest, APoolIsAnotherOneWhenItsCapacityIs) {
  const auto version = [](const std::string& spec) {
    return CompiledText(GatewayManifest("") + "---\n" + ScalerManifest(spec))
        .pools.at(0)
        .config_version;
  };
  std::string other = kQueueing;
  other.replace(other.find("0.999"), 5, "0.995");
  EXPECT_NE(version(kQueueing), version(other));
  EXPECT_EQ(version(kQueueing), version(kQueueing));
}

TEST(CapacityFieldsTest, ReportsEverythingThatIsWrongAtOnce) {
  const std::string problems = ProblemsOf(ScalerManifest(R"(  capacity:
    workers: 0
    serviceTime: 50
    serviceTimeVariation: 21
    latencyObjective: 2h
    latencyShare: 99.9
    balancing: leastConn
    servicetime: 1s
)"));
  for (const char* field : {"capacity.workers", "capacity.serviceTime", "serviceTimeVariation",
                            "latencyObjective", "latencyShare", "balancing", "servicetime"}) {
    EXPECT_THAT(problems, HasSubstr(field));
  }
  EXPECT_THAT(problems, HasSubstr("a number from 0.5 to 0.99999"));
}

TEST(CapacityFieldsTest, RefusesContradictions) {
  EXPECT_THAT(
      ProblemsOf(ScalerManifest("  capacity: {serviceTime: 1s, latencyObjective: 250ms}\n")),
      HasSubstr("250ms is not more than serviceTime (1s)"));
  EXPECT_THAT(ProblemsOf(ScalerManifest(
                  "  capacity: {requestsPerSecond: 170, workers: 8, serviceTime: 50ms}\n")),
              HasSubstr("170 is more than 8 workers serve at 50ms each, which is 160"));
}

TEST(CapacityFieldsTest, QueueingSaysAllThatItNeeds) {
  std::string text = ScalerManifest("  policies: [queueing]\n");
  EXPECT_THAT(ProblemsOf(text), AllOf(HasSubstr("policy queueing needs capacity.workers, "
                                                "capacity.serviceTime, capacity.latencyObjective"),
                                      Not(HasSubstr("measures requests"))));
  text.replace(text.find("preset: haproxy"), 15, "preset: haproxy, metric: inflight");
  EXPECT_THAT(ProblemsOf(text), HasSubstr("a signal that measures requests"));
}

TEST(CapacityFieldsTest, QueueingNeedsNoTarget) {
  std::string text = ScalerManifest(kQueueing);
  text.replace(text.find(", target: {perReplica: 100}"), 27, "");
  EXPECT_EQ(ProblemsOf(text), "");
}

constexpr const char* kObjective =
    "  capacity: {workers: 8, serviceTime: 50ms, latencyObjective: 250ms}\n";

TEST(CapacityFieldsTest, WithAnObjectiveTideIsTheDefaultAndNeedsNoTarget) {
  std::string text = ScalerManifest(kObjective);
  text.replace(text.find(", target: {perReplica: 100}"), 27, "");
  const Loaded loaded = LoadText(text, "m.yaml", {});
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(NamesOf(loaded.scalers.at(0).policies), "tide");
}

TEST(CapacityFieldsTest, WithoutAnObjectiveOrWithABehaviorTargetIsTheDefault) {
  const auto policies = [](const std::string& spec) {
    return NamesOf(LoadText(ScalerManifest(spec), "m.yaml", {}).scalers.at(0).policies);
  };
  EXPECT_EQ(policies(""), "target");
  EXPECT_EQ(policies("  capacity: {workers: 8, serviceTime: 50ms}\n"), "target");
  EXPECT_EQ(policies(std::string(kObjective) +
                     "  behavior: {scaleDown: {stabilizationWindowSeconds: 60}}\n"),
            "target");
}

TEST(CapacityFieldsTest, TideWithoutAnObjectiveNeedsATarget) {
  std::string text = ScalerManifest("  policies: [tide]\n");
  EXPECT_EQ(ProblemsOf(text), "");
  text.replace(text.find(", target: {perReplica: 100}"), 27, "");
  EXPECT_THAT(ProblemsOf(text), HasSubstr("no signal has a target"));
}

TEST(CapacityFieldsTest, QueueingHasOptions) {
  const std::string capacity =
      "  capacity: {workers: 8, serviceTime: 50ms, latencyObjective: 250ms}\n";
  EXPECT_EQ(ProblemsOf(ScalerManifest(
                capacity + "  policies: [{name: queueing, utilization: 0.8, learn: {enabled: "
                           "false}, bottleneck: {holdSeconds: 60}}]\n")),
            "");
  EXPECT_THAT(
      ProblemsOf(ScalerManifest(capacity + "  policies: [{name: queueing, utilization: 1.2}]\n")),
      HasSubstr("utilization"));
}

}  // namespace
}  // namespace tidegate::config
