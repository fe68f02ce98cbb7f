// The policy `tide` where something is wrong: clocks, counts, starts and services.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/sizing/tide.h"
#include "tests/testing/tide_life.h"

namespace tidegate::sizing {
namespace {

using ::testing::HasSubstr;

class TideTroubleTest : public ::testing::Test, protected testing::TideLife {
 protected:
  static double Calm(int) { return 1'600; }
  static constexpr int kHour = 720;
};

TEST_F(TideTroubleTest, APoolThatWasJustMetIsNotShrunk) {
  current_ = 100;
  SetReady(100);
  EXPECT_EQ(Live(12, Calm), 100);
  EXPECT_THAT(note_, HasSubstr("just met"));
  EXPECT_LT(Live(24, Calm), 20);
}

TEST_F(TideTroubleTest, AFullPoolIsNotShrunkThoughItServesLess) {
  targets_.push_back({"inside", std::nullopt, signals::Measure::kInflight});
  inside_ = 60;
  current_ = 12;
  SetReady(12);
  Live(kHour, Calm);
  inside_ = 12 * 8 + 500.0;  // each takes ten times as long
  EXPECT_GE(Replica(192), 12);
  EXPECT_THAT(note_, HasSubstr("a full pool is not shrunk"));
  inside_ = 60;
  EXPECT_LT(Live(24, Calm), 13);
}

TEST_F(TideTroubleTest, AClockThatJumpsAheadAndBackLeavesNothingBehind) {
  const Replicas before = Live(kHour, Calm);
  const Instant now = now_;
  now_ += std::chrono::hours(1);
  EXPECT_GT(Replica(16'000), 100);
  now_ = now;
  EXPECT_LE(Live(24, Calm), before + 1);
  EXPECT_GT(memory_.panel.seconds, 3'000) << "what was learned is kept";
}

TEST_F(TideTroubleTest, AClockThatIsSetBackIsNoReasonForAnything) {
  for (const int seconds : {15, 60, 600, 86'400}) {
    TideLife pool;
    for (int i = 0; i < 20; ++i)
      pool.each_.push_back({"r" + std::to_string(10 + i), 80, Duration(2'000)});
    for (std::size_t i = 0; i < 20; ++i) pool.replicas_[i].name = pool.each_[i].replica;
    const Replicas before = pool.Live(kHour / 2, Calm);
    pool.now_ -= std::chrono::seconds(seconds);
    for (auto& replica : pool.replicas_) *replica.ready_at -= std::chrono::days(2);
    EXPECT_LE(pool.Live(24, Calm), before + 2) << seconds;
    EXPECT_GE(pool.memory_.trend.level_variance, 0) << seconds;
    EXPECT_GE(pool.memory_.trend.slope_variance, 0) << seconds;
  }
}

TEST_F(TideTroubleTest, RatesThatNoPoolHasAskForAllAndAreSoonForgotten) {
  const Replicas before = Live(kHour, Calm);
  for (const double rate : {1e9, 1e18, 1e300, std::numeric_limits<double>::max()}) {
    TideLife pool = *this;
    EXPECT_GE(pool.Replica(rate), 1'000) << rate;
    EXPECT_LE(pool.Live(kHour / 4, Calm), 10 * before) << rate;
    EXPECT_LE(pool.Live(2 * kHour, Calm), 2 * before) << rate;
  }
}

TEST_F(TideTroubleTest, AStartThatIsStuckMakesNoLeadOfHours) {
  for (auto& replica : replicas_) replica.ready_at = replica.started + std::chrono::hours(3);
  now_ += std::chrono::hours(4);
  Replica(1'600);
  EXPECT_EQ(memory_.startup_seconds, 300);
}

// Samples come each 15 s and replicas start in one.
TEST_F(TideTroubleTest, DoublingSeesReadingsInBetween) {
  current_ = 1;
  SetReady(1);
  EXPECT_EQ(Replica(160), 2);
  Replicas ready = 1;
  for (int i = 0; i < 2; ++i) {
    const Replicas more = Replica(160);
    for (; ready < more; ++ready) {
      signals::ReplicaView view = replicas_[0];
      view.name = "s" + std::to_string(ready);
      view.since = now_ - std::chrono::seconds(1);
      view.ready_at = view.since;
      replicas_.push_back(view);
    }
  }
  EXPECT_LE(Replica(160), 4);
}

TEST_F(TideTroubleTest, AMemoryThatNoPoolCanHaveIsBegunAnew) {
  for (int i = 0; i < 20; ++i) each_.push_back({"r" + std::to_string(10 + i), 80, Duration(2'000)});
  for (std::size_t i = 0; i < 20; ++i) replicas_[i].name = each_[i].replica;
  Live(24, Calm);
  TrendMemory& trend = memory_.trend;
  trend.scale = 1e29;
  trend.level_variance = trend.slope_variance = 5e59;
  EXPECT_LT(Replica(1'600), 30);
  EXPECT_LT(trend.scale, 1e5);
}

}  // namespace
}  // namespace tidegate::sizing
