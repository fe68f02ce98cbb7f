#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/history.h"

namespace tidegate::forecast {

// Models see the logarithm of a rate, in which a load that doubles moves by the same amount at any
// hour, and a change of level only shifts everything after it:
//
//   log(1 + value / unit)
//
// Below a unit it is linear: what is small enough not to matter may be noisy and may be zero.
// Preconditions: value >= 0, unit > 0.
// Bounded, as its inverse is, so that nothing overflows that is made of either. NaN stays NaN.
inline double ToLog(double value, double unit) {
  const double units = value / unit;
  return std::log1p(units > 1e60 ? 1e60 : units);
}
// The inverse, 0 .. History::kMostValue.
double FromLog(double log, double unit);

// A history in wider bins, each the median of the logarithms in it: what a spike shorter than half
// a slot leaves no trace in. NaN where less than a third of it is known.
struct Slots {
  Duration width{0};
  std::int64_t first = 0;  // number of the first, counted from 1970
  std::vector<float> logs;

  Instant Center(std::size_t i) const {
    return FromUnixMillis(0) + (first + static_cast<std::int64_t>(i)) * width + width / 2;
  }
};

// Precondition: `bins` >= 1, of the history to a slot. Bins from `end` on are not looked at.
Slots MakeSlots(const signals::History& history, double unit, std::int64_t end, int bins);

// How many are known.
std::size_t Known(const Slots& slots);

}  // namespace tidegate::forecast
