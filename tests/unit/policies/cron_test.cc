// Cron expressions on the wall's clock, and what happens when that is set.
#include "policies/base/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;

Instant Utc(const char* text) {
  const auto at = ParseInstant(std::string(text) + "Z");
  EXPECT_TRUE(at) << text;
  return at.value_or(Instant{});
}

Cron Parsed(const char* text) {
  auto cron = ParseCron(text);
  EXPECT_TRUE(cron) << text << ": " << (cron ? "" : cron.error().message);
  return cron.value_or(Cron{});
}

std::string ErrorOf(const char* text) {
  const auto cron = ParseCron(text);
  return cron ? "none" : cron.error().message;
}

// Berlin in 2026: 02:00 -> 03:00 on 29 March, 03:00 -> 02:00 on 25 October.
const Zone& Berlin() {
  static const Zone kZone{"Europe/Berlin",
                          {{Utc("2000-01-01T00:00:00"), hours(1)},
                           {Utc("2026-03-29T01:00:00"), hours(2)},
                           {Utc("2026-10-25T01:00:00"), hours(1)}}};
  return kZone;
}
// New York in 2026: 02:00 -> 03:00 on 8 March, 02:00 -> 01:00 on 1 November.
const Zone& NewYork() {
  static const Zone kZone{"America/New_York",
                          {{Utc("2000-01-01T00:00:00"), hours(-5)},
                           {Utc("2026-03-08T07:00:00"), hours(-4)},
                           {Utc("2026-11-01T06:00:00"), hours(-5)}}};
  return kZone;
}

// The next times after `from`, in UTC.
std::vector<std::string> Next(const char* cron, const Zone& zone, const char* from, int count,
                              Fold fold = Fold::kFirst) {
  std::vector<std::string> times;
  Instant at = Utc(from);
  for (int i = 0; i < count; ++i) {
    const auto next = NextFire(Parsed(cron), zone, at, fold);
    if (!next) return times;
    at = *next;
    times.push_back(FormatInstant(at).substr(0, 16));
  }
  return times;
}
std::string NextOne(const char* cron, const char* from) {
  const auto times = Next(cron, Zone{}, from, 1);
  return times.empty() ? "none" : times[0];
}

TEST(CronParseTest, AcceptsListsRangesStepsAndNames) {
  EXPECT_EQ(Parsed("0,30 * * * *").minutes, 1ULL | 1ULL << 30);
  EXPECT_EQ(Parsed("1-3 * * * *").minutes, 0b1110u);
  EXPECT_EQ(Parsed("*/20 * * * *").minutes, 1ULL | 1ULL << 20 | 1ULL << 40);
  EXPECT_EQ(Parsed("50/5 * * * *").minutes, 1ULL << 50 | 1ULL << 55);
  EXPECT_EQ(Parsed("0 8-18/5 * * *").hours, 1u << 8 | 1u << 13 | 1u << 18);
  EXPECT_EQ(Parsed("0 0 * JAN,mar-Apr *").months, 1u << 1 | 1u << 3 | 1u << 4);
  EXPECT_EQ(Parsed("0 0 * * sun,Fri").weekdays, 1u | 1u << 5);
  EXPECT_EQ(Parsed("0 0 * * 5-7").weekdays, 1u | 1u << 5 | 1u << 6);
  EXPECT_EQ(Parsed("  0  0 ?\t* 7 ").weekdays, 1u);
}

TEST(CronParseTest, ErrorsNameTheFieldAndTheCharacter) {
  EXPECT_EQ(ErrorOf("60 * * * *"), "minute: 60 is not from 0 to 59, at character 1");
  EXPECT_EQ(ErrorOf("0 8-24 * * *"), "hour: 24 is not from 0 to 23, at character 5");
  EXPECT_EQ(ErrorOf("0 0 0 * *"), "day of month: 0 is not from 1 to 31, at character 5");
  EXPECT_EQ(ErrorOf("0 0 * foo *"), "month: foo is not from 1 to 12 or jan to dec, at character 7");
  EXPECT_EQ(ErrorOf("0 0 * * 8"),
            "day of week: 8 is not from 0 to 7 or sun to sat, at character 9");
  EXPECT_EQ(ErrorOf("0 0 L * *"), "day of month: L is not from 1 to 31, at character 5");
  EXPECT_EQ(ErrorOf("0 18-8 * * *"), "hour: the range 18-8 runs backwards, at character 3");
  EXPECT_EQ(ErrorOf("*/0 * * * *"), "minute: 0 is no step, at character 3");
  EXPECT_EQ(ErrorOf("1, * * * *"), "minute: nothing is not from 0 to 59, at character 3");
  EXPECT_EQ(ErrorOf("1x * * * *"), "minute: x is not from 0 to 59, at character 2");
  EXPECT_EQ(ErrorOf("-1 * * * *"), "minute: nothing is not from 0 to 59, at character 1");
}

