#include "scheduler/decision/counterfactual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/recorded_story.h"

namespace tidegate::decision {
namespace {

using ::testing::ElementsAre;

TEST(CounterfactualTest, NothingAskedChangesNothing) {
  EXPECT_EQ(Altered(testing::StorySpec(), {}), testing::StorySpec());
}

TEST(CounterfactualTest, StagesAreLeftOut) {
  Counterfactual asked;
  asked.without.Add(guards::Stage::kRateLimit);
  const PoolSpec spec = Altered(testing::StorySpec(), asked);
  EXPECT_TRUE(spec.guards.without.Has(guards::Stage::kRateLimit));
  EXPECT_FALSE(spec.guards.without.Has(guards::Stage::kBounds));
  EXPECT_EQ(spec.config_version, "") << "no configuration says that";
}

TEST(CounterfactualTest, AnotherPolicyComesWithItsDefaultsAndItsGuards) {
  const PolicyEntry* kpa = FindPolicy("kpa");
  const PoolSpec spec = Altered(testing::StorySpec(), {{}, {kpa}});
  EXPECT_THAT(spec.policies, ElementsAre(kpa->options));
  EXPECT_EQ(spec.guards.guarding, kpa->guarding);
}

TEST(CounterfactualTest, APolicyThatThePoolHasKeepsItsOptions) {
  PoolSpec spec = testing::StorySpec();
  const std::size_t index = FindPolicy("forecast")->options.index();
  spec.policies.push_back(FindPolicy("forecast")->options);
  std::get<sizing::ForecastOptions>(spec.policies[1]).quantile = 0.7;
  const PoolSpec altered = Altered(spec, {{}, {FindPolicy("forecast")}});
  ASSERT_EQ(altered.policies.size(), 1U);
  EXPECT_EQ(altered.policies[0].index(), index);
  EXPECT_EQ(altered.policies[0], spec.policies[1]);
}

TEST(CounterfactualTest, ABehaviorOfThePoolActsOnAnyPolicy) {
  PoolSpec spec = testing::StorySpec();
  spec.guards.behavior_written = true;
  const PoolSpec altered = Altered(spec, {{}, {FindPolicy("kpa")}});
  EXPECT_EQ(altered.guards.guarding, FindPolicy("kpa")->with_behavior);
}

TEST(CounterfactualTest, APolicyCountsOnce) {
  const PolicyEntry* kpa = FindPolicy("kpa");
  EXPECT_EQ(Altered(testing::StorySpec(), {{}, {kpa, kpa}}).policies.size(), 1U);
}

TEST(CounterfactualTest, SaysWhatWasAsked) {
  Counterfactual asked;
  asked.without.Add(guards::Stage::kRateLimit);
  asked.without.Add(guards::Stage::kTolerance);
  EXPECT_EQ(ToText(asked), "without tolerance, rateLimit");
  asked.policies = {FindPolicy("kpa"), FindPolicy("schedule")};
  EXPECT_EQ(ToText(asked), "without tolerance, rateLimit, sized by kpa+schedule");
  asked.without = {};
  EXPECT_EQ(ToText(asked), "sized by kpa+schedule");
}

}  // namespace
}  // namespace tidegate::decision
