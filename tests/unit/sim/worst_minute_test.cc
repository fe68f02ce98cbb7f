#include "sim/report/worst_minute.h"

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

constexpr Duration kSecond{1'000};

TEST(WorstMinuteTest, IsTheLargestShareOfAnyMinute) {
  WorstMinute minutes;
  EXPECT_EQ(minutes.share(), 0);
  // 10 a second; all are bad in ten seconds of the second minute, half in thirty of the fourth.
  double arrived = 0, bad = 0;
  for (int second = 0; second <= 300; ++second) {
    minutes.Look(Instant(kSecond * second), arrived, bad);
    arrived += 10;
    if (second >= 70 && second < 80) bad += 10;
    if (second >= 180 && second < 210) bad += 5;
  }
  EXPECT_DOUBLE_EQ(minutes.share(), 0.25);
}

TEST(WorstMinuteTest, CountsFromTheFirstLookAndToTheLastOne) {
  WorstMinute minutes;
  minutes.Look(Instant(kSecond * 20), 1'000, 900);
  minutes.Look(Instant(kSecond * 80), 1'100, 900);
  EXPECT_EQ(minutes.share(), 0);
  minutes.Look(Instant(kSecond * 90), 1'120, 905);
  EXPECT_DOUBLE_EQ(minutes.share(), 0.25);
}

TEST(WorstMinuteTest, AMinuteWithoutArrivalsHasNoShare) {
  WorstMinute minutes;
  minutes.Look(Instant(), 0, 0);
  minutes.Look(Instant(kSecond * 60), 100, 10);
  for (int second = 61; second <= 200; ++second)
    minutes.Look(Instant(kSecond * second), 100, 10 + second);
  EXPECT_DOUBLE_EQ(minutes.share(), 0.1);
  // More become bad than arrive: all, not more.
  minutes.Look(Instant(kSecond * 201), 101, 300);
  EXPECT_EQ(minutes.share(), 1);
}

}  // namespace
}  // namespace tidegate::sim
