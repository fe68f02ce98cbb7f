// The policy hpa in manifests: its options, its guards, and what is wrong with them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/manifests.h"

namespace tidegate::config {
namespace {

using testing::CompiledText;
using testing::GatewayManifest;
using ::testing::HasSubstr;
using testing::ProblemsOf;
using testing::ScalerManifest;

decision::PoolSpec Compiled(const std::string& scaler) {
  CompiledConfig config = CompiledText(GatewayManifest("") + "---\n" + ScalerManifest(scaler));
  EXPECT_EQ(config.pools.size(), 1u);
  return config.pools.empty() ? decision::PoolSpec{} : config.pools[0];
}

TEST(HpaManifestTest, ItsGuardsAreItsOwnWithABehaviorAndWithoutOne) {
  const decision::PoolSpec classic = Compiled("  policies: [hpa]\n");
  EXPECT_EQ(classic.guards.guarding, (sizing::Guarding{false, false, false, true}));
  EXPECT_FALSE(classic.guards.behavior_written);
  const decision::PoolSpec modern =
      Compiled("  policies: [hpa]\n  behavior: {scaleUp: {tolerance: 0.05}}\n");
  EXPECT_EQ(modern.guards.guarding, (sizing::Guarding{false, true, true, false}));
  EXPECT_TRUE(modern.guards.behavior_written);
  EXPECT_NE(classic.config_version, modern.config_version);
  // What was so before: a behavior turns all guards of other policies on.
  EXPECT_EQ(Compiled("  policies: [kpa]\n  behavior: {}\n").guards.guarding, sizing::Guarding{});
}

TEST(HpaManifestTest, KnowsOfEachDirectionWhetherItsToleranceWasWritten) {
  const decision::PoolSpec spec =
      Compiled("  policies: [hpa]\n  behavior: {scaleUp: {tolerance: 0.1}}\n");
  EXPECT_EQ(spec.guards.behavior.up.tolerance, 0.1);
  EXPECT_FALSE(spec.guards.behavior.down.tolerance);
}

TEST(HpaManifestTest, AToleranceThatIsWrittenAsTheDefaultIsAnotherConfiguration) {
  const auto version = [](const char* up) {
    return Compiled(fmt::format("  policies: [hpa]\n  behavior: {{scaleUp: {{{}}}}}\n", up))
        .config_version;
  };
  EXPECT_NE(version("tolerance: 0.1"), version("selectPolicy: Max"));
}

TEST(HpaManifestTest, SignalsThatItWantsByReplicaAreReadSo) {
  CompiledConfig config = CompiledText(
      GatewayManifest("") + "---\n" +
      ScalerManifest("  policies: [{name: hpa, metrics: [{signal: requests, type: Pods}]}]\n"));
  EXPECT_TRUE(config.pools.at(0).targets.at(0).each_replica);
  EXPECT_TRUE(config.manifests.at(0).signals.at(0).each_replica);
  config = CompiledText(GatewayManifest("") + "---\n" + ScalerManifest("  policies: [hpa]\n"));
  EXPECT_FALSE(config.pools.at(0).targets.at(0).each_replica);
}

TEST(KpaManifestTest, ItsTimesAreWholeSeconds) {
  const std::string problems = ProblemsOf(ScalerManifest(
      "  policies: [{name: kpa, stableWindowSeconds: 6.5, scaleDownDelaySeconds: 1.5}]\n"));
  EXPECT_THAT(problems, HasSubstr("stableWindowSeconds: expected a whole number from 6 to 3600, "
                                  "got 6.5"));
  EXPECT_THAT(problems, HasSubstr("scaleDownDelaySeconds: expected a whole number from 0 to 3600, "
                                  "got 1.5"));
}

TEST(HpaManifestTest, SaysWhichMetricIsWrong) {
  EXPECT_THAT(ProblemsOf(ScalerManifest(
                  "  policies: [{name: hpa, metrics: [{signal: requests}, {signal: rps}]}]\n")),
              HasSubstr("metrics[1]: no signal is called rps"));
  EXPECT_THAT(ProblemsOf(ScalerManifest(
                  "  policies: [{name: hpa, metrics: [{signal: requests, type: Median}]}]\n")),
              HasSubstr("AverageValue"));
}

}  // namespace
}  // namespace tidegate::config
