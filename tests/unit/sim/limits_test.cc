#include "sim/report/limits.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/runner/limits_file.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Instant kFrom = FromUnixMillis(1'800'000'000'000);

// A pool that is looked at each second.
class Looks {
 public:
  explicit Looks(const Limits& limits, const MinuteObjective& objective = {})
      : check_(limits, objective, kFrom, kFrom + minutes(10)) {}

  // 100 requests a second, of which some are lost; the backlog is empty again at the end.
  Looks& For(int count, double lost = 0, double backlog = 0, Replicas ready = 2) {
    for (int i = 0; i < count; ++i) {
      total_.arrived += 100;
      total_.lost += lost;
      moment_.demand = 100;
      moment_.ready = ready;
      moment_.capacity = 60.0 * ready;
      moment_.backlog = backlog;
      check_.Look(at_ += seconds(1), moment_, total_);
    }
    return *this;
  }
  Looks& From(Duration since) {
    at_ = kFrom + since;
    return *this;
  }
  Looks& Decide(const std::string& pool, Replicas wanted, Replicas allowed) {
    decision::Decision decision;
    decision.at = at_;
    decision.pool = {"shop", pool};
    decision.desired.replicas = allowed;
    guards::Limit limit;
    limit.stage = guards::Stage::kBounds;
    limit.before = wanted;
    limit.after = allowed;
    limit.reason = guards::Reason::kTooManyReplicas;
    limit.detail = "maxReplicas is 2";
    decision.desired.limits.push_back(limit);
    check_.Decide(decision);
    return *this;
  }
  Verdict Finish() { return check_.Finish(); }

 private:
  LimitCheck check_;
  Instant at_ = kFrom;
  Moment moment_;
  Flow total_;
};

