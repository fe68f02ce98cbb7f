#include "policies/base/cron.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <span>

#include <fmt/format.h>

#include "policies/base/suggest.h"

// A search for a time walks the calendar of the wall: months that don't match are skipped as a
// whole, then days, then hours and minutes. Offsets are constant between two entries of the zone's
// table, so the search runs inside one such stretch after the other, and what the change between
// two of them skips or repeats is settled at their border.
namespace tidegate {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using LocalMinute = std::chrono::local_time<minutes>;
using LocalDay = std::chrono::local_days;

// 29 February comes every four years, and once in a while only after eight.
constexpr days kFarthest{9 * 366};
constexpr std::size_t kLongestText = 256;
constexpr std::string_view kBlanks = " \t";

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};

struct FieldRule {
  std::string_view name;
  int least = 0;
  int most = 0;
  std::span<const std::string_view> words{};  // of least, least + 1, ...
};
const std::array<FieldRule, 5> kFields{{{"minute", 0, 59},
                                        {"hour", 0, 23},
                                        {"day of month", 1, 31},
                                        {"month", 1, 12, kMonths},
                                        {"day of week", 0, 7, kWeekdays}}};

struct Set {
  std::uint64_t bits = 0;
  bool every = false;  // "*" is in it
};

// One field's text, and where it begins in the expression.
class FieldParser {
 public:
  FieldParser(const FieldRule& rule, std::string_view text, std::size_t at)
      : rule_(rule), text_(text), begin_(at) {}

  Expected<Set> Parse() {
    Set set;
    do {
      const std::size_t from = at_;
      TIDEGATE_TRY(const std::uint64_t bits, Item());
      set.bits |= bits;
      const std::string_view item = text_.substr(from, at_ - from);
      set.every = set.every || item == "*" || item == "?" || item == "*/1";
    } while (Take(','));
    if (at_ != text_.size()) return Wrong(Token());
    return set;
  }

 private:
  Expected<std::uint64_t> Item() {
    int first = rule_.least;
    int last = rule_.most;
    bool open = false;  // "10/5" runs to the end, "10" alone does not
    if (!Take('*') && !Take('?')) {
      const std::size_t from = at_;
      TIDEGATE_TRY(first, Number());
      last = first;
      if (Take('-')) {
        TIDEGATE_TRY(last, Number());
        if (last < first) {
          return At(from,
                    fmt::format("the range {} runs backwards", text_.substr(from, at_ - from)));
        }
      } else {
        open = true;
      }
    }
    int step = 1;
    if (Take('/')) {
      const std::size_t from = at_;
      TIDEGATE_TRY(step, Digits());
      if (step < 1 || step > rule_.most) return At(from, fmt::format("{} is no step", step));
      if (open) last = rule_.most;
    }
    std::uint64_t bits = 0;
    for (int value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
    return bits;
  }

  Expected<int> Number() {
    const std::size_t from = at_;
    const std::string_view word = Token();
    if (word.empty() || (word[0] >= '0' && word[0] <= '9')) {
      TIDEGATE_TRY(const int value, Digits());
      if (value >= rule_.least && value <= rule_.most) return value;
      at_ = from;
      return Wrong(word);
    }
    for (std::size_t i = 0; i < rule_.words.size(); ++i) {
      if (!SameWord(word, rule_.words[i])) continue;
      at_ += word.size();
      return rule_.least + static_cast<int>(i);
    }
    return Wrong(word);
  }

  Expected<int> Digits() {
    int value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) return Wrong(Token());
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  static bool SameWord(std::string_view word, std::string_view known) {
    if (word.size() != known.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if ((word[i] | 0x20) != known[i]) return false;
    }
    return true;
  }

  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view Token() const {
    const std::size_t end = text_.find_first_of(",-/", at_);
    return text_.substr(at_, end == std::string_view::npos ? end : end - at_);
  }

  tl::unexpected<Error> Wrong(std::string_view word) const {
    std::string what = word.empty() ? std::string("nothing") : Printable(word, 20);
    std::string expected = fmt::format("{} to {}", rule_.least, rule_.most);
    if (!rule_.words.empty()) {
      expected += fmt::format(" or {} to {}", rule_.words.front(), rule_.words.back());
    }
    return At(at_, fmt::format("{} is not from {}", what, expected));
  }
  tl::unexpected<Error> At(std::size_t at, const std::string& what) const {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: {}, at character {}", rule_.name, what, begin_ + at + 1));
  }

  const FieldRule& rule_;
  std::string_view text_;
  std::size_t begin_;
  std::size_t at_ = 0;
};

Expected<std::array<Set, 5>> ParseFields(std::string_view text) {
  std::array<Set, 5> sets;
  std::size_t count = 0;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos; ++count) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    if (count < sets.size()) {
      TIDEGATE_TRY(sets[count], FieldParser(kFields[count], text.substr(at, end - at), at).Parse());
    }
    at = text.find_first_not_of(kBlanks, end);
  }
  if (count != sets.size()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("expected five fields (minute, hour, day of month, month, day of "
                            "week), got {}",
                            count));
  }
  return sets;
}

