#pragma once

#include <array>

#include "policies/base/instant.h"
#include "policies/forecast/numbers.h"
#include "policies/forecast/slots.h"

namespace tidegate::forecast {

// The day's season of Holt-Winters' method: what the logarithm of the load is above its level, by
// half-hours of the day (UTC).
struct DayProfile {
  static constexpr int kSlots = 48;
  std::array<float, kSlots> season{};
  bool known = false;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitArray(visit, Log("season", "of each half-hour of the day"), self.season);
    visit(Field{"known", "whether one was learnt"}, self.known);
  }
  bool operator==(const DayProfile&) const = default;
};

// On a line between the middles of half-hours. O(1).
double At(const DayProfile& profile, Instant at);

// The additive Holt-Winters recursion over slots of half an hour; see holt_winters.cc. Not known
// where the slots do not reach over two days of data.
DayProfile LearnDay(const Slots& slots);

}  // namespace tidegate::forecast
