#pragma once

#include <cstdint>

#include "policies/base/instant.h"
#include "policies/signals/history.h"

namespace tidegate::testing {

// A load with a day in it: a wave of 24 hours and one of 8 on top, between about 0.3 and 1.7 times
// `mean`, and noise of a few percent. Bins are minutes, numbered from 1970.
struct SyntheticLoad {
  double mean = 1000;
  double noise = 0.03;  // standard deviation, relative
  double shift_h = 0;   // hours by which the day begins later
  double At(std::int64_t minute) const;
};

// 2026-11-02T00:00:00Z, a Monday, in minutes.
inline constexpr std::int64_t kMonday = 29'892'960;

// Uniform in [0, 1), the same for equal arguments on every machine.
double Draw(std::uint64_t key);

// The load of [begin, end) as a history.
signals::History HistoryOf(const SyntheticLoad& load, std::int64_t begin, std::int64_t end);

}  // namespace tidegate::testing
