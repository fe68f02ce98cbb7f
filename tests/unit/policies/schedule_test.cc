// Loads that are known beforehand: when they occur, and how long before them capacity must grow.
#include "policies/sizing/schedule.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Instant Utc(const std::string& text) {
  const auto at = ParseInstant(text + "Z");
  EXPECT_TRUE(at) << text;
  return at.value_or(Instant{});
}

const Zone kBerlin{"Europe/Berlin",
                   {{Utc("2000-01-01T00:00:00"), hours(1)},
                    {Utc("2026-03-29T01:00:00"), hours(2)},
                    {Utc("2026-10-25T01:00:00"), hours(1)}}};
const Zone kNewYork{"America/New_York",
                    {{Utc("2000-01-01T00:00:00"), hours(-5)},
                     {Utc("2026-03-08T07:00:00"), hours(-4)},
                     {Utc("2026-11-01T06:00:00"), hours(-5)}}};
const Zone kShanghai{"Asia/Shanghai", {{Utc("2000-01-01T00:00:00"), hours(8)}}};

Schedule Window(const Zone& zone, const char* start, const char* end) {
  ScheduleEntry entry;
  entry.name = "window";
  entry.start = ParseCron(start).value();
  entry.end = ParseCron(end).value();
  entry.replicas = 10;
  return {{zone}, {entry}};
}
Schedule Daily(const Zone& zone, const char* start, Duration duration) {
  Schedule schedule = Window(zone, start, "0 0 * * *");
  schedule.entries[0].end.reset();
  schedule.entries[0].duration = duration;
  return schedule;
}
// The promotion: 40,000 requests per second for two hours from midnight in Shanghai on.
Schedule Promotion(Duration ramp = {}) {
  ScheduleEntry entry;
  entry.name = "promotion";
  entry.at = Utc("2026-11-26T16:00:00");
  entry.duration = hours(2);
  entry.requests_per_second = 40'000;
  entry.ramp = ramp;
  return {{kShanghai}, {entry}};
}
constexpr double kPerReplica = 1'000;  // so it takes 40 replicas

std::string Span(const std::optional<Occurrence>& occurrence) {
  if (!occurrence) return "none";
  return FormatInstant(occurrence->begin) + " " + FormatInstant(occurrence->end);
}
std::string Begun(const Schedule& schedule, const char* at) {
  return Span(OccurrencesAt(schedule.entries[0], schedule, Utc(at)).begun);
}
std::string Next(const Schedule& schedule, const char* at) {
  return Span(OccurrencesAt(schedule.entries[0], schedule, Utc(at)).next);
}
Replicas Floors(const Schedule& schedule, const Growth& growth, const std::string& at) {
  return FloorOf(schedule.entries[0], schedule, growth, kPerReplica, Utc(at)).replicas;
}

const Growth kDoubling{.serving = 10, .wave = minutes(1)};  // 10, 20, 40: two waves
const Growth kQuarter{.serving = 10, .surge = {25, true}, .wave = minutes(1)};

TEST(ScheduleOccurrenceTest, AWindowBeginsAndEndsByItsCrons) {
  const Schedule office = Window(kShanghai, "0 8 * * 1-5", "0 20 * * 1-5");
  // 27 November 2026 is a Friday.
  EXPECT_EQ(Begun(office, "2026-11-27T00:00:00"), "2026-11-27T00:00:00Z 2026-11-27T12:00:00Z");
  EXPECT_EQ(Next(office, "2026-11-27T00:00:00"), "2026-11-30T00:00:00Z 2026-11-30T12:00:00Z");
}

TEST(ScheduleOccurrenceTest, AWindowMayCrossMidnight) {
  const Schedule night = Window(kShanghai, "0 22 * * *", "0 6 * * *");
  EXPECT_EQ(Begun(night, "2026-11-26T20:00:00"), "2026-11-26T14:00:00Z 2026-11-26T22:00:00Z");
  EXPECT_EQ(Floors(night, kDoubling, "2026-11-26T16:00:00"), 10);
  EXPECT_EQ(Floors(night, kDoubling, "2026-11-26T22:00:00"), 0);
}

TEST(ScheduleOccurrenceTest, AnEventCrossesMidnight) {
  Schedule promotion = Promotion();
  promotion.entries[0].at = Utc("2026-11-26T15:30:00");  // 23:30 in Shanghai
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T16:10:00"), 40);
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T17:30:00"), 0);
}

