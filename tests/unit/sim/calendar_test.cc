#include "sim/engine/calendar.h"

#include <string>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);

TEST(CalendarTest, RunsEventsInTimeOrder) {
  Calendar calendar(kStart);
  std::string ran;
  calendar.At(kStart + seconds(3), [&] { ran += 'c'; });
  calendar.At(kStart + seconds(1), [&] { ran += 'a'; });
  calendar.At(kStart + seconds(2), [&] { ran += 'b'; });
  calendar.RunUntil(kStart + seconds(10));
  EXPECT_EQ(ran, "abc");
}

TEST(CalendarTest, RunsEventsOfOneInstantInTheOrderInWhichTheyWereAdded) {
  Calendar calendar(kStart);
  std::string ran;
  for (char name = 'a'; name <= 'z'; ++name) {
    calendar.At(kStart + seconds(1), [&ran, name] { ran += name; });
  }
  calendar.RunUntil(kStart + seconds(1));
  EXPECT_EQ(ran, "abcdefghijklmnopqrstuvwxyz");
}

TEST(CalendarTest, AnEventAddedForThisInstantRunsAfterThoseThatWait) {
  Calendar calendar(kStart);
  std::string ran;
  calendar.At(kStart, [&] {
    ran += 'a';
    calendar.At(calendar.Now(), [&] { ran += 'c'; });
  });
  calendar.At(kStart, [&] { ran += 'b'; });
  calendar.RunUntil(kStart);
  EXPECT_EQ(ran, "abc");
}

TEST(CalendarTest, NowIsTheEventsTimeWhileItRuns) {
  Calendar calendar(kStart);
  Instant seen{};
  calendar.At(kStart + seconds(4), [&] { seen = calendar.Now(); });
  calendar.RunUntil(kStart + seconds(9));
  EXPECT_EQ(seen, kStart + seconds(4));
  EXPECT_EQ(calendar.Now(), kStart + seconds(9));
}

TEST(CalendarTest, AnEventMayWaitWhileOthersRun) {
  Calendar calendar(kStart);
  std::string ran;
  Instant after{};
  calendar.At(kStart + seconds(1), [&] {
    ran += 'a';
    calendar.RunUntil(kStart + seconds(3));
    after = calendar.Now();
    ran += 'd';
  });
  calendar.At(kStart + seconds(1), [&] { ran += 'b'; });
  calendar.At(kStart + seconds(3), [&] { ran += 'c'; });
  calendar.At(kStart + seconds(4), [&] { ran += 'e'; });
  calendar.RunUntil(kStart + seconds(9));
  EXPECT_EQ(ran, "abcde");
  EXPECT_EQ(after, kStart + seconds(3));
  EXPECT_EQ(calendar.Now(), kStart + seconds(9));
}

TEST(CalendarTest, LaterEventsWait) {
  Calendar calendar(kStart);
  bool ran = false;
  calendar.At(kStart + Duration(1'001), [&] { ran = true; });
  calendar.RunUntil(kStart + seconds(1));
  EXPECT_FALSE(ran);
  calendar.RunUntil(kStart + seconds(2));
  EXPECT_TRUE(ran);
}

TEST(CalendarDeathTest, RefusesAnEventInThePast) {
  Calendar calendar(kStart);
  EXPECT_DEATH(calendar.At(kStart - Duration(1), [] {}), "past");
}

}  // namespace
}  // namespace tidegate::sim
