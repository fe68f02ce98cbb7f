#include "sim/report/notable.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using decision::Decision;
using guards::Reason;
using ::testing::ElementsAre;

const PoolId kPool{"ns", "edge"};

Decision Sized(int second, Replicas from, Replicas to,
               Reason reason = Reason::kDesiredWithinRange) {
  Decision decision;
  decision.at = FromUnixMillis(1'000 * second);
  decision.pool = kPool;
  decision.current = from;
  decision.desired.replicas = to;
  decision.desired.reason = reason;
  return decision;
}

std::vector<std::string> MarksOf(const Notables& notables) {
  std::vector<std::string> marks;
  for (const Notable& notable : notables.kept) marks.emplace_back(Name(notable.mark));
  return marks;
}

TEST(NotableTest, RepetitionsAreLeftOut) {
  const std::vector<Decision> decisions{Sized(0, 2, 2), Sized(60, 2, 2), Sized(90, 2, 4),
                                        Sized(95, 4, 4), Sized(120, 4, 3)};
  const Notables notables = FindNotable(decisions, kPool, 100);
  EXPECT_THAT(MarksOf(notables), ElementsAre("note", "grow", "shrink"));
  EXPECT_EQ(notables.kept[1].decision, &decisions[2]);
  EXPECT_EQ(notables.left_out, 0u);
}

TEST(NotableTest, AnotherReasonIsTold) {
  const std::vector<Decision> decisions{Sized(0, 2, 2), Sized(1, 2, 2, Reason::kSamplesNotOk),
                                        Sized(2, 2, 2, Reason::kSamplesNotOk),
                                        Sized(3, 2, 2, Reason::kScaleDownStabilized)};
  EXPECT_THAT(MarksOf(FindNotable(decisions, kPool, 100)), ElementsAre("note", "held", "note"));
}

TEST(NotableTest, StepsAndErrorsAreToldAtTheSameSize) {
  std::vector<Decision> decisions{Sized(0, 2, 2), Sized(1, 2, 2), Sized(2, 2, 2)};
  decisions[1].plan.steps.push_back({rollout::StepKind::kStart, "edge-1", Revision("a"), {}});
  decisions[2].error = "the fleet is silent";
  EXPECT_THAT(MarksOf(FindNotable(decisions, kPool, 100)), ElementsAre("note", "steps", "held"));
}

// A dry run, whose steps nobody takes, plans the same ones over and over.
TEST(NotableTest, TheSameStepsAgainAreNotTold) {
  std::vector<Decision> decisions{Sized(0, 2, 2), Sized(1, 2, 2), Sized(2, 2, 2), Sized(3, 2, 2)};
  for (std::size_t i = 1; i < 4; ++i) {
    decisions[i].plan.steps.push_back(
        {rollout::StepKind::kStart, i < 3 ? "edge-1" : "edge-2", Revision("a"), {}});
  }
  EXPECT_THAT(MarksOf(FindNotable(decisions, kPool, 100)), ElementsAre("note", "steps", "steps"));
}

TEST(NotableTest, OtherPoolsAreNotMixedIn) {
  std::vector<Decision> decisions{Sized(0, 2, 2), Sized(1, 5, 9), Sized(2, 2, 3)};
  decisions[1].pool = {"ns", "other"};
  EXPECT_THAT(MarksOf(FindNotable(decisions, kPool, 100)), ElementsAre("note", "grow"));
}

TEST(NotableTest, OfTooManyTheLargestOfEachStretchStays) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 1'000; ++i) {
    decisions.push_back(Sized(i, 10, i == 333 ? 60 : i == 871 ? 1 : 11));
  }
  const Notables notables = FindNotable(decisions, kPool, 20);
  ASSERT_EQ(notables.kept.size(), 20u);
  EXPECT_EQ(notables.left_out, 980u);
  EXPECT_EQ(notables.kept[6].decision, &decisions[333]);
  EXPECT_EQ(notables.kept[17].decision, &decisions[871]);
  for (std::size_t i = 1; i < notables.kept.size(); ++i) {
    EXPECT_LT(notables.kept[i - 1].decision->at, notables.kept[i].decision->at);
  }
}

}  // namespace
}  // namespace tidegate::sim