TEST(ScheduleOccurrenceTest, MonthEndsAndLeapDays) {
  const Schedule end = Daily(Zone{}, "0 12 31 * *", hours(24));
  EXPECT_EQ(Begun(end, "2026-09-10T00:00:00"), "2026-08-31T12:00:00Z 2026-09-01T12:00:00Z");
  EXPECT_EQ(Next(end, "2026-09-10T00:00:00"), "2026-10-31T12:00:00Z 2026-11-01T12:00:00Z");
  const Schedule leap = Daily(Zone{}, "0 0 29 2 *", hours(24));
  EXPECT_EQ(Next(leap, "2026-09-10T00:00:00"), "2028-02-29T00:00:00Z 2028-03-01T00:00:00Z");
}

// The wall's window is never shorter than the wall says.
TEST(ScheduleOccurrenceTest, WindowsWhileTheClockIsSetForward) {
  // Berlin 01:30 to 02:30: the end is skipped, so it ends at the change, when the wall shows 3.
  EXPECT_EQ(Begun(Window(kBerlin, "30 1 * * *", "30 2 * * *"), "2026-03-29T00:30:00"),
            "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z");
  EXPECT_EQ(Begun(Window(kNewYork, "30 2 * * *", "30 4 * * *"), "2026-03-08T07:00:00"),
            "2026-03-08T07:00:00Z 2026-03-08T08:30:00Z");
}

TEST(ScheduleOccurrenceTest, WindowsWhileTheClockIsSetBack) {
  // From the first 2:15 to the last 2:45.
  EXPECT_EQ(Begun(Window(kBerlin, "15 2 * * *", "45 2 * * *"), "2026-10-25T01:00:00"),
            "2026-10-25T00:15:00Z 2026-10-25T01:45:00Z");
  EXPECT_EQ(Begun(Window(kNewYork, "0 1 * * *", "0 2 * * *"), "2026-11-01T06:30:00"),
            "2026-11-01T05:00:00Z 2026-11-01T07:00:00Z");
}

TEST(ScheduleOccurrenceTest, WindowsAroundAChangeHaveAnHourMoreOrLess) {
  const Schedule night = Window(kBerlin, "0 22 * * *", "0 6 * * *");
  const auto length = [&](const char* at) {
    const auto begun = OccurrencesAt(night.entries[0], night, Utc(at)).begun;
    return begun->end - begun->begin;
  };
  EXPECT_EQ(length("2026-03-29T00:00:00"), hours(7));
  EXPECT_EQ(length("2026-10-25T00:00:00"), hours(9));
  EXPECT_EQ(length("2026-07-01T00:00:00"), hours(8));
}

