#pragma once

#include <array>

#include "policies/base/instant.h"
#include "policies/forecast/numbers.h"
#include "policies/forecast/slots.h"

namespace tidegate::forecast {

// A season as sines and cosines of the time of day and of the time of week (UTC): what the
// logarithm of the load is above its level. Cosine and sine in turn. All zero: no season is known.
struct Harmonics {
  static constexpr int kDay = 8;   // down to 3 hours
  static constexpr int kWeek = 6;  // down to 28 hours: which days are busy
  std::array<float, 2 * kDay> day{};
  std::array<float, 2 * kWeek> week{};
  bool has_day = false;
  bool has_week = false;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitArray(visit, Log("day", "cosine and sine of 1, 2, ... waves a day"), self.day);
    VisitArray(visit, Log("week", "and a week"), self.week);
    visit(Field{"hasDay", "whether a day was fitted"}, self.has_day);
    visit(Field{"hasWeek", "whether a week was fitted"}, self.has_week);
  }
  bool operator==(const Harmonics&) const = default;
};

// O(harmonics).
double At(const Harmonics& harmonics, Instant at);

// By robust ridge regression; see harmonics.cc. Linear in the slots. Days are fitted where the
// slots reach over 1.75 of them, weeks likewise.
Harmonics FitHarmonics(const Slots& slots);

}  // namespace tidegate::forecast
