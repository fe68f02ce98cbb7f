#include "policies/sizing/queueing.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

using testing::HasSubstr;
using testing::Not;

class QueueingTest : public testing::Test {
 protected:
  QueueingSize Look(const PoolObserved& observed, Replicas size) {
    PoolObserved now = observed;
    now.now = now_;
    now_ += Duration(5'000);
    return SizeByQueue(options_, model_, now, size, memory_);
  }

  QueueingOptions options_;
  QueueModel model_;
  QueueingMemory memory_;
  Instant now_ = FromUnixMillis(1'767'225'600'000);
};

TEST_F(QueueingTest, IsTheFewestThatKeepTheObjectiveWithRoomToSpare) {
  CapacityTable table(model_);
  for (const Rate rate : {0.5, 90.0, 480.0, 5'000.0}) {
    const QueueingSize size = Look({.ready = 3, .rate = rate}, 3);
    ASSERT_TRUE(size.replicas);
    EXPECT_GE(table.RateOf(*size.replicas) * options_.utilization, rate);
    if (*size.replicas > 1) {
      EXPECT_LT(table.RateOf(*size.replicas - 1) * options_.utilization, rate);
    }
    EXPECT_GE(size.per_replica * *size.replicas, rate);
  }
}

TEST_F(QueueingTest, ExplainsItsArithmetic) {
  const QueueingSize size = Look({.ready = 5, .rate = 1'000}, 5);
  EXPECT_EQ(size.replicas, 10);
  EXPECT_EQ(size.note,
            "1000/s at 50 ms each keep 10 replicas x 8 workers 62 % busy; 99.9 % within 250 ms "
            "allows 98 %");
}

TEST_F(QueueingTest, NoRateIsNoOpinionAndNoLoadIsNone) {
  EXPECT_FALSE(Look({.ready = 5}, 5).replicas);
  EXPECT_EQ(Look({.ready = 5, .rate = 0}, 5).replicas, 0);
}

TEST_F(QueueingTest, CountsWhatWaits) {
  const Replicas without = *Look({.ready = 5, .rate = 790, .inflight = 40}, 5).replicas;
  // 600 wait: 20/s more to be rid of them in 30 s.
  EXPECT_GT(*Look({.ready = 5, .rate = 790, .inflight = 40 + 6'000}, 5).replicas, without);
  const Replicas most = *Look({.ready = 5, .rate = 790, .inflight = 1e9}, 5).replicas;
  EXPECT_EQ(most, *Look({.ready = 5, .rate = 1'580}, 5).replicas) << "twice the rate at most";
}

TEST_F(QueueingTest, GrowsWithTheServiceTimeThatItLearns) {
  const PoolObserved slow{.ready = 40, .rate = 1'000, .inflight = 100};  // 100 ms each
  const Replicas before = *Look(slow, 40).replicas;
  for (int i = 0; i < 600; ++i) Look(slow, 40);
  const QueueingSize after = Look(slow, 40);
  EXPECT_GT(*after.replicas, 1.9 * before);
  EXPECT_LT(*after.replicas, 2.3 * before);
  EXPECT_THAT(after.note, HasSubstr("what is behind the pool is slow"));
}

TEST_F(QueueingTest, WhatALookSaysOfTheServiceTimeCountsFromTheNextOneOn) {
  const PoolObserved fast{.ready = 40, .rate = 1'000, .inflight = 30};
  for (int i = 0; i < 30; ++i) Look(fast, 40);
  // More requests in the same time would make each of them shorter.
  QueueingMemory other = memory_;
  const Replicas fewer =
      *Look({.now = now_, .ready = 40, .rate = 1'000, .inflight = 30}, 40).replicas;
  memory_ = other;
  EXPECT_GE(*Look({.now = now_, .ready = 40, .rate = 1'010, .inflight = 30}, 40).replicas, fewer);
}

// Its rate is what it serves, not what there is to serve.
TEST_F(QueueingTest, AFullPoolIsNotShrunk) {
  EXPECT_EQ(*Look({.ready = 8, .rate = 128, .inflight = 2'000}, 8).replicas, 8);
  EXPECT_LT(*Look({.ready = 8, .rate = 128, .inflight = 63}, 8).replicas, 8);
}

TEST_F(QueueingTest, FollowsNoBreathOfTheServiceTime) {
  const PoolObserved pool{.ready = 40, .rate = 1'000, .inflight = 80};
  for (int i = 0; i < 600; ++i) Look(pool, 40);
  const Replicas learned = *Look(pool, 40).replicas;
  for (int i = 0; i < 600; ++i) {
    PoolObserved breath = pool;
    breath.inflight = i % 2 == 0 ? 79 : 81;
    EXPECT_NEAR(*Look(breath, 40).replicas, learned, 1);
  }
}

TEST_F(QueueingTest, ADownstreamAtItsLimitIsNotGrownAgainstForever) {
  // 1,200/s arrive, behind the pool no more than 800/s are served whatever the pool's size, and
  // what waits adds up.
  Replicas size = 5;
  double waiting = 0;
  int held = 0;
  for (int i = 0; i < 12 * 120; ++i) {
    waiting += 400 * 5;
    const double inside = 1.0 * size * model_.workers + waiting;
    const QueueingSize next = Look({.ready = size, .rate = 800, .inflight = inside}, size);
    if (next.note.find("is short, so that it does not grow") != std::string::npos) {
      ++held;
      EXPECT_LE(*next.replicas, size);
    }
    if (i > 12 * 10) {
      EXPECT_THAT(next.note, HasSubstr("something behind the pool is short"));
    }
    // One more at a time, as a budget may have it.
    size = std::clamp(*next.replicas, size - 1, size + 1);
  }
  EXPECT_LE(size, 2 * 800 / 160 / 0.7 + 1);
  EXPECT_GE(held, 12 * 10);
}

TEST_F(QueueingTest, AnOverloadOfItsOwnIsGrownOutOf) {
  // 3,000/s arrive; each ready replica serves 160/s of them, and what waits adds up.
  Replicas size = 5;
  double waiting = 0;
  for (int i = 0; i < 12 * 30; ++i) {
    const double ceiling = size * Ceiling(model_);
    const double served = std::min(ceiling, 3'000 + waiting / 5);
    waiting = std::max(0.0, waiting + (3'000 - served) * 5);
    const double busy = std::min<double>(size * model_.workers, served * 0.05);
    const QueueingSize next =
        Look({.ready = size, .rate = served, .inflight = busy + waiting}, size);
    EXPECT_THAT(next.note, Not(HasSubstr("is short")));
    size = *next.replicas;
  }
  EXPECT_EQ(waiting, 0);
  EXPECT_NEAR(size, 3'000 / 160.0 / 0.7 / 0.99, 2);
}

TEST_F(QueueingTest, SaysThatAnObjectiveIsOutOfReach) {
  model_.objective = {0.1, 0.999};
  const QueueingSize size = Look({.ready = 5, .rate = 1'000}, 5);
  EXPECT_THAT(size.note, HasSubstr("out of reach: 4.4 % take longer by service alone"));
  EXPECT_LT(*size.replicas, 30);
}

}  // namespace
}  // namespace tidegate::sizing
