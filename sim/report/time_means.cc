#include "sim/report/time_means.h"

#include <algorithm>

#include "policies/base/check.h"

namespace tidegate::sim {

TimeMeans::TimeMeans(Instant start, Duration length, std::size_t stretches)
    : start_(start), length_(length), stretches_(stretches) {
  TIDEGATE_CHECK(length.count() > 0 && stretches > 0, "no time to divide");
}

void TimeMeans::Add(Instant at, double value) {
  const Duration since = at - start_;
  if (since < Duration(0) || since >= length_) return;
  const double share = Seconds(since) / Seconds(length_);
  const auto index = static_cast<std::size_t>(share * static_cast<double>(stretches_.size()));
  Stretch& stretch = stretches_[std::min(index, stretches_.size() - 1)];
  stretch.sum += value;
  ++stretch.count;
}

std::vector<double> TimeMeans::Values() const {
  const auto first = std::ranges::find_if(stretches_, [](const Stretch& s) { return s.count > 0; });
  if (first == stretches_.end()) return {};
  double last = first->sum / static_cast<double>(first->count);
  std::vector<double> values;
  for (const Stretch& stretch : stretches_) {
    if (stretch.count > 0) last = stretch.sum / static_cast<double>(stretch.count);
    values.push_back(last);
  }
  return values;
}

}  // namespace tidegate::sim
