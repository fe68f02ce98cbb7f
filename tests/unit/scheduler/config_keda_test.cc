// The policy keda in manifests: its options, and what is wrong with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/schedule.h"
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

TEST(KedaManifestTest, ReadsAScaledObjectsFields) {
  const decision::PoolSpec spec = Compiled(R"yaml(  policies:
    - name: keda
      cooldownPeriodSeconds: 60
      minReplicaCount: 2
      idleReplicaCount: 1
      compat: keda
      triggers: [{signal: requests, name: rps, activationThreshold: 5}]
      cron: [{name: day, timezone: Asia/Shanghai, start: "0 9 * * *", end: "0 18 * * *", desiredReplicas: 4}]
      fallback: {failureThreshold: 3, replicas: 6, behavior: currentReplicasIfHigher}
      scalingModifiers: {formula: "max(rps, day * 100)", target: 100}
)yaml");
  const auto* options = std::get_if<sizing::KedaOptions>(&spec.policies.at(0));
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->cooldown_period, std::chrono::minutes(1));
  EXPECT_EQ(options->idle_replica_count, 1);
  EXPECT_EQ(options->compat, sizing::KedaCompat::kKeda);
  EXPECT_EQ(options->triggers.at(0).activation_threshold, 5);
  EXPECT_EQ(options->fallback->behavior, sizing::KedaFallbackBehavior::kCurrentIfHigher);
  EXPECT_EQ(options->modifiers->target, 100);
  ASSERT_EQ(options->resolved.size(), 1u);
  EXPECT_EQ(options->resolved[0].zone.name, "Asia/Shanghai");
}

TEST(KedaManifestTest, SaysWhatIsWrong) {
  const auto problems = [](const std::string& options) {
    return ProblemsOf(ScalerManifest("  policies: [{name: keda, " + options + "}]\n"));
  };
  EXPECT_THAT(problems("scalingModifiers: {formula: \"requests +\", target: 1}"),
              HasSubstr("scalingModifiers.formula: character 11: expected a number"));
  EXPECT_THAT(problems("cron: [{name: a, start: \"61 * * * *\", end: \"0 9 * * *\"}]"),
              HasSubstr("cron[0].start: minute: 61"));
  EXPECT_THAT(problems("cron: [{name: a, timezone: Mars/Base, start: \"1 * * * *\", "
                       "end: \"0 9 * * *\"}]"),
              HasSubstr("cron[0].timezone"));
  EXPECT_THAT(problems("fallback: {replicas: 2}"), HasSubstr("failureThreshold"));
}

TEST(KedaManifestTest, ACronTriggerWakesAPoolWithoutReplicas) {
  const std::string zero = "  minReplicas: 0\n";
  EXPECT_THAT(ProblemsOf(ScalerManifest(zero + "  policies: [keda]\n")),
              HasSubstr("has no metrics that could wake it"));
  EXPECT_EQ(ProblemsOf(ScalerManifest(
                zero + "  policies: [{name: keda, cron: [{name: a, start: \"0 8 * * *\", end: "
                       "\"0 9 * * *\"}]}]\n")),
            "");
}

}  // namespace
}  // namespace tidegate::config
