#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sim/report/table.h"

namespace tidegate::sim {

// One number that a run is judged by.
struct Measure {
  std::string_view name;   // as in files: "lostPercent"
  std::string_view title;  // for people: "lost requests, %"
  bool less_is_better;     // of two runs; more is better otherwise
  bool of_requests;        // known in mode requests only
};

// All measures, in the order in which they are shown and stored.
std::span<const Measure> Measures();

// The value of each, in that order; NaN where the run doesn't know it. Bad requests are those that
// were lost (refused, rejected, given up, cut off) or were answered later than the objective's
// latency; in mode fluid, which knows no answers, those that waited longer than the objective's
// wait, at the least (DeadlineQueue). The cost multiple is of the oracle that keeps the objective,
// or comes closest to it where none can; NaN where no pool has a yardstick.
// Several pools count together: requests, replicas and seconds are added up; latencies, the longest
// wait and the worst minute are the worst of any, the fewest ready the fewest of any; the cost
// multiple is of those that have a yardstick, together.
std::vector<double> Measured(const RunSummary& run);

}  // namespace tidegate::sim
