// Several pools in one world, each with a load and replicas of its own: none is another's.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "sim/runner/yardstick.h"
#include "tests/testing/child_process.h"
#include "traces/format/trace_file.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr const char* kPool = R"(apiVersion: istio.alibabacloud.com/v1beta1
kind: IstioGateway
metadata: {name: NAME, namespace: mesh}
spec:
  gatewayType: ingress
  ports: [{name: http, port: 80, protocol: TCP, targetPort: 80}]
  replicaCount: 2
  rollingMaxSurge: 100%
  serviceType: LoadBalancer
---
apiVersion: tidegate.dev/v1alpha1
kind: GatewayScaler
metadata: {name: NAME, namespace: mesh}
spec:
  scaleTargetRef: {kind: IstioGateway, name: NAME}
  minReplicas: 2
  maxReplicas: 20
  signals:
    - {name: requests, preset: haproxy, metric: requests, target: {perReplica: 50}}
)";

class OwnLoadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WritePool("one");
    WritePool("two");
    // One climbs to 600 requests/s, two falls from 300; the third trace is nobody's own.
    std::string rises = "t_seconds,requests\n", falls = rises, flat = rises;
    for (int i = 0; i < 120; ++i) {
      rises += std::to_string(i) + "," + std::to_string(5 * i) + "\n";
      falls += std::to_string(i) + "," + std::to_string(300 - 2 * i) + "\n";
      flat += std::to_string(i) + ",90\n";
    }
    dir_.Write("rises.csv", rises);
    dir_.Write("falls.csv", falls);
    dir_.Write("flat.csv", flat);
  }

  void WritePool(const std::string& name) {
    std::string text = kPool;
    for (auto at = text.find("NAME"); at != std::string::npos; at = text.find("NAME")) {
      text.replace(at, 4, name);
    }
    dir_.Write(name + "/pool.yaml", text);
  }

  LoadedScenario Load(const std::string& manifests, const std::string& trace,
                      const std::string& rest) {
    dir_.Write("scenario.yaml",
               "apiVersion: tidegate.dev/v1alpha1\nkind: Scenario\n"
               "metadata: {name: pools}\nspec:\n  tick: 1s\n"
               "  scrapeInterval: 5s\n  manifests: " +
                   manifests + "\n  trace: " + trace + "\n" + rest);
    return LoadScenario((dir_.path() / "scenario.yaml").string());
  }

  Expected<RunSummary> Run(const std::string& manifests, const std::string& trace,
                           const std::string& rest) {
    const LoadedScenario loaded = Load(manifests, trace, rest);
    EXPECT_EQ(loaded.problems.text(), "");
    const auto compiled = config::LoadAndCompile(loaded.scenario.manifests, {});
    EXPECT_EQ(compiled.problems.text(), "");
    TIDEGATE_TRY(const traces::Trace read, traces::ReadTrace(loaded.scenario.trace));
    const traces::Trace load = traces::Scaled(read, loaded.scenario.scale);
    TIDEGATE_TRY(RunResult run, Simulate(loaded.scenario, compiled.config, load));
    EXPECT_EQ(ToText(run.breaches), "");
    AddYardsticks(run.summary, loaded.scenario, compiled.config, load);
    return std::move(run.summary);
  }

  testing::TempDir dir_;
};

void ExpectSame(const PoolResult& a, const PoolResult& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.arrived, b.arrived);
  EXPECT_EQ(a.lost, b.lost);
  // The sum of other stretches where a neighbour made the daemon tick early.
  EXPECT_NEAR(a.replica_seconds, b.replica_seconds, 1e-9);
  EXPECT_EQ(a.peak_live, b.peak_live);
  EXPECT_EQ(a.starts, b.starts);
  EXPECT_EQ(a.counted_bad, b.counted_bad);
  EXPECT_EQ(a.yardstick->oracle.replica_seconds, b.yardstick->oracle.replica_seconds);
  EXPECT_EQ(a.yardstick->bad_fraction, b.yardstick->bad_fraction);
}

