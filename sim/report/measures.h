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
};

// All measures, in the order in which they are shown and stored.
std::span<const Measure> Measures();

// The value of each, in that order. badPercent is of the objective: requests that waited longer
// than it allows, or were lost. Several pools count together: requests, replicas and seconds are
// added up, the longest wait is the longest of any, the fewest ready the fewest of any.
std::vector<double> Measured(const RunSummary& run);

}  // namespace tidegate::sim