TEST(CronParseTest, WantsFiveFieldsThatSomeDateFits) {
  EXPECT_THAT(ErrorOf("0 0 * *"), HasSubstr("got 4"));
  EXPECT_THAT(ErrorOf("0 0 * * * *"), HasSubstr("got 6"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("got 0"));
  EXPECT_THAT(ErrorOf("@daily"), HasSubstr("0 0 * * *"));
  EXPECT_THAT(ErrorOf("0 0 30 2 *"), HasSubstr("no date fits"));
  EXPECT_THAT(ErrorOf("0 0 31 4,6,9,11 *"), HasSubstr("no date fits"));
  EXPECT_THAT(ErrorOf(std::string(300, '1').c_str()), HasSubstr("longer than"));
}

TEST(CronNextTest, IsStrictlyLater) {
  EXPECT_EQ(NextOne("30 9 * * *", "2026-06-01T09:29:59"), "2026-06-01T09:30");
  EXPECT_EQ(NextOne("30 9 * * *", "2026-06-01T09:30:00"), "2026-06-02T09:30");
}

TEST(CronNextTest, MonthEndsAndLeapDays) {
  EXPECT_EQ(NextOne("0 0 31 * *", "2026-03-31T00:00:00"), "2026-05-31T00:00");
  EXPECT_EQ(NextOne("59 23 28-31 2 *", "2026-02-27T00:00:00"), "2026-02-28T23:59");
  EXPECT_EQ(NextOne("0 12 29 2 *", "2026-01-01T00:00:00"), "2028-02-29T12:00");
  EXPECT_EQ(NextOne("0 12 29 2 *", "2096-03-01T00:00:00"), "2104-02-29T12:00");  // 2100 has none
  EXPECT_EQ(NextOne("0 0 1 1 *", "2026-12-31T23:59:59"), "2027-01-01T00:00");
}

TEST(CronNextTest, EitherDayFieldCountsWhereBothAreRestricted) {
  // The 13th, and Fridays. 1 June 2026 is a Monday.
  EXPECT_THAT(Next("0 0 13 * fri", Zone{}, "2026-06-01T00:00:00", 3),
              ::testing::ElementsAre("2026-06-05T00:00", "2026-06-12T00:00", "2026-06-13T00:00"));
  EXPECT_THAT(Next("0 0 * * fri", Zone{}, "2026-06-01T00:00:00", 2),
              ::testing::ElementsAre("2026-06-05T00:00", "2026-06-12T00:00"));
}

TEST(CronNextTest, AListWithAStarInItIsNotRestricted) {
  EXPECT_THAT(Next("0 0 *,5 * mon", Zone{}, "2026-06-01T00:00:00", 2),
              ::testing::ElementsAre("2026-06-08T00:00", "2026-06-15T00:00"));
}

TEST(CronZoneTest, FollowsTheWallThroughTheYear) {
  EXPECT_THAT(Next("0 9 * * *", Berlin(), "2026-03-27T12:00:00", 3),
              ::testing::ElementsAre("2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"));
  EXPECT_THAT(Next("0 9 * * *", NewYork(), "2026-10-30T20:00:00", 3),
              ::testing::ElementsAre("2026-10-31T13:00", "2026-11-01T14:00", "2026-11-02T14:00"));
}

TEST(CronZoneTest, ASkippedTimeIsTheInstantOfTheChange) {
  EXPECT_THAT(Next("30 2 * * *", Berlin(), "2026-03-28T12:00:00", 2),
              ::testing::ElementsAre("2026-03-29T01:00", "2026-03-30T00:30"));
  EXPECT_THAT(Next("30 2 * * *", NewYork(), "2026-03-07T12:00:00", 2),
              ::testing::ElementsAre("2026-03-08T07:00", "2026-03-09T06:30"));
  // Several skipped times are one, and one at the change itself is not two.
  EXPECT_THAT(Next("*/15 2,3 29 3 *", Berlin(), "2026-03-28T12:00:00", 3),
              ::testing::ElementsAre("2026-03-29T01:00", "2026-03-29T01:15", "2026-03-29T01:30"));
}

TEST(CronZoneTest, ARepeatedTimeIsOneOfTheTwo) {
  EXPECT_THAT(Next("30 2 * * *", Berlin(), "2026-10-24T12:00:00", 2, Fold::kFirst),
              ::testing::ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
  EXPECT_THAT(Next("30 2 * * *", Berlin(), "2026-10-24T12:00:00", 2, Fold::kLast),
              ::testing::ElementsAre("2026-10-25T01:30", "2026-10-26T01:30"));
  EXPECT_THAT(Next("30 1 * * *", NewYork(), "2026-10-31T12:00:00", 1, Fold::kFirst),
              ::testing::ElementsAre("2026-11-01T05:30"));
  EXPECT_THAT(Next("30 1 * * *", NewYork(), "2026-10-31T12:00:00", 1, Fold::kLast),
              ::testing::ElementsAre("2026-11-01T06:30"));
}

TEST(CronZoneTest, EveryHourIsEveryHourOnBothDays) {
  EXPECT_THAT(Next("0 * * * *", Berlin(), "2026-03-29T00:00:00", 2),
              ::testing::ElementsAre("2026-03-29T01:00", "2026-03-29T02:00"));
  for (const Fold fold : {Fold::kFirst, Fold::kLast}) {
    EXPECT_THAT(Next("30 * * * *", Berlin(), "2026-10-25T00:00:00", 3, fold),
                ::testing::ElementsAre("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"));
  }
}

TEST(CronLastTest, IsAtOrBefore) {
  const Cron cron = Parsed("30 9 * * *");
  EXPECT_EQ(LastFire(cron, Zone{}, Utc("2026-06-01T09:30:00"), Fold::kFirst),
            Utc("2026-06-01T09:30:00"));
  EXPECT_EQ(LastFire(cron, Zone{}, Utc("2026-06-01T09:29:59"), Fold::kFirst),
            Utc("2026-05-31T09:30:00"));
}

// Over both changes of both zones: the last time before the next is the time before it.
TEST(CronLastTest, IsTheInverseOfNext) {
  for (const Zone& zone : {Berlin(), NewYork()}) {
    for (const char* text : {"30 2 * * *", "*/20 1-3 * * *", "7 * * * *", "0 0 1 * mon"}) {
      for (const Fold fold : {Fold::kFirst, Fold::kLast}) {
        const Cron cron = Parsed(text);
        Instant at = Utc("2026-03-05T00:00:00");
        for (auto next = NextFire(cron, zone, at, fold); next && at < Utc("2026-11-03T00:00:00");
             next = NextFire(cron, zone, at, fold)) {
          ASSERT_GT(*next, at);
          ASSERT_EQ(LastFire(cron, zone, *next, fold), *next) << text << FormatInstant(*next);
          const Instant before = *next - Duration(1);
          const auto last = LastFire(cron, zone, before, fold);
          ASSERT_TRUE(last);
          if (at != Utc("2026-03-05T00:00:00")) {
            ASSERT_EQ(*last, at) << text << " " << FormatInstant(*next);
          }
          at = *next;
        }
        ASSERT_GE(at, Utc("2026-10-30T00:00:00"));
      }
    }
  }
}

TEST(ZoneTest, LocalTimesAreFoundAgain) {
  for (const Zone& zone : {Zone{}, Berlin(), NewYork()}) {
    for (Instant at = Utc("2026-03-01T00:00:00"); at < Utc("2026-11-10T00:00:00");
         at += minutes(30)) {
      const LocalTime local = ToLocal(zone, at);
      const Instant first = ToInstant(zone, local, Fold::kFirst);
      const Instant last = ToInstant(zone, local, Fold::kLast);
      ASSERT_TRUE(at == first || at == last) << FormatInstant(at);
      ASSERT_LE(first, last);
    }
  }
}

TEST(ZoneTest, SkippedAndRepeatedTimes) {
  const auto at = [](const Zone& zone, const char* local, Fold fold) {
    return FormatInstant(ToInstant(zone, *ParseLocalTime(local), fold));
  };
  EXPECT_EQ(at(Berlin(), "2026-03-29 02:30", Fold::kFirst), "2026-03-29T01:00:00Z");
  EXPECT_EQ(at(Berlin(), "2026-03-29 02:30", Fold::kLast), "2026-03-29T01:00:00Z");
  EXPECT_EQ(at(Berlin(), "2026-03-29 03:00", Fold::kFirst), "2026-03-29T01:00:00Z");
  EXPECT_EQ(at(Berlin(), "2026-10-25 02:30", Fold::kFirst), "2026-10-25T00:30:00Z");
  EXPECT_EQ(at(Berlin(), "2026-10-25 02:30", Fold::kLast), "2026-10-25T01:30:00Z");
  EXPECT_EQ(at(NewYork(), "2026-03-08 02:00", Fold::kFirst), "2026-03-08T07:00:00Z");
  EXPECT_EQ(at(NewYork(), "2026-11-01 01:59:59", Fold::kLast), "2026-11-01T06:59:59Z");
}

TEST(ZoneTest, LocalTimesHaveABlankOrATAndMaybeSeconds) {
  for (const char* good : {"2026-11-27 00:00", "2026-11-27T00:00", "2026-11-27 00:00:00"}) {
    const auto local = ParseLocalTime(good);
    ASSERT_TRUE(local) << good;
    EXPECT_EQ(ToInstant(Zone{}, *local, Fold::kFirst), Utc("2026-11-27T00:00:00"));
  }
  for (const char* bad : {"", "2026-11-27", "2026-11-27 24:00", "2026-02-29 00:00",
                          "2026-11-27 00:00Z", "27.11.2026 00:00", "2026-11-27 00:00:0"}) {
    EXPECT_FALSE(ParseLocalTime(bad)) << bad;
  }
}

}  // namespace
}  // namespace tidegate