bool Matches(std::uint64_t bits, unsigned value) { return (bits >> value & 1U) != 0; }

bool DayMatches(const Cron& cron, const std::chrono::year_month_day& date, LocalDay day) {
  const bool month_day = Matches(cron.days, static_cast<unsigned>(date.day()));
  const bool weekday = Matches(cron.weekdays, std::chrono::weekday(day).c_encoding());
  return cron.every_day || cron.every_weekday ? month_day && weekday : month_day || weekday;
}

// The match nearest to `from`, itself included, in the direction of `step` (1 or -1).
std::optional<LocalMinute> Search(const Cron& cron, LocalMinute from, int step) {
  const bool forward = step > 0;
  const LocalDay first = std::chrono::floor<days>(from);
  const LocalDay limit = first + step * kFarthest;
  int minute = static_cast<int>((from - first).count());
  for (LocalDay day = first; forward ? day < limit : day > limit;) {
    const std::chrono::year_month_day date(day);
    if (!Matches(cron.months, static_cast<unsigned>(date.month()))) {
      const auto month = date.year() / date.month();
      day =
          forward ? LocalDay((month + std::chrono::months(1)) / 1) : LocalDay(month / 1) - days(1);
      minute = forward ? 0 : 24 * 60 - 1;
      continue;
    }
    if (DayMatches(cron, date, day)) {
      for (; minute >= 0 && minute < 24 * 60;) {
        const int hour = minute / 60;
        if (!Matches(cron.hours, static_cast<unsigned>(hour))) {
          minute = forward ? (hour + 1) * 60 : hour * 60 - 1;
          continue;
        }
        if (Matches(cron.minutes, static_cast<unsigned>(minute % 60))) return day + minutes(minute);
        minute += step;
      }
    }
    day += days(step);
    minute = forward ? 0 : 24 * 60 - 1;
  }
  return std::nullopt;
}

// One entry of a zone's table with what surrounds it.
class Stretch {
 public:
  Stretch(const Zone& zone, std::size_t index) : zone_(zone), index_(index) {}

  bool first() const { return index_ == 0; }
  bool last() const { return index_ + 1 == zone_.offsets.size(); }
  Instant begin() const { return zone_.offsets[index_].from; }
  Instant end() const { return zone_.offsets[index_ + 1].from; }  // precondition: !last()
  bool Holds(Instant at) const { return (first() || at >= begin()) && (last() || at < end()); }
  LocalTime Local(Instant at) const { return LocalTime(at.time_since_epoch() + offset()); }
  Instant At(LocalMinute local) const { return Instant(local.time_since_epoch() - offset()); }

  // The wall shows the time of `at` here, and once more in the next stretch, or already showed it.
  bool ShownAgain(Instant at) const {
    return !last() && at + offset() - zone_.offsets[index_ + 1].offset >= end();
  }
  bool ShownBefore(Instant at) const {
    return !first() && at + offset() - zone_.offsets[index_ - 1].offset < begin();
  }
  // Whether the change at the end of this stretch skips a time that `cron` matches.
  bool SkipsAtEnd(const Cron& cron) const {
    const Duration after = zone_.offsets[index_ + 1].offset;
    if (after <= offset()) return false;
    const auto match = Search(cron, std::chrono::ceil<minutes>(Local(end())), 1);
    return match && *match < LocalTime(end().time_since_epoch() + after);
  }

