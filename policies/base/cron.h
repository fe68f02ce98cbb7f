#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/zone.h"

namespace tidegate {

// A cron expression of the five standard fields: minute, hour, day of month, month, day of week.
// A field is a list of values, ranges and steps: "*", "5", "1-5", "*/15", "8-18/2", "10/5" (from 10
// on), "mon,wed,fri"; "?" is "*"; Sunday is 0 or 7. As in every cron, a day counts that matches
// either day field where both are restricted; a list with "*" in it is not.
struct Cron {
  std::string text;
  std::uint64_t minutes = 0;  // bit n: the field matches n
  std::uint32_t hours = 0;
  std::uint32_t days = 0;      // 1 .. 31
  std::uint16_t months = 0;    // 1 .. 12
  std::uint8_t weekdays = 0;   // 0 .. 6, 0 is Sunday
  bool every_hour = false;     // "*" is among the hours
  bool every_day = false;      // the days of the month are
  bool every_weekday = false;  // those of the week are
  bool operator==(const Cron&) const = default;
};

// Errors name the field and the character, counted from 1: "minute: 60 is not from 0 to 59, at
// character 3". An expression that no date fits (30 February) is an error.
Expected<Cron> ParseCron(std::string_view text);

// Times are local: "0 9 * * *" is nine on the wall, whatever the offset. When the clock is set
//  - forward, an expression with hours fires for the times that are skipped at the instant of the
//    change, once; one for every hour has nothing to make up for;
//  - back, an expression with hours fires at one of the two times that the wall shows: the first
//    one for what begins (Fold::kFirst), the last one for what ends (Fold::kLast), so that no
//    window is shorter than the wall says. One for every hour fires at both.

// The first time after `at`. Empty: none within nine years (or within the table of offsets).
std::optional<Instant> NextFire(const Cron& cron, const Zone& zone, Instant at, Fold fold);
// The last time at or before `at`.
std::optional<Instant> LastFire(const Cron& cron, const Zone& zone, Instant at, Fold fold);

// Where a window that `start` began at `begin` ends: the first time of `end` after that. Where the
// clock is set forward past both its beginning and its end, it is empty and ends at `begin`.
std::optional<Instant> WindowEnd(const Cron& start, const Cron& end, const Zone& zone,
                                 Instant begin);

}  // namespace tidegate
