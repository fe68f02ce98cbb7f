// Holt-Winters with an additive season on logarithms (which makes it multiplicative on rates):
//
//   e = z - (l + s_i)     l' = l + a e     s_i' = s_i + c e        i: the half-hour of the day
//
// with the robust, damped smoother of smoother.h for level and trend, and the season's errors
// clipped as well, so that an outlier of one day changes the season of that half-hour by little. It
// starts as textbooks do, from the first two days' deviations of their means.
//
// At the resolution of a minute the season would need 1440 numbers and see each of them once a day;
// half-hours are what a day's shape needs, and the minute's own level is smoothed apart from it
// (models.cc). Follows a season that moves to other hours within about 1 / c days.
#include "policies/forecast/holt_winters.h"

#include <algorithm>
#include <cmath>

#include "policies/forecast/smoother.h"

namespace tidegate::forecast {
namespace {

using std::chrono::days;

constexpr SmootherOptions kSlow{0.08F, 0.05F, 0.9F};  // the level follows within half a day
constexpr float kSeasonRate = 0.35F;                  // c, per day
constexpr float kSeasonClip = 4;                      // spreads
constexpr std::size_t kSlots = DayProfile::kSlots;

std::size_t SlotOfDay(const Slots& slots, std::size_t i) {
  const auto slot = slots.first + static_cast<std::int64_t>(i);
  const auto count = static_cast<std::int64_t>(kSlots);
  return static_cast<std::size_t>((slot % count + count) % count);
}

// The mean of the day from `begin` on; NaN where less than three quarters of it is known.
float MeanOfDay(const Slots& slots, std::size_t begin) {
  float sum = 0;
  int known = 0;
  for (std::size_t i = begin; i < begin + kSlots; ++i) {
    if (!std::isfinite(slots.logs[i])) continue;
    sum += slots.logs[i];
    ++known;
  }
  if (4 * known < 3 * DayProfile::kSlots) return std::nanf("");
  return sum / static_cast<float>(known);
}

// The season of the first two days of data; where it ends, 0 if there are not two.
std::size_t Start(const Slots& slots, DayProfile& profile) {
  std::array<int, kSlots> seen{};
  int found = 0;
  for (std::size_t begin = 0; begin + kSlots <= slots.logs.size(); begin += kSlots) {
    const float mean = MeanOfDay(slots, begin);
    if (!std::isfinite(mean)) continue;
    for (std::size_t i = begin; i < begin + kSlots; ++i) {
      if (!std::isfinite(slots.logs[i])) continue;
      const std::size_t slot = SlotOfDay(slots, i);
      profile.season[slot] +=
          (slots.logs[i] - mean - profile.season[slot]) / static_cast<float>(++seen[slot]);
    }
    if (++found == 2) return begin + kSlots;
  }
  return 0;
}

}  // namespace

double At(const DayProfile& profile, Instant at) {
  if (!profile.known) return 0;
  const std::int64_t day = Duration(days(1)).count();
  const std::int64_t millis = (UnixMillis(at) % day + day) % day;
  const double place =
      static_cast<double>(millis) * DayProfile::kSlots / static_cast<double>(day) - 0.5;
  const double below = std::floor(place);
  const double share = place - below;
  const auto slot = static_cast<std::size_t>(below + DayProfile::kSlots);
  const float first = profile.season[slot % kSlots];
  const float second = profile.season[(slot + 1) % kSlots];
  return static_cast<double>(first) + share * static_cast<double>(second - first);
}

DayProfile LearnDay(const Slots& slots) {
  DayProfile profile;
  const std::size_t from = Start(slots, profile);
  if (from == 0) return {};
  profile.known = true;
  Smoother smoother;
  for (std::size_t i = from - kSlots; i < slots.logs.size(); ++i) {
    float& season = profile.season[SlotOfDay(slots, i)];
    Advance(kSlow, slots.logs[i] - season, smoother);
    if (i < from || !std::isfinite(slots.logs[i])) continue;  // the level settles first
    const float most = kSeasonClip * smoother.spread;
    season += kSeasonRate * std::clamp(slots.logs[i] - season - smoother.level, -most, most);
  }
  return profile;
}

}  // namespace tidegate::forecast
