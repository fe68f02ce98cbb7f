#include "sim/report/worst_minute.h"

#include <algorithm>

namespace tidegate::sim {
namespace {

constexpr Duration kMinute{60'000};

}  // namespace

void WorstMinute::Look(Instant at, double arrived, double bad) {
  last_ = {at, arrived, bad};
  if (!begin_) begin_ = last_;
  // Of nothing there is no share: such a minute goes on.
  if (at - begin_->at < kMinute || arrived <= begin_->arrived) return;
  worst_ = std::max(worst_, ShareOf(*begin_, last_));
  begin_ = last_;
}

double WorstMinute::ShareOf(const Count& begin, const Count& end) {
  const double arrived = end.arrived - begin.arrived;
  return arrived > 0 ? std::clamp((end.bad - begin.bad) / arrived, 0.0, 1.0) : 0;
}

double WorstMinute::share() const { return begin_ ? std::max(worst_, ShareOf(*begin_, last_)) : 0; }

}  // namespace tidegate::sim
