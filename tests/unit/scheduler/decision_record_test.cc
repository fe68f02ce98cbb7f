#include "scheduler/journal/decision_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/catalog.h"

namespace tidegate::journal {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Instant At(int seconds) { return FromUnixMillis(1'795'651'200'000 + 1000LL * seconds); }

decision::Decision FullDecision() {
  decision::Decision decision;
  decision.at = At(1);
  decision.pool = {"istio-system", "edge"};
  decision.config_version = "c0ffee00";
  decision.revision = "1a2b3c4d";
  decision.current = 4;
  decision.min = 2;
  decision.max = 60;
  decision.counts = {1, 4, 2, 3};
  decision.readings = {{"rps", signals::Quality::kPartial, 812.25, Duration(3200), 3, 4, "3 of 4"}};
  decision.proposals = {
      {"rps", signals::Quality::kPartial, 812.25, 100, Duration(3200), 9, "note", true},
      {"lat", signals::Quality::kNaN, 0, 5, Duration(1), std::nullopt, "nan"}};
  decision.desired = {9,
                      9,
                      8,
                      guards::Reason::kScaleUpLimit,
                      {{guards::Stage::kRateLimit, guards::Reason::kScaleUpLimit, 9, 8, "4 pods"}}};
  decision.plan.steps = {
      {rollout::StepKind::kDrain, "edge-3", "1a2b3c4d", rollout::StepReason::kRepeat}};
  decision.plan.deferred = {{rollout::StepKind::kStart, 3, "B3"}};
  decision.plan.use = {1, 2, 3, 4, 5, 6};
  decision.plan.foresight = {12, 4, 2, "deadlock"};
  decision.plan.complete = true;
  decision.dry_run = true;
  decision.error = "error";
  return decision;
}

decision::PoolState FullState() {
  decision::PoolState state;
  state.guards.desired = 8;
  state.guards.recommendations = {{At(0), 9}, {At(5), 7}};
  state.guards.events = {{At(0), 4}, {At(5), -1}};
  state.guards.bad_since = At(3);
  state.rollout.size = 8;
  state.rollout.next_ordinal = 1'000'000'000'000;
  state.rollout.pending = {{rollout::StepKind::kDrain, "edge-3", "1a2b3c4d", At(4)}};
  state.rollout.counted_failures = {"edge-1", "edge-2"};
  state.rollout.failing = "1a2b3c4d";
  state.rollout.failed_starts = 2;
  state.rollout.retry_at = At(9);
  return state;
}

TEST(DecisionRecordTest, DecisionComesBackEqual) {
  const auto decoded = DecodeDecision(EncodeDecision(FullDecision()));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(*decoded, FullDecision());
}

TEST(DecisionRecordTest, StateComesBackEqual) {
  const auto decoded = DecodeState(EncodeState(FullState()));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(*decoded, FullState());
}

TEST(DecisionRecordTest, EmptyValuesComeBackEqual) {
  EXPECT_EQ(*DecodeState(EncodeState({})), decision::PoolState{});
  EXPECT_EQ(*DecodeDecision(EncodeDecision({})), decision::Decision{});
}

TEST(DecisionRecordTest, RefusesBytesThatAreNoRecord) {
  for (const std::string bytes : {"", "\xff\xff\xff", "not a record"}) {
    EXPECT_FALSE(DecodeState(bytes).has_value());
    EXPECT_FALSE(DecodeDecision(bytes).has_value());
  }
}

TEST(DecisionRecordTest, RefusesATruncatedRecord) {
  const std::string bytes = EncodeDecision(FullDecision());
  EXPECT_FALSE(DecodeDecision(std::string_view(bytes).substr(0, bytes.size() - 1)).has_value());
}

TEST(DecisionRecordTest, RefusesANewerSchema) {
  std::string bytes = EncodeState(FullState());
  ASSERT_EQ(bytes.substr(0, 2), std::string("\x08\x01"));  // field 1, varint 1
  bytes[1] = 2;
  const auto decoded = DecodeState(bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_NE(decoded.error().message.find("schema 2"), std::string::npos);
}

TEST(DecisionRecordTest, RefusesAnEnumeratorWithoutMeaning) {
  decision::Decision decision = FullDecision();
  decision.desired.reason = static_cast<guards::Reason>(99);
  const auto decoded = DecodeDecision(EncodeDecision(decision));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_NE(decoded.error().message.find("reason 99"), std::string::npos);
}

// The full state, of a pool that kpa sizes.
decision::PoolState StateOfKpa() {
  decision::PoolState state = FullState();
  PolicyMemory memory = FindPolicy("kpa")->memory;
  std::get<sizing::KpaMemory>(memory).last_tick = At(2);
  std::get<sizing::KpaMemory>(memory).zero = {sizing::KpaActivity::kActive, At(1), At(0)};
  state.policies = {memory};
  return state;
}

// Of the same length, so that the record around it stays whole.
std::string Replaced(std::string bytes, std::string_view from, std::string_view to) {
  EXPECT_EQ(from.size(), to.size());
  const std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return bytes.replace(at, to.size(), to);
}

TEST(DecisionRecordTest, PassesOverAFieldOfAnotherVersionsMemory) {
  const std::string bytes = EncodeState(StateOfKpa());
  std::vector<std::string> forgotten;
  const auto decoded = DecodeState(Replaced(bytes, "since", "hence"), &forgotten);
  ASSERT_TRUE(decoded) << decoded.error().message;
  decision::PoolState expected = StateOfKpa();
  std::get<sizing::KpaMemory>(expected.policies[0]).zero.since = {};
  EXPECT_EQ(*decoded, expected);
  EXPECT_THAT(forgotten, IsEmpty());
}

TEST(DecisionRecordTest, AMemoryThatCannotBeReadCostsNothingElse) {
  const std::string bytes = EncodeState(StateOfKpa());
  std::vector<std::string> forgotten;
  const auto decoded =
      DecodeState(Replaced(bytes, R"("lastTick":"2)", R"("lastTick":"x)"), &forgotten);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, FullState());
  EXPECT_THAT(forgotten, ElementsAre(AllOf(HasSubstr("kpa remembers"), HasSubstr("lastTick"))));
}

TEST(DecisionRecordTest, APolicyThatIsNotKnownIsForgotten) {
  const std::string bytes = EncodeState(StateOfKpa());
  std::vector<std::string> forgotten;
  const auto decoded = DecodeState(Replaced(bytes, "kpa", "apk"), &forgotten);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, FullState());
  EXPECT_THAT(forgotten, ElementsAre(HasSubstr("no policy is called apk")));
}

TEST(DecisionRecordTest, RefusesASizeOutOfRange) {
  decision::PoolState state = FullState();
  state.guards.desired = -1;
  EXPECT_FALSE(DecodeState(EncodeState(state)).has_value());
}

}  // namespace
}  // namespace tidegate::journal
