#include "policies/forecast/slots.h"

#include <algorithm>
#include <limits>

namespace tidegate::forecast {
namespace {

// The median of what is finite; NaN where that is less than a third. Reorders.
float MedianOf(std::vector<float>& values, std::size_t wanted) {
  if (values.empty() || 3 * values.size() < wanted) return std::numeric_limits<float>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

double FromLog(double log, double unit) {
  return std::min(signals::History::kMostValue, unit * std::expm1(std::clamp(log, 0.0, 200.0)));
}

Slots MakeSlots(const signals::History& history, double unit, std::int64_t end, int bins) {
  Slots slots;
  slots.width = history.bin() * bins;
  slots.first = FloorDiv(history.begin(), bins);
  end = std::min(end, history.end());
  const std::int64_t until = FloorDiv(end, bins);  // a slot that has begun only is left out
  std::vector<float> values;
  for (std::int64_t slot = slots.first; slot < until; ++slot) {
    values.clear();
    for (std::int64_t bin = slot * bins; bin < (slot + 1) * bins; ++bin) {
      const float mean = history.At(bin);
      if (mean >= 0) values.push_back(mean);
    }
    const float median = MedianOf(values, static_cast<std::size_t>(bins));
    slots.logs.push_back(
        static_cast<float>(ToLog(static_cast<double>(median), unit)));  // NaN stays NaN
  }
  return slots;
}

std::size_t Known(const Slots& slots) {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots.logs, [](float log) { return std::isfinite(log); }));
}

}  // namespace tidegate::forecast
