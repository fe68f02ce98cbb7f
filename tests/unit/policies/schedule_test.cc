// Loads that are known beforehand: when they occur, and how long before them capacity must grow.
#include "policies/sizing/schedule.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "policies/guards/rate_limit.h"

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

TEST(ScheduleOccurrenceTest, AWindowThatIsSkippedAsTheClockIsSetForwardIsEmpty) {
  const Schedule skipped = Window(kNewYork, "0 2 * * *", "0 3 * * *");
  EXPECT_EQ(Begun(skipped, "2026-03-08T12:00:00"), "none");
  EXPECT_EQ(Next(skipped, "2026-03-08T06:00:00"), "2026-03-09T06:00:00Z 2026-03-09T07:00:00Z");
  EXPECT_EQ(Begun(Window(kBerlin, "10 2 * * *", "50 2 * * *"), "2026-03-29T01:00:00"), "none");
  // One that begins when the wall shows 3, as on any day, lasts until 2:30 of the next one.
  EXPECT_EQ(Begun(Window(kBerlin, "0 3 * * *", "30 2 * * *"), "2026-03-29T12:00:00"),
            "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z");
  // Of 2:00 to 2:30 and 3:00 to 2:30 only the second one is left.
  EXPECT_EQ(Begun(Window(kBerlin, "0 2,3 * * *", "30 2 * * *"), "2026-03-29T12:00:00"),
            "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z");
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

const std::vector<ScalingPolicy> kDoublesOrFour{{ScalingPolicyType::kPods, 4, seconds(15)},
                                                {ScalingPolicyType::kPercent, 100, seconds(15)}};
Growth AtOnce(Replicas serving, const std::vector<ScalingPolicy>& policies,
              SelectPolicy select = SelectPolicy::kMax) {
  return {.serving = serving, .rolling = false, .wave = minutes(1), .limits = {policies, select}};
}

TEST(ScheduleLeadTest, ScalingPoliciesTakeTheirTime) {
  EXPECT_EQ(LeadTo(AtOnce(5, kDoublesOrFour), 10), minutes(1));
  EXPECT_EQ(LeadTo(AtOnce(5, kDoublesOrFour), 40), minutes(1) + seconds(30));  // 10, 20, 40
  EXPECT_EQ(LeadTo(AtOnce(5, kDoublesOrFour, SelectPolicy::kMin), 40),
            minutes(1) + seconds(8 * 15));  // 9, 13 ..
  // 2 now and each minute after, and 3 in ten minutes: 7, 8, and two at the end of each ten.
  const std::vector<ScalingPolicy> slow{{ScalingPolicyType::kPods, 2, seconds(60)},
                                        {ScalingPolicyType::kPods, 3, seconds(600)}};
  EXPECT_EQ(LeadTo(AtOnce(5, slow, SelectPolicy::kMin), 8), minutes(2));
  EXPECT_EQ(LeadTo(AtOnce(5, slow, SelectPolicy::kMin), 10), minutes(11));
  EXPECT_EQ(LeadTo(AtOnce(5, slow, SelectPolicy::kMin), 11), minutes(12));
}

TEST(ScheduleLeadTest, ScalingPoliciesThatAllowAWaveChangeNothing) {
  for (const Replicas serving : {0, 1, 5, 200}) {
    Growth rolling{.serving = serving, .surge = {25, true}, .wave = seconds(20)};
    const Duration lead = LeadTo(rolling, 700);
    rolling.limits = {kDoublesOrFour};
    EXPECT_EQ(LeadTo(rolling, 700), lead) << serving;
  }
}

TEST(ScheduleLeadTest, NothingIsPlannedADayAhead) {
  const std::vector<ScalingPolicy> never{{ScalingPolicyType::kPercent, 100, seconds(15)}};
  EXPECT_EQ(LeadTo(AtOnce(0, never), 40), kFarthestLead);
  const std::vector<ScalingPolicy> slow{{ScalingPolicyType::kPods, 1, seconds(1'800)}};
  EXPECT_EQ(LeadTo(AtOnce(5, slow), kMaxReplicas), kFarthestLead);
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

// A pool that follows the floor, as fast as its pace and scaling policies let it, has the capacity
// when the load is there, and neither much earlier nor at once.
struct Played {
  Replicas at_begin = 0;
  Duration early{0};  // from the first growth to the beginning
};
Played Play(const Schedule& schedule, Growth growth, Duration startup, Duration tick) {
  const ScheduleEntry& entry = schedule.entries[0];
  guards::Behavior behavior;
  behavior.up.select = growth.limits.select;
  behavior.up.policies.assign(growth.limits.policies.begin(), growth.limits.policies.end());
  growth.wave = startup + tick;
  Replicas size = growth.serving;
  std::vector<guards::ScaleEvent> events;
  std::vector<std::pair<Instant, Replicas>> starting;
  Played played;
  for (Instant now = *entry.at - hours(3); now <= *entry.at; now += tick) {
    std::erase_if(starting, [&](const auto& one) {
      if (now >= one.first) growth.serving += one.second;
      return now >= one.first;
    });
    const Replicas floor = FloorOf(entry, schedule, growth, kPerReplica, now).replicas;
    const Replicas before = size;
    size = guards::LimitRate(std::max(size, floor), size, behavior, events, now).replicas;
    events = guards::RememberChange(std::move(events), size - before, behavior, now);
    Replicas running = growth.serving;
    for (const auto& one : starting) running += one.second;
    const Replicas wave = std::max<Replicas>(1, ResolveUp(growth.surge, growth.serving));
    const Replicas room = growth.rolling ? growth.serving + wave - running : size;
    const Replicas more = std::min(size - running, room);
    if (more <= 0) continue;
    starting.emplace_back(now + startup, more);
    if (played.early == Duration(0)) played.early = *entry.at - now;
  }
  played.at_begin = growth.serving;
  return played;
}

TEST(SchedulePlayedTest, CapacityIsThereAtTheMoment) {
  for (const Replicas surge : {10, 25, 50, 100, 300}) {
    for (const int startup : {5, 20, 45, 90}) {
      Growth growth{.serving = 10, .surge = {surge, true}, .wave = seconds(startup + 5)};
      const Played played = Play(Promotion(), growth, seconds(startup), seconds(5));
      EXPECT_GE(played.at_begin, 40) << surge << " % " << startup << " s";
      EXPECT_LE(played.early, LeadTo(growth, 40)) << surge << " % " << startup << " s";
    }
  }
}

TEST(SchedulePlayedTest, CapacityIsThereAtTheMomentThoughScalingPoliciesAreStricter) {
  const std::vector<ScalingPolicy> two{{ScalingPolicyType::kPods, 2, seconds(60)}};
  const std::vector<ScalingPolicy> tenth{{ScalingPolicyType::kPercent, 10, seconds(30)}};
  for (const auto* policies : {&kDoublesOrFour, &two, &tenth}) {
    for (const bool rolling : {false, true}) {
      for (const Replicas surge : {25, 300}) {
        Growth growth{.serving = 5,
                      .surge = {surge, true},
                      .rolling = rolling,
                      .wave = seconds(55),
                      .limits = {*policies}};
        const Played played = Play(Promotion(), growth, seconds(50), seconds(5));
        EXPECT_GE(played.at_begin, 40) << rolling << " " << surge << " %";
        EXPECT_LE(played.early, LeadTo(growth, 40)) << rolling << " " << surge << " %";
      }
    }
  }
}

}  // namespace
}  // namespace tidegate::sizing
