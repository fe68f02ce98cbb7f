#include "sim/runner/field_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/compile.h"

namespace tidegate::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScenario = TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml";

Sources Shipped() {
  Sources sources;
  sources.scenario = ReadScenario(kScenario);
  const config::Loaded loaded =
      config::Load({TIDEGATE_SOURCE_DIR "/sim/scenarios/edge"}, {}, &sources.manifests);
  EXPECT_EQ(loaded.problems.text(), "");
  return sources;
}

config::Node Scalar(const std::string& text) {
  config::Node node;
  node.kind = config::Node::Kind::kScalar;
  node.text = text;
  return node;
}

std::string SetError(const std::string& path, Sources sources = Shipped()) {
  const auto parsed = ParseFieldPath(path);
  if (!parsed) return parsed.error().message;
  const auto set = SetField(*parsed, Scalar("7"), sources);
  return set ? "" : set.error().message;
}

// What the manifests say once the field is set.
config::Compiled With(const std::string& path, const std::string& value) {
  Sources sources = Shipped();
  const auto set = SetField(*ParseFieldPath(path), Scalar(value), sources);
  EXPECT_TRUE(set) << set.error().message;
  return config::Compile(config::LoadDocuments(sources.manifests, {}));
}

TEST(FieldPathTest, TakesPathsApart) {
  const auto path = ParseFieldPath(R"(gateway[shop/edge].metadata.annotations["a.b/c"])");
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(path->root, FieldPath::Root::kGateway);
  EXPECT_EQ(path->object, "shop/edge");
  ASSERT_EQ(path->steps.size(), 3U);
  EXPECT_EQ(path->steps[1].text, "annotations");
  EXPECT_EQ(path->steps[2].text, "a.b/c");
  EXPECT_FALSE(path->steps[2].item);
  EXPECT_TRUE(ParseFieldPath("scaler.spec.signals[requests].target")->steps[2].item);
}

TEST(FieldPathTest, RefusesWhatIsNoPath) {
  for (const char* text :
       {"", ".", "scaler", "scaler.", "scaler..spec", "scaler.spec[", "scaler.spec[]",
        "scaler.spec[\"a]", "[edge].spec", "scaler.spec x", "scaler.spec[\"\"]"}) {
    EXPECT_FALSE(ParseFieldPath(text)) << text;
  }
  std::string deep = "scaler";
  for (int i = 0; i < 1'000; ++i) deep += ".a";
  EXPECT_FALSE(ParseFieldPath(deep));
  EXPECT_THAT(ParseFieldPath("scalar.spec.x").error().message, HasSubstr("did you mean scaler?"));
}

TEST(FieldPathTest, SetsFieldsOfManifests) {
  auto compiled = With("scaler.spec.signals[requests].target.perReplica", "77");
  EXPECT_EQ(compiled.problems.text(), "");
  EXPECT_EQ(compiled.config.pools.at(0).targets.at(0).per_replica, 77);
  compiled = With("scaler[edge].spec.signals[0].target.perReplica", "78");
  EXPECT_EQ(compiled.config.pools.at(0).targets.at(0).per_replica, 78);
  compiled = With("gateway[istio-system/edge].spec.replicaCount", "5");
  EXPECT_EQ(compiled.config.pools.at(0).declared, 5);
}

TEST(FieldPathTest, AddsFieldsAndLeavesTheRestToTheReader) {
  EXPECT_EQ(With("scaler.spec.pace.up", "immediate").problems.text(), "");
  EXPECT_THAT(With("scaler.spec.maxReplicaz", "9").problems.text(),
              HasSubstr("spec.maxReplicaz: unknown field; did you mean maxReplicas?"));
  EXPECT_THAT(With("scaler.spec.maxReplicas", "many").problems.text(), HasSubstr("got many"));
}

TEST(FieldPathTest, SetsFieldsOfTheScenario) {
  Sources sources = Shipped();
  ASSERT_TRUE(SetField(*ParseFieldPath("scenario.spec.tick"), Scalar("9s"), sources));
  ASSERT_TRUE(SetField(*ParseFieldPath("scenario.spec.metrics.mode"), Scalar("promql"), sources));
  const LoadedScenario loaded = LoadScenario(sources.scenario);
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.scenario.tick, std::chrono::seconds(9));
  EXPECT_TRUE(loaded.scenario.metrics.promql);
}

TEST(FieldPathTest, LeavesOtherHoldersOfADocumentAlone) {
  const Sources before = Shipped();
  Sources changed = before;
  ASSERT_TRUE(SetField(*ParseFieldPath("gateway.spec.replicaCount"), Scalar("5"), changed));
  const auto compiled = config::Compile(config::LoadDocuments(before.manifests, {}));
  EXPECT_EQ(compiled.config.pools.at(0).declared, 2);
}

TEST(FieldPathTest, SaysWhereAPathLeadsNowhere) {
  EXPECT_EQ(SetError("scaler.spec.maxReplicas"), "");
  EXPECT_THAT(SetError("scaler[egde].spec.maxReplicas"), HasSubstr("did you mean edge?"));
  EXPECT_THAT(SetError("scaler.spec.signals[request].target"), HasSubstr("did you mean requests?"));
  EXPECT_THAT(SetError("scaler.spec.signals[3].target"), HasSubstr("the list has 1 items"));
  EXPECT_THAT(SetError("scaler.spec[0]"), HasSubstr("no list here"));
  EXPECT_THAT(SetError("scaler.spec.maxReplicas.deeper"), HasSubstr("no map of fields"));
  EXPECT_THAT(SetError("scenario.spec.manifests[0]"), HasSubstr("read once"));
  EXPECT_THAT(SetError("scaler.spec.maxReplicas", {ReadScenario(kScenario), {}}),
              HasSubstr("hold no GatewayScaler"));
}

TEST(FieldPathTest, FindsObjectsInLists) {
  Sources sources;
  const auto path = ParseFieldPath("scaler[b].spec.maxReplicas");
  config::Node list;
  list.kind = config::Node::Kind::kMap;
  const config::LoadLimits limits;
  config::LoadBudget budget{10, 10'000};
  config::Problems problems;
  const auto file = std::make_shared<const std::string>("list.yaml");
  auto documents = config::ParseYaml(
      "{kind: List, items: [{kind: GatewayScaler, metadata: {name: a}, spec: {maxReplicas: 1}},\n"
      "                     {kind: GatewayScaler, metadata: {name: b}, spec: {maxReplicas: 1}}]}",
      file, limits, budget, problems);
  ASSERT_EQ(problems.text(), "");
  sources.manifests.push_back({file, std::make_shared<const config::Node>(documents.at(0))});
  ASSERT_TRUE(SetField(*path, Scalar("7"), sources));
  const config::Node& items = sources.manifests[0].root->items.at(1);
  EXPECT_THAT(config::CanonicalText(items.items.at(0)), Not(HasSubstr("7")));
  EXPECT_THAT(config::CanonicalText(items.items.at(1)), HasSubstr("7"));
}

}  // namespace
}  // namespace tidegate::sim
