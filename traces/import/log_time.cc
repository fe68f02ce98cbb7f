#include "traces/import/log_time.h"

#include <chrono>
#include <cstring>

namespace tidegate::traces {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Two digits as a number, or a number above any bound.
int Two(const char* at) {
  if (!IsDigit(at[0]) || !IsDigit(at[1])) return 10'000;
  return (at[0] - '0') * 10 + (at[1] - '0');
}

unsigned MonthOf(const char* name) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (unsigned month = 0; month < 12; ++month) {
    if (std::memcmp(kMonths.data() + month * std::size_t{3}, name, 3) == 0) return month + 1;
  }
  return 0;
}

bool ToDay(int year, unsigned month, unsigned day, std::int64_t& day_ms) {
  using std::chrono::year_month_day;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!date.ok() || year < 1970 || year > 9'999) return false;
  day_ms = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  return true;
}

// "13:55:36" as milliseconds of the day; negative if it is no time. A leap second counts as the
// second after it.
std::int64_t TimeOfDay(const char* at) {
  const int hour = Two(at), minute = Two(at + 3), second = Two(at + 6);
  if (hour > 23 || minute > 59 || second > 60 || at[2] != ':' || at[5] != ':') return -1;
  return hour * kHour + minute * kMinute + second * kSecond;
}

// "+0800", "-07:00" or "Z" as milliseconds east of UTC. False if it is no zone.
bool Zone(std::string_view text, std::int64_t& east_ms) {
  if (text == "Z" || text == "z") {
    east_ms = 0;
    return true;
  }
  const bool colon = text.size() == 6 && text[3] == ':';
  if ((text.size() != 5 && !colon) || (text[0] != '+' && text[0] != '-')) return false;
  const int hours = Two(text.data() + 1), minutes = Two(text.data() + (colon ? 4 : 3));
  if (hours > 14 || minutes > 59) return false;
  east_ms = (hours * kHour + minutes * kMinute) * (text[0] == '-' ? -1 : 1);
  return true;
}

// Digits by hand: seconds with a fraction are not exact in binary.
bool ReadNumber(std::string_view text, std::int64_t& at_ms) {
  std::uint64_t whole = 0;
  std::size_t at = 0;
  for (; at < text.size() && IsDigit(text[at]); ++at) {
    if (at == 19) return false;  // nanoseconds have 19 digits until 2286
    whole = whole * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  if (at == 0) return false;
  std::int64_t millis = 0;
  if (at < text.size()) {
    if (text[at] != '.' || at + 1 == text.size()) return false;
    for (std::size_t i = 1; at + i < text.size(); ++i) {
      if (!IsDigit(text[at + i])) return false;
      if (i <= 3) millis = millis * 10 + (text[at + i] - '0');
    }
    for (std::size_t i = text.size() - at; i <= 3; ++i) millis *= 10;
  }
  if (whole < 100'000'000'000) {
    at_ms = static_cast<std::int64_t>(whole) * kSecond + millis;
    return true;
  }
  std::uint64_t per_milli = 1;
  if (whole >= 100'000'000'000'000) per_milli = 1'000;
  if (whole >= 100'000'000'000'000'000) per_milli = 1'000'000;
  at_ms = static_cast<std::int64_t>(whole / per_milli);
  return true;
}

}  // namespace

// What follows the seconds: a fraction, and a zone.
bool LogTime::ReadTail(std::string_view text, std::int64_t& at_ms) {
  if (!text.empty() && (text[0] == '.' || text[0] == ',')) {
    std::size_t digits = 0;
    std::int64_t millis = 0;
    for (text.remove_prefix(1); digits < text.size() && IsDigit(text[digits]); ++digits) {
      if (digits < 3) millis = millis * 10 + (text[digits] - '0');
    }
    if (digits == 0) return false;
    for (std::size_t i = digits; i < 3; ++i) millis *= 10;
    at_ms += millis;
    text.remove_prefix(digits);
  }
  if (text.empty()) {
    at_ms -= offset_ms_;
    return true;
  }
  if (text[0] == ' ') text.remove_prefix(1);
  std::int64_t east_ms = 0;
  if (!Zone(text, east_ms)) return false;
  at_ms -= east_ms;
  return true;
}

bool LogTime::ReadClf(std::string_view text, std::int64_t& at_ms) {
  const char* at = text.data();
  if (text.size() < 20 || at[2] != '/' || at[6] != '/' || at[11] != ':') return false;
  if (std::memcmp(at, last_date_.data(), last_date_.size()) != 0) {
    const int year = Two(at + 7) * 100 + Two(at + 9);
    const int day = Two(at);
    if (day > 31 || !ToDay(year, MonthOf(at + 3), static_cast<unsigned>(day), last_day_ms_)) {
      last_date_ = {};
      return false;
    }
    std::memcpy(last_date_.data(), at, last_date_.size());
  }
  const std::int64_t time = TimeOfDay(at + 12);
  if (time < 0) return false;
  at_ms = last_day_ms_ + time;
  return ReadTail(text.substr(20), at_ms);
}

bool LogTime::ReadIso(std::string_view text, std::int64_t& at_ms) {
  const char* at = text.data();
  if (text.size() < 19 || at[7] != '-' || (at[10] != 'T' && at[10] != ' ')) return false;
  if (std::memcmp(at, last_date_.data(), last_date_.size()) != 0) {
    const int year = Two(at) * 100 + Two(at + 2);
    const int month = Two(at + 5), day = Two(at + 8);
    if (month > 12 || day > 31 ||
        !ToDay(year, static_cast<unsigned>(month), static_cast<unsigned>(day), last_day_ms_)) {
      last_date_ = {};
      return false;
    }
    std::memcpy(last_date_.data(), at, last_date_.size());
  }
  const std::int64_t time = TimeOfDay(at + 11);
  if (time < 0) return false;
  at_ms = last_day_ms_ + time;
  return ReadTail(text.substr(19), at_ms);
}

bool LogTime::Read(std::string_view text, std::int64_t& at_ms) {
  if (text.size() == last_size_ && std::memcmp(text.data(), last_text_.data(), last_size_) == 0 &&
      last_size_ > 0) {
    at_ms = last_ms_;
    return true;
  }
  if (text.size() > kLongest || text.size() < 2) return false;
  bool good = false;
  if (text.size() > 10 && text[2] == '/') {
    good = ReadClf(text, at_ms);
  } else if (text.size() > 10 && text[4] == '-') {
    good = ReadIso(text, at_ms);
  } else {
    good = ReadNumber(text, at_ms);
  }
  if (!good) return false;
  std::memcpy(last_text_.data(), text.data(), text.size());
  last_size_ = text.size();
  last_ms_ = at_ms;
  return true;
}

}  // namespace tidegate::traces