TEST(ScheduleWavesTest, FollowTheBudgetOfWhatServes) {
  EXPECT_EQ(WavesTo(kDoubling, 10), 0);
  EXPECT_EQ(WavesTo(kDoubling, 11), 1);
  EXPECT_EQ(WavesTo(kDoubling, 40), 2);
  EXPECT_EQ(WavesTo(kDoubling, 41), 3);
  EXPECT_EQ(WavesTo(kQuarter, 44), 6);  // 10, 13, 17, 22, 28, 35, 44
  EXPECT_EQ(WavesTo(kQuarter, 45), 7);
  EXPECT_EQ(WavesTo({.serving = 0, .surge = {25, true}}, 3), 3);  // one at a time at first
  EXPECT_EQ(WavesTo({.serving = 10, .surge = {7, false}}, 31), 3);
  EXPECT_EQ(WavesTo({.serving = 10, .surge = {0, false}}, 13), 3);
  EXPECT_EQ(WavesTo({.serving = 10, .rolling = false}, 1'000), 1);
  EXPECT_EQ(WavesTo({.serving = 0, .surge = {0, true}}, kMaxReplicas), kMaxReplicas);
}

TEST(ScheduleLeadTest, AnEventIsDueOneLeadBefore) {
  const Schedule promotion = Promotion();
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:57:59"), 0);
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:58:00"), 40);
  EXPECT_EQ(Floors(promotion, kQuarter, "2026-11-26T15:53:59"), 0);
  EXPECT_EQ(Floors(promotion, kQuarter, "2026-11-26T15:54:00"), 40);
}

TEST(ScheduleLeadTest, WhatServesAlreadyIsKeptForTheLastWave) {
  const Growth enough{.serving = 50, .wave = minutes(1)};
  EXPECT_EQ(Floors(Promotion(), enough, "2026-11-26T15:58:59"), 0);
  EXPECT_EQ(Floors(Promotion(), enough, "2026-11-26T15:59:00"), 40);
}

TEST(ScheduleLeadTest, LastsUntilJustBeforeTheEnd) {
  EXPECT_EQ(Floors(Promotion(), kDoubling, "2026-11-26T16:00:00"), 40);
  EXPECT_EQ(Floors(Promotion(), kDoubling, "2026-11-26T17:59:59.999"), 40);
  EXPECT_EQ(Floors(Promotion(), kDoubling, "2026-11-26T18:00:00"), 0);
}

TEST(ScheduleRampTest, EachPartIsDueByItsOwnWaves) {
  const Schedule promotion = Promotion(minutes(10));  // 4 replicas more each minute from 15:50 on
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:48:59"), 0);
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:50:00"), 4);   // a minute ahead
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:52:00"), 12);  // one wave
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:54:00"), 24);  // two, for 15:56
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T15:58:00"), 40);
}

TEST(ScheduleRampTest, FallsAsItRose) {
  const Schedule promotion = Promotion(minutes(10));
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T17:59:59"), 40);
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T18:05:00"), 20);
  EXPECT_EQ(Floors(promotion, kDoubling, "2026-11-26T18:10:00"), 0);
}

TEST(ScheduleFloorTest, ReplicasAndRatesAndTheirBound) {
  ScheduleEntry entry;
  entry.replicas = 7;
  EXPECT_EQ(NeedAt(entry, 1, 0), 7);
  EXPECT_EQ(NeedAt(entry, 0.5, 0), 4);
  entry.replicas.reset();
  entry.requests_per_second = 40'001;
  EXPECT_EQ(NeedAt(entry, 1, kPerReplica), 41);
  entry.requests_per_second = 1e15;
  EXPECT_EQ(NeedAt(entry, 1, kPerReplica), kMaxReplicas);
}

TEST(ScheduleFloorTest, TheNextWindowIsDueWhileOneStillFalls) {
  Schedule hourly = Daily(Zone{}, "0 * * * *", minutes(30));
  hourly.entries[0].ramp = minutes(20);
  // 12:49: 1/20 of the last one is left, of the next one 9/20 is over, and 10/20 in a minute.
  EXPECT_EQ(Floors(hourly, kDoubling, "2026-06-01T12:49:00"), 5);
}

signals::ReplicaView Replica(int started, std::optional<int> took) {
  signals::ReplicaView view;
  view.started = FromUnixMillis(1000LL * started);
  view.phase = signals::Phase::kReady;
  if (took) view.ready_at = view.started + seconds(*took);
  return view;
}

TEST(ScheduleStartupTest, IsWhatNineOfTenOfTheNewestTook) {
  std::vector<signals::ReplicaView> replicas;
  EXPECT_EQ(MeasuredStartup(replicas), std::nullopt);
  replicas.push_back(Replica(100, std::nullopt));
  replicas.push_back(Replica(100, 0));  // its start is not known
  EXPECT_EQ(MeasuredStartup(replicas), std::nullopt);
  replicas.push_back(Replica(100, 30));
  EXPECT_EQ(MeasuredStartup(replicas), seconds(30));
  for (int i = 1; i <= 20; ++i) replicas.push_back(Replica(1000 - i, i));
  EXPECT_EQ(MeasuredStartup(replicas), seconds(18));  // of 1 .. 20; the old one is forgotten
}

// A pool that follows the floor in waves has the capacity when the load is there, and neither much
// earlier nor at once.
struct Played {
  Replicas at_begin = 0;
  Duration early{0};  // from the first growth to the beginning
};
Played Play(const Schedule& schedule, Replicas size, IntOrPercent surge, Duration startup,
            Duration tick) {
  const ScheduleEntry& entry = schedule.entries[0];
  Replicas ready = size;
  Replicas starting = 0;
  Instant done{};
  Played played;
  for (Instant now = *entry.at - hours(2); now <= *entry.at; now += tick) {
    if (starting > 0 && now >= done) ready += std::exchange(starting, 0);
    const Growth growth{ready, surge, true, startup + tick};
    size = std::max(size, FloorOf(entry, schedule, growth, kPerReplica, now).replicas);
    if (starting > 0 || size <= ready) continue;
    starting = std::min(size - ready, std::max<Replicas>(1, ResolveUp(surge, ready)));
    done = now + startup;
    if (played.early == Duration(0)) played.early = *entry.at - now;
  }
  played.at_begin = ready;
  return played;
}

TEST(SchedulePlayedTest, CapacityIsThereAtTheMoment) {
  for (const Replicas surge : {10, 25, 50, 100, 300}) {
    for (const int startup : {5, 20, 45, 90}) {
      const IntOrPercent percent{surge, true};
      const Played played = Play(Promotion(), 10, percent, seconds(startup), seconds(5));
      const Duration lead = LeadTo({10, percent, true, seconds(startup + 5)}, 40);
      EXPECT_GE(played.at_begin, 40) << surge << " % " << startup << " s";
      EXPECT_LE(played.early, lead) << surge << " % " << startup << " s";
    }
  }
}

}  // namespace
}  // namespace tidegate::sizing