TEST_F(OwnLoadsTest, EachPoolFaresAsItWouldAlone) {
  const std::string slow = "service: {serviceTimeSeconds: 0.1, startup: 1s}";
  const auto both = Run("[one, two]", "flat.csv",
                        "  pools:\n    - {name: mesh/one, trace: rises.csv}\n"
                        "    - {name: mesh/two, trace: falls.csv, " +
                            slow +
                            "}\n"
                            "  service: {startup: 1s}\n");
  ASSERT_TRUE(both) << both.error().message;
  const auto one = Run("[one]", "rises.csv", "  service: {startup: 1s}\n");
  const auto two = Run("[two]", "falls.csv", "  " + slow + "\n");
  ASSERT_TRUE(one && two);
  ASSERT_EQ(both->pools.size(), 2U);
  ExpectSame(both->pools[0], one->pools[0]);
  ExpectSame(both->pools[1], two->pools[0]);
  EXPECT_NE(both->pools[0].peak_live, both->pools[1].peak_live);
}

TEST_F(OwnLoadsTest, WhatAPoolDoesNotSayIsTheScenarios) {
  const auto run = Run("[one, two]", "flat.csv", "  pools: [{name: mesh/one, trace: rises.csv}]\n");
  const auto flat = Run("[two]", "flat.csv", "");
  ASSERT_TRUE(run && flat);
  ExpectSame(run->pools[1], flat->pools[0]);
}

TEST_F(OwnLoadsTest, ScaleIsOfAllTraces) {
  const auto run =
      Run("[one, two]", "flat.csv", "  scale: 2\n  pools: [{name: mesh/one, trace: rises.csv}]\n");
  ASSERT_TRUE(run);
  EXPECT_NEAR(run->pools[0].arrived, 2 * 5 * (119 * 120 / 2.0), 1e-6);
  EXPECT_NEAR(run->pools[1].arrived, 2 * 90 * 120, 1e-6);
}

TEST_F(OwnLoadsTest, ALongerTraceEndsWithTheRun) {
  dir_.Write("short.csv", "t_seconds,requests\n0,90\n1,90\n2,90\n");
  const auto run =
      Run("[one, two]", "short.csv", "  pools: [{name: mesh/one, trace: rises.csv}]\n");
  ASSERT_TRUE(run);
  EXPECT_NEAR(run->pools[0].arrived, 0 + 5 + 10, 1e-6);
}

TEST_F(OwnLoadsTest, RefusesWhatCanNotBe) {
  const std::string problems =
      Load("[one]", "flat.csv",
           "  pools:\n    - {name: mesh/one, trace: none.csv}\n    - {name: mesh/one}\n"
           "    - {name: one}\n    - {trace: flat.csv, other: 1}\n"
           "    - {name: mesh/b, service: {workersPerReplica: 0}}\n")
          .problems.text();
  for (const char* said :
       {"pools[0].trace", "pools[1].name: this pool has an entry already", "pools[2].name",
        "pools[3].name", "pools[3].other", "pools[4].service.workersPerReplica"}) {
    EXPECT_THAT(problems, HasSubstr(said));
  }
  const auto unknown = Run("[one]", "flat.csv", "  pools: [{name: mesh/three}]\n");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("the manifests declare no pool mesh/three"));
  dir_.Write("hours.csv", "t_seconds,requests\n0,90\n3600,90\n");
  const auto wide = Run("[one]", "flat.csv", "  pools: [{name: mesh/one, trace: hours.csv}]\n");
  ASSERT_FALSE(wide);
  EXPECT_THAT(wide.error().message, HasSubstr("longer than the run"));
  const auto later = Run("[one, two]", "flat.csv",
                         "  mode: requests\n  chain: [mesh/one, mesh/two]\n"
                         "  pools: [{name: mesh/two, trace: rises.csv}]\n");
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("mesh/two has a trace and takes what"));
}

}  // namespace
}  // namespace tidegate::sim
