#include "policies/base/zone.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate {
namespace {

LocalTime Shifted(Instant at, Duration offset) { return LocalTime(at.time_since_epoch() + offset); }

}  // namespace

std::size_t OffsetAt(const Zone& zone, Instant at) {
  const auto after = std::ranges::upper_bound(zone.offsets, at, {}, &ZoneOffset::from);
  return after == zone.offsets.begin() ? 0
                                       : static_cast<std::size_t>(after - zone.offsets.begin()) - 1;
}

LocalTime ToLocal(const Zone& zone, Instant at) {
  return Shifted(at, zone.offsets[OffsetAt(zone, at)].offset);
}

Instant ToInstant(const Zone& zone, LocalTime local, Fold fold) {
  // Offsets are less than two days apart from UTC, so few entries can hold the instant.
  const Instant guess(local.time_since_epoch());
  const std::size_t first = OffsetAt(zone, guess - std::chrono::days(2));
  std::optional<Instant> found;
  for (std::size_t i = first; i < zone.offsets.size(); ++i) {
    const Instant at = guess - zone.offsets[i].offset;
    const bool begun = i == 0 || at >= zone.offsets[i].from;
    const bool over = i + 1 < zone.offsets.size() && at >= zone.offsets[i + 1].from;
    if (!begun) return found ? *found : zone.offsets[i].from;  // skipped: between i - 1 and i
    if (over) continue;
    if (fold == Fold::kFirst) return at;
    found = at;
    if (i + 1 < zone.offsets.size() && zone.offsets[i + 1].from - at > std::chrono::days(2)) break;
  }
  return *found;  // the last entry is never over
}

Expected<LocalTime> ParseLocalTime(std::string_view text) {
  std::string utc(text);
  if (utc.size() >= 16 && utc[10] == ' ') utc[10] = 'T';
  if (utc.size() == 16) utc += ":00";
  const bool shaped = utc.size() == 19 && utc[10] == 'T';
  const auto at = ParseInstant(utc + "Z");
  if (!shaped || !at) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" is not a local time; expected one like 2026-11-27 00:00",
                            Printable(text, 40)));
  }
  return LocalTime(at->time_since_epoch());
}

}  // namespace tidegate
