#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace tidegate {

using Duration = std::chrono::milliseconds;

// The time line of decisions: UTC, milliseconds since 1970. It has no now() on purpose: decision
// code is handed the time, and only scheduler/adapters may read a clock.
struct ControlTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<ControlTime, Duration>;
  static constexpr bool is_steady = false;
};
using Instant = ControlTime::time_point;

constexpr Instant FromUnixMillis(std::int64_t millis) { return Instant(Duration(millis)); }
constexpr std::int64_t UnixMillis(Instant at) { return at.time_since_epoch().count(); }
constexpr double Seconds(Duration d) { return static_cast<double>(d.count()) / 1000.0; }
// Rounds to the nearest millisecond. Precondition: |seconds| < 9e15.
Duration FromSeconds(double seconds);

// "2026-11-27T00:00:00.250Z"; the fraction is left out where it is zero.
std::string FormatInstant(Instant at);
// RFC 3339 with "Z" or a numeric offset, or seconds since 1970 ("1795651200", "1795651200.25").
Expected<Instant> ParseInstant(std::string_view text);

// "1h5m", "90s" as "1m30s", "250ms", "0s".
std::string FormatDuration(Duration d);
// Prometheus's duration form: "5s", "1m30s", "250ms", "2h", "7d", "1w"; units in descending order,
// each at most once; "0" alone is allowed. Not negative; at most 100 years.
Expected<Duration> ParseDuration(std::string_view text);

}  // namespace tidegate
