#include "policies/base/instant.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace tidegate {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr Duration kLongest = std::chrono::hours(24 * 365 * 100);

std::optional<int> Digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The part after the seconds: an optional fraction, then Z or an offset.
std::optional<Duration> FractionAndOffset(std::string_view rest) {
  Duration result{0};
  if (!rest.empty() && rest[0] == '.') {
    std::size_t end = 1;
    int scale = 100;
    while (end < rest.size() && rest[end] >= '0' && rest[end] <= '9') {
      result += Duration((rest[end] - '0') * scale);
      scale /= 10;
      ++end;
    }
    if (end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  if (rest == "Z" || rest == "z") return result;
  const auto hours = Digits(rest, 1, 2);
  const auto minutes = Digits(rest, 4, 2);
  const bool shaped = rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':';
  if (!shaped || !hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return rest[0] == '+' ? result - offset : result + offset;
}

std::optional<Instant> ParseRfc3339(std::string_view text) {
  const auto year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const auto hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const bool shaped = text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't') &&
                      text[13] == ':' && text[16] == ':';
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!shaped || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto rest = FractionAndOffset(text.substr(19));
  if (!rest) return std::nullopt;
  const auto since = sys_days(date).time_since_epoch() + std::chrono::hours(*hour) +
                     std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  return Instant(std::chrono::duration_cast<Duration>(since) + *rest);
}

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array<Unit, 7> kUnits{{{"w", days(7)},
                                      {"d", days(1)},
                                      {"h", std::chrono::hours(1)},
                                      {"m", std::chrono::minutes(1)},
                                      {"s", std::chrono::seconds(1)},
                                      {"ms", Duration(1)},
                                      {"", Duration(0)}}};

}  // namespace

Duration FromSeconds(double seconds) { return Duration(std::llround(seconds * 1000.0)); }

std::string FormatInstant(Instant at) {
  const auto since = at.time_since_epoch();
  const auto day = std::chrono::floor<days>(since);
  const std::chrono::year_month_day date{sys_days(day)};
  const auto in_day = (since - day).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60);
  if (in_day % 1000 != 0) text += fmt::format(".{:03}", in_day % 1000);
  return text + "Z";
}

Expected<Instant> ParseInstant(std::string_view text) {
  if (const auto at = ParseRfc3339(text)) return *at;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && std::abs(seconds) < 1e12) {
    return Instant(FromSeconds(seconds));
  }
  return Fail(
      ErrorCode::kInvalid,
      fmt::format("\"{}\" is not a time; expected 2026-11-27T00:00:00Z or seconds since 1970",
                  text));
}

std::string FormatDuration(Duration d) {
  if (d == Duration(0)) return "0s";
  std::string text = d < Duration(0) ? "-" : "";
  auto rest = std::chrono::abs(d);
  for (const Unit& unit : kUnits) {
    if (unit.length == Duration(0) || unit.name == "w" || unit.name == "d") continue;
    if (const auto count = rest / unit.length; count > 0) {
      text += fmt::format("{}{}", count, unit.name);
      rest -= unit.length * count;
    }
  }
  return text;
}

Expected<Duration> ParseDuration(std::string_view text) {
  const auto bad = [&] {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("\"{}\" is not a duration; expected one like 30s, 1m30s or 250ms", text));
  };
  if (text == "0") return Duration(0);
  if (text.empty()) return bad();
  Duration total{0};
  std::size_t next_unit = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), count);
    const auto name_at = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || count < 0 || text[at] == '-') return bad();
    std::size_t name_end = name_at;
    while (name_end < text.size() && (text[name_end] < '0' || text[name_end] > '9')) ++name_end;
    const auto name = text.substr(name_at, name_end - name_at);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (name.empty() || next_unit == kUnits.size()) return bad();
    if (count > kLongest / kUnits[next_unit].length) return bad();
    total += kUnits[next_unit].length * count;
    if (total > kLongest) return bad();
    ++next_unit;
    at = name_end;
  }
  return total;
}

}  // namespace tidegate
