#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate {

// What the clock on the wall shows: milliseconds since 1970 in a zone of its own.
using LocalTime = std::chrono::local_time<Duration>;

// From `from` on, local time is UTC + `offset`, until the next entry.
struct ZoneOffset {
  Instant from{};
  Duration offset{0};
  bool operator==(const ZoneOffset&) const = default;
};

// A time zone as a plain table, so that decisions need no file and give the same answer everywhere.
// Read from the system's IANA data by scheduler/config/time_zones.h. The first entry counts from
// ever, the last for ever.
struct Zone {
  std::string name = "UTC";                                   // "Asia/Shanghai"
  std::vector<ZoneOffset> offsets{{Instant{}, Duration{0}}};  // never empty, by time
  bool operator==(const Zone&) const = default;
};

// Index of the entry of zone.offsets that counts at `at`.
std::size_t OffsetAt(const Zone& zone, Instant at);
LocalTime ToLocal(const Zone& zone, Instant at);

// Which one is meant where the clock is set back and shows a time twice.
enum class Fold { kFirst, kLast };
// The instant at which the wall shows `local`. A time that is skipped when the clock is set forward
// is the instant at which it is.
Instant ToInstant(const Zone& zone, LocalTime local, Fold fold);

// "2026-11-27 00:00", with "T" for the blank and with seconds if so wished.
Expected<LocalTime> ParseLocalTime(std::string_view text);

}  // namespace tidegate
