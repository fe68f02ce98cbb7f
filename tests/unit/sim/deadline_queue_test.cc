#include "sim/report/deadline_queue.h"

#include <cstddef>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

TEST(DeadlineQueueTest, NothingIsMissedWithinTheCapacity) {
  DeadlineQueue queue(0);
  queue.Advance(10, 1'000, 100);
  EXPECT_EQ(queue.missed(), 0);
}

TEST(DeadlineQueueTest, WithoutPatienceWhatExceedsTheCapacityIsMissed) {
  DeadlineQueue queue(0);
  queue.Advance(10, 1'500, 100);
  EXPECT_NEAR(queue.missed(), 500, 1e-6);
}

TEST(DeadlineQueueTest, AQueueWorthTheDeadlineIsServedLater) {
  DeadlineQueue queue(2);
  queue.Advance(1, 300, 100);  // 200 wait: two seconds' work
  queue.Advance(2, 0, 100);
  EXPECT_NEAR(queue.missed(), 0, 1e-6);
}

TEST(DeadlineQueueTest, WhatWaitsTooLongLeavesUnserved) {
  DeadlineQueue queue(2);
  queue.Advance(1, 100, 0);
  queue.Advance(1.5, 0, 0);
  EXPECT_NEAR(queue.missed(), 50, 1e-6) << "who came in the first half second";
  queue.Advance(1, 0, 100);
  EXPECT_NEAR(queue.missed(), 50, 1e-6);
}

TEST(DeadlineQueueTest, ClearForgetsWhoWaits) {
  DeadlineQueue queue(1);
  queue.Advance(1, 100, 0);
  queue.Clear();
  queue.Advance(5, 0, 0);
  EXPECT_EQ(queue.missed(), 0);
}

TEST(DeadlineQueueTest, OneLongStepIsAsGoodAsManyShortOnes) {
  DeadlineQueue one(0.7), many(0.7);
  for (const double load : {150.0, 20.0, 900.0, 0.0, 130.0}) {
    one.Advance(3, load * 3, 100);
    for (int i = 0; i < 300; ++i) many.Advance(0.01, load * 0.01, 100);
  }
  EXPECT_GT(one.missed(), 100);
  EXPECT_NEAR(one.missed(), many.missed(), 1e-4);
}

// Served and dropped crumb by crumb, a thousand a second.
class Crumbs {
 public:
  explicit Crumbs(double wait) : wait_(wait) {}
  void Second(double arrived, double capacity) {
    for (int i = 0; i < 1'000; ++i, ++now_) {
      waiting_.push_back({now_, arrived / 1'000});
      double room = capacity / 1'000;
      while (!waiting_.empty() && waiting_.front().amount <= room) {
        room -= waiting_.front().amount;
        waiting_.pop_front();
      }
      if (!waiting_.empty()) waiting_.front().amount -= room;
      while (!waiting_.empty() && double(now_ - waiting_.front().at) >= wait_ * 1'000) {
        missed_ += waiting_.front().amount;
        waiting_.pop_front();
      }
    }
  }
  double missed() const { return missed_; }

 private:
  struct Crumb {
    int at;
    double amount;
  };
  double wait_;
  int now_ = 0;
  std::deque<Crumb> waiting_;
  double missed_ = 0;
};

TEST(DeadlineQueueTest, AgreesWithAQueueOfCrumbs) {
  const std::vector<double> levels{0, 60, 100, 170, 400};
  for (const double wait : {0.1, 0.5, 1.5, 3.0}) {
    for (std::size_t seed = 0; seed < 40; ++seed) {
      DeadlineQueue queue(wait);
      Crumbs crumbs(wait);
      std::size_t draw = seed * 7'919 + 13;
      for (int second = 0; second < 12; ++second) {
        draw = (draw * 1'103'515'245 + 12'345) % 2'147'483'648;
        const double arrived = levels[draw / 65'536 % levels.size()];
        const double capacity = static_cast<double>(draw / 4'096 % 4) * 80;
        queue.Advance(1, arrived, capacity);
        crumbs.Second(arrived, capacity);
      }
      EXPECT_NEAR(queue.missed(), crumbs.missed(), 5) << "wait " << wait << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tidegate::sim
