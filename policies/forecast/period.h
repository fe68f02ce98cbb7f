#pragma once

#include <span>

namespace tidegate::forecast {

// The shortest period, in bins, at which changes of the values repeat themselves (a job that runs
// every hour, say), 3 .. 720; 0 where there is none that the last two days show four times. Costs
// at most 2880 x 720 multiplications, however long the values are. NaN is a gap.
int FindPeriod(std::span<const float> values);

}  // namespace tidegate::forecast
