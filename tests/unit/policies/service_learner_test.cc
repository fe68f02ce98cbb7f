#include "policies/sizing/service_learner.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

// A pool of 10 replicas x 8 workers, 50 ms configured, looked at every 5 s.
class ServiceLearnerTest : public testing::Test {
 protected:
  PoolObserved Calm(double service_seconds) const {
    return {.now = now_, .ready = 10, .rate = 400, .inflight = 400 * service_seconds};
  }
  double Look(PoolObserved observed) {
    observed.now = now_;
    const double seconds = LearnService(options_, model_, observed, memory_);
    now_ += Duration(5'000);
    return seconds;
  }
  double LookFor(int minutes, const PoolObserved& observed) {
    double seconds = 0;
    for (int i = 0; i < minutes * 12; ++i) seconds = Look(observed);
    return seconds;
  }

  LearnOptions options_;
  QueueModel model_;
  ServiceMemory memory_;
  Instant now_ = kStart;
};

TEST_F(ServiceLearnerTest, BelievesTheConfigurationAtFirst) {
  EXPECT_EQ(Look(Calm(0.08)), 0.05);
  EXPECT_EQ(Look(Calm(0.08)), 0.05) << "five seconds say nothing yet";
}

TEST_F(ServiceLearnerTest, ConvergesToWhatLittlesLawSays) {
  EXPECT_NEAR(LookFor(15, Calm(0.08)), 0.08, 1e-9);
  EXPECT_NEAR(LookFor(60, Calm(0.03)), 0.03, 1e-6);
}

TEST_F(ServiceLearnerTest, MovesATenthPerMinuteAtMost) {
  double before = LookFor(2, Calm(0.1));
  for (int minute = 0; minute < 5; ++minute) {
    const double after = LookFor(1, Calm(0.1));
    EXPECT_NEAR(after / before, 1.1, 1e-9);
    before = after;
  }
  for (int minute = 0; minute < 30; ++minute) LookFor(1, Calm(0.02));
  before = LookFor(1, Calm(0.02));
  EXPECT_GE(LookFor(1, Calm(0.02)) / before, 1 / 1.1 - 1e-9);
}

TEST_F(ServiceLearnerTest, StaysWithinAFactorOfTheConfiguration) {
  PoolObserved slow = Calm(0.05);
  slow.rate = 20;
  slow.inflight = 20 * 1.0;  // a second each: 20 of 80 workers
  EXPECT_DOUBLE_EQ(LookFor(60, slow), 0.2);
  EXPECT_DOUBLE_EQ(LookFor(120, Calm(0.001)), 0.0125);
}

TEST_F(ServiceLearnerTest, ABusyPoolTeachesNothing) {
  PoolObserved busy = Calm(0.05);
  busy.inflight = 70;  // of 80 workers: some of it is waiting
  EXPECT_EQ(LookFor(30, busy), 0.05);
  EXPECT_EQ(memory_.requests, 0);
  busy.inflight = 300;
  EXPECT_EQ(LookFor(30, busy), 0.05);
}

TEST_F(ServiceLearnerTest, OneWorkerIsCalmOnlyWhenAlmostIdle) {
  model_.workers = 1;
  PoolObserved observed{.ready = 10, .rate = 20, .inflight = 1.6};  // 16 % busy
  EXPECT_EQ(LookFor(30, observed), 0.05);
  observed.inflight = 0.7;  // 7 % busy, 35 ms
  EXPECT_NEAR(LookFor(30, observed), 0.035, 1e-6);
}

TEST_F(ServiceLearnerTest, LatencyStandsInForRequestsInside) {
  PoolObserved observed{.ready = 10, .rate = 400, .latency = 0.16098};
  // The 99th percentile of lognormal times with mean 60 ms and cv 0.5 is 161 ms.
  const double variance = std::log(1.25);
  EXPECT_NEAR(0.06 * std::exp(2.32635 * std::sqrt(variance) - variance / 2), 0.16098, 1e-4);
  EXPECT_NEAR(LookFor(30, observed), 0.06, 1e-4);
}

TEST_F(ServiceLearnerTest, AbsenceOfDataTeachesNothing) {
  LookFor(15, Calm(0.08));
  const double learned = memory_.seconds;
  for (const PoolObserved& observed :
       {PoolObserved{.ready = 10}, PoolObserved{.ready = 10, .inflight = 5},
        PoolObserved{.ready = 10, .rate = 400},
        PoolObserved{.ready = 0, .rate = 400, .inflight = 3},
        PoolObserved{.ready = 10, .rate = 0, .inflight = 0}}) {
    EXPECT_NEAR(LookFor(30, observed), learned, 1e-9);
  }
}

TEST_F(ServiceLearnerTest, AnOutageIsNotEvidenceForItsLength) {
  Look(Calm(0.2));
  now_ += std::chrono::hours(5);
  Look(Calm(0.2));
  EXPECT_LE(memory_.weight, 60);
}

TEST_F(ServiceLearnerTest, AClockSetBackIsForgiven) {
  LookFor(15, Calm(0.08));
  now_ -= std::chrono::hours(1);
  EXPECT_NEAR(Look(Calm(0.08)), 0.08, 1e-9);
  EXPECT_NEAR(LookFor(20, Calm(0.06)), 0.06, 1e-3);
}

TEST_F(ServiceLearnerTest, CanBeSwitchedOff) {
  LookFor(15, Calm(0.08));
  options_.enabled = false;
  EXPECT_EQ(Look(Calm(0.08)), 0.05);
  EXPECT_EQ(memory_, ServiceMemory{});
}

TEST_F(ServiceLearnerTest, ANewConfigurationBoundsWhatWasLearned) {
  LookFor(30, Calm(0.09));
  model_.service.seconds = 0.01;
  EXPECT_LE(Look(Calm(0.09)), 0.04);
}

}  // namespace
}  // namespace tidegate::sizing