 private:
  Duration offset() const { return zone_.offsets[index_].offset; }
  const Zone& zone_;
  std::size_t index_;
};

bool Counts(const Cron& cron, const Stretch& stretch, Instant at, Fold fold) {
  if (cron.every_hour) return true;
  return fold == Fold::kFirst ? !stretch.ShownBefore(at) : !stretch.ShownAgain(at);
}

// The nearest time inside the stretch, from `at` (included) on in the direction of `step`.
std::optional<Instant> InStretch(const Cron& cron, const Stretch& stretch, Instant at, int step,
                                 Fold fold) {
  const LocalTime local = stretch.Local(at);
  auto match = Search(
      cron, step > 0 ? std::chrono::ceil<minutes>(local) : std::chrono::floor<minutes>(local),
      step);
  while (match && stretch.Holds(stretch.At(*match))) {
    if (Counts(cron, stretch, stretch.At(*match), fold)) return stretch.At(*match);
    match = Search(cron, *match + minutes(step), step);
  }
  return std::nullopt;
}

}  // namespace

Expected<Cron> ParseCron(std::string_view text) {
  if (text.size() > kLongestText) {
    return Fail(ErrorCode::kInvalid, fmt::format("longer than {} characters", kLongestText));
  }
  if (text.starts_with('@')) {
    return Fail(ErrorCode::kInvalid, "expected five fields; @daily is \"0 0 * * *\", for example");
  }
  TIDEGATE_TRY(const auto sets, ParseFields(text));
  Cron cron;
  cron.text = text;
  cron.minutes = sets[0].bits;
  cron.hours = static_cast<std::uint32_t>(sets[1].bits);
  cron.days = static_cast<std::uint32_t>(sets[2].bits);
  cron.months = static_cast<std::uint16_t>(sets[3].bits);
  cron.weekdays = static_cast<std::uint8_t>((sets[4].bits | sets[4].bits >> 7) & 0x7F);
  cron.every_hour = sets[1].every;
  cron.every_day = sets[2].every;
  cron.every_weekday = sets[4].every;
  if (!Search(cron, LocalMinute{}, 1)) {
    return Fail(ErrorCode::kInvalid, "no date fits: that day is not in any of the months");
  }
  return cron;
}

std::optional<Instant> NextFire(const Cron& cron, const Zone& zone, Instant at, Fold fold) {
  const Instant limit = at + kFarthest;
  at += Duration(1);
  for (std::size_t i = OffsetAt(zone, at); i < zone.offsets.size() && at < limit; ++i) {
    const Stretch stretch(zone, i);
    if (const auto found = InStretch(cron, stretch, at, 1, fold)) return found;
    if (stretch.last()) break;
    if (!cron.every_hour && stretch.SkipsAtEnd(cron)) return stretch.end();
    at = stretch.end();
  }
  return std::nullopt;
}

std::optional<Instant> LastFire(const Cron& cron, const Zone& zone, Instant at, Fold fold) {
  const Instant limit = at - kFarthest;
  for (std::size_t i = OffsetAt(zone, at); at > limit; --i) {
    const Stretch stretch(zone, i);
    if (const auto found = InStretch(cron, stretch, at, -1, fold)) return found;
    if (stretch.first()) break;
    if (!cron.every_hour && Stretch(zone, i - 1).SkipsAtEnd(cron)) return stretch.begin();
    at = stretch.begin() - Duration(1);
  }
  return std::nullopt;
}

std::optional<Instant> WindowEnd(const Cron& start, const Cron& end, const Zone& zone,
                                 Instant begin) {
  const std::size_t i = OffsetAt(zone, begin);
  const bool set_forward =
      i > 0 && zone.offsets[i].from == begin && zone.offsets[i].offset > zone.offsets[i - 1].offset;
  if (set_forward) {
    // What the wall would have shown at the last start, and at the first end after it.
    const LocalMinute shown = std::chrono::floor<minutes>(ToLocal(zone, begin));
    const LocalMinute started = start.every_hour ? shown : Search(start, shown, -1).value_or(shown);
    const LocalMinute from = started + minutes(1);
    const auto ended = Search(end, end.every_hour ? std::max(from, shown) : from, 1);
    if (ended && *ended <= shown) return begin;
  }
  return NextFire(end, zone, begin, Fold::kLast);
}

}  // namespace tidegate