TEST(LimitCheckTest, CountsWhatWasUsed) {
  const Verdict verdict = Looks({}).For(60).For(60, 0, 0, 3).Finish();
  EXPECT_EQ(verdict.peak_replicas, 3);
  EXPECT_NEAR(verdict.replica_hours, (60 * 2 + 60 * 3) / 3'600.0, 1e-9);
  EXPECT_EQ(verdict.arrived, 12'000);
  EXPECT_EQ(verdict.bad_minutes, 0);
  EXPECT_THAT(verdict.breaches, IsEmpty());
}

TEST(LimitCheckTest, AMinuteIsBadWithTooManyBadRequests) {
  // 60 of 6,000 are 1 %: still good; 61 are not.
  EXPECT_EQ(Looks({}).For(59, 1).For(1, 1).Finish().bad_minutes, 0);
  EXPECT_EQ(Looks({}).For(59, 1).For(1, 2).Finish().bad_minutes, 1);
  // Two bad seconds apart from each other, in one minute and in two.
  EXPECT_EQ(Looks({}).For(1, 100).For(58).For(1, 100).For(60).Finish().bad_minutes, 1);
  EXPECT_EQ(Looks({}).For(59).For(2, 100).For(59).Finish().bad_minutes, 2);
}

TEST(LimitCheckTest, RequestsThatWaitTooLongAreBad) {
  // 121 requests before replicas that serve 120 a second.
  EXPECT_EQ(Looks({}).For(50).For(10, 0, 121).Finish().bad, 1'000);
  EXPECT_EQ(Looks({}).For(50).For(10, 0, 119).Finish().bad, 0);
  EXPECT_EQ(Looks({}, {.wait_seconds = 0.5}).For(10, 0, 61).Finish().bad, 1'000);
  // Nobody serves: what waits waits for ever.
  EXPECT_EQ(Looks({}).For(10, 0, 1, 0).Finish().bad, 1'000);
  EXPECT_EQ(Looks({}).For(10, 0, 0, 0).Finish().bad, 0);
}

TEST(LimitCheckTest, LeavesTheWarmUpOut) {
  const Verdict verdict = Looks({.bad_minutes = 0, .replicas = 2})
                              .From(minutes(-2))
                              .For(120, 50, 0, 9)
                              .For(60)
                              .Finish();
  EXPECT_EQ(verdict.peak_replicas, 2);
  EXPECT_EQ(verdict.bad_minutes, 0);
  EXPECT_EQ(verdict.arrived, 6'000);
  EXPECT_NEAR(verdict.replica_hours, 120 / 3'600.0, 1e-9);
}

TEST(LimitCheckTest, LeavesOutWhatComesAfter) {
  EXPECT_EQ(Looks({}).From(minutes(10)).For(60, 50, 0, 9).Finish().peak_replicas, 0);
}

TEST(LimitCheckTest, SaysWhichLimitWasPassedWhenAndWhy) {
  const Verdict verdict = Looks({.bad_minutes = 1, .replicas = 4})
                              .For(60)
                              .For(60, 50)
                              .Decide("edge", 7, 2)
                              .For(30)
                              .For(30, 0, 300)
                              .For(60)
                              .Finish();
  EXPECT_EQ(verdict.bad_minutes, 2);
  ASSERT_THAT(verdict.breaches, SizeIs(1));
  const LimitBreach& breach = verdict.breaches[0];
  EXPECT_EQ(breach.kind, LimitKind::kBadMinutes);
  EXPECT_EQ(breach.allowed, 1);
  EXPECT_EQ(breach.reached, 2);
  EXPECT_EQ(breach.at, kFrom + seconds(151));
  EXPECT_THAT(breach.why, HasSubstr("demand 100.0 rps, capacity 120.0 rps; 2 ready"));
  EXPECT_THAT(breach.why, HasSubstr("requests wait 2.5 s"));
  EXPECT_THAT(breach.why, HasSubstr("7 wanted, 2 allowed: maxReplicas is 2"));
  EXPECT_THAT(breach.decision, HasSubstr("shop/edge"));
  EXPECT_THAT(breach.decision, HasSubstr("bounds: 7 -> 2"));
}

TEST(LimitCheckTest, ALimitIsPassedOnceAndOnlyBeyondIt) {
  EXPECT_THAT(Looks({.replicas = 3}).For(60, 0, 0, 3).Finish().breaches, IsEmpty());
  const Verdict over =
      Looks({.replicas = 3}).For(5, 0, 0, 3).For(5, 0, 0, 4).For(5, 0, 0, 6).Finish();
  ASSERT_THAT(over.breaches, SizeIs(1));
  EXPECT_EQ(over.breaches[0].at, kFrom + seconds(6));
  EXPECT_EQ(over.breaches[0].reached, 6);
}

TEST(LimitCheckTest, CostIsPassedWhereItAddsUp) {
  // Two replicas use 0.1 hours in 180 s.
  const Verdict verdict = Looks({.replica_hours = 0.1}).For(240).Finish();
  ASSERT_THAT(verdict.breaches, SizeIs(1));
  EXPECT_EQ(verdict.breaches[0].kind, LimitKind::kReplicaHours);
  EXPECT_GE(verdict.breaches[0].at, kFrom + seconds(180));
  EXPECT_LE(verdict.breaches[0].at, kFrom + seconds(181));
  EXPECT_NEAR(verdict.breaches[0].reached, 480 / 3'600.0, 1e-9);
}

TEST(LimitCheckTest, TellsAllLimitsInOneOrder) {
  const Verdict verdict =
      Looks({.bad_minutes = 0, .replicas = 1, .replica_hours = 0}).For(30).For(40, 50).Finish();
  ASSERT_THAT(verdict.breaches, SizeIs(3));
  EXPECT_EQ(verdict.breaches[0].kind, LimitKind::kBadMinutes);
  EXPECT_EQ(verdict.breaches[1].kind, LimitKind::kReplicas);
  EXPECT_EQ(verdict.breaches[2].kind, LimitKind::kReplicaHours);
}

class LoadLimitsTest : public ::testing::Test {
 protected:
  std::string Load(const std::string& text) {
    const auto file = dir_.Write("limits.yaml", text).string();
    std::string problems = LoadLimits(file, &limits_, &objective_).text();
    for (auto at = problems.find(file); at != std::string::npos; at = problems.find(file))
      problems.erase(at, file.size() + 1);
    return problems;
  }

  testing::TempDir dir_;
  Limits limits_;
  MinuteObjective objective_;
};

TEST_F(LoadLimitsTest, ReadsAll) {
  EXPECT_EQ(Load("limits: {badMinutes: 2, replicas: 20, replicaHours: 3.5}\n"
                 "objective: {wait: 500ms, badFraction: 0.001}\n"),
            "");
  EXPECT_EQ(limits_.bad_minutes, 2);
  EXPECT_EQ(limits_.replicas, 20);
  EXPECT_EQ(limits_.replica_hours, 3.5);
  EXPECT_EQ(objective_.wait_seconds, 0.5);
  EXPECT_EQ(objective_.bad_fraction, 0.001);
}

TEST_F(LoadLimitsTest, ReadsTheExampleOfTheTree) {
  EXPECT_EQ(
      LoadLimits(TIDEGATE_SOURCE_DIR "/sim/scenarios/limits.yaml", &limits_, &objective_).text(),
      "");
  EXPECT_EQ(limits_.bad_minutes, 1);
  EXPECT_EQ(limits_.replicas, 12);
  EXPECT_EQ(limits_.replica_hours, 1.5);
  EXPECT_EQ(limits_.cost_multiple, 3);
}

TEST_F(LoadLimitsTest, LeavesAloneWhatIsNotGiven) {
  limits_.replicas = 7;
  EXPECT_EQ(Load("limits: {badMinutes: 0}\n"), "");
  EXPECT_EQ(limits_.bad_minutes, 0);
  EXPECT_EQ(limits_.replicas, 7);
  EXPECT_FALSE(limits_.replica_hours);
  EXPECT_EQ(objective_.wait_seconds, 1);
}

TEST_F(LoadLimitsTest, SaysAllThatIsWrong) {
  const std::string problems = Load(
      "limits:\n  badMinutes: -1\n  replica: 3\nobjective:\n  badFraction: 99\n  wait: "
      "soon\n");
  EXPECT_THAT(problems, HasSubstr("2:15: limits.badMinutes"));
  EXPECT_THAT(problems, HasSubstr("3:3: limits.replica"));
  EXPECT_THAT(problems, HasSubstr("5:16: objective.badFraction: expected a share"));
  EXPECT_THAT(problems, HasSubstr("6:9: objective.wait"));
  EXPECT_THAT(Load(""), HasSubstr("expected one document with limits"));
  EXPECT_THAT(Load("objective: {}\n"), HasSubstr("limits"));
}

}  // namespace
}  // namespace tidegate::sim
