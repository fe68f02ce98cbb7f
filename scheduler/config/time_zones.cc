#include "scheduler/config/time_zones.h"

#include <exception>
#include <string>
#include <vector>

#include <date/tz.h>
#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::config {
namespace {

constexpr date::sys_days kFrom = date::sys_days(date::year(2000) / 1 / 1);
constexpr date::sys_days kUntil = date::sys_days(date::year(2100) / 1 / 1);

Instant ToInstant(date::sys_seconds at) { return Instant(at.time_since_epoch()); }

Zone Table(const date::time_zone& zone) {
  Zone table{zone.name(), {}};
  for (date::sys_seconds at = kFrom; at < kUntil;) {
    const date::sys_info info = zone.get_info(at);
    // Names change without the offset, and nothing is to be told apart by them.
    if (table.offsets.empty() || table.offsets.back().offset != info.offset) {
      table.offsets.push_back({ToInstant(at), info.offset});
    }
    if (info.end <= at) break;
    at = info.end;
  }
  return table;
}

std::string Unknown(std::string_view name, const date::tzdb& data) {
  std::vector<std::string_view> names;
  for (const date::time_zone& zone : data.zones) names.push_back(zone.name());
  const std::string_view near = Nearest(name, names);
  std::string text = fmt::format("there is no time zone \"{}\"", Printable(name, 60));
  if (!near.empty()) return text + fmt::format("; did you mean {}?", near);
  return text + "; expected an IANA name like Europe/Berlin";
}

}  // namespace

Expected<Zone> LoadZone(std::string_view name) {
  try {
    const date::tzdb& data = date::get_tzdb();
    for (const date::time_zone& zone : data.zones) {
      if (zone.name() == name) return Table(zone);
    }
    return Fail(ErrorCode::kNotFound, Unknown(name, data));
  } catch (const std::exception& error) {
    return Fail(
        ErrorCode::kUnavailable,
        fmt::format("can't read the system's time zones (package tzdata): {}", error.what()));
  }
}

}  // namespace tidegate::config
