#pragma once

#include <cstddef>
#include <vector>

#include "policies/base/instant.h"

namespace tidegate::sim {

// What a run was like over time, as the means of equal stretches of it: as much memory for a year
// as for a minute, and the stretches of two runs of one length fall together.
class TimeMeans {
 public:
  // Preconditions: length > 0, stretches > 0.
  TimeMeans(Instant start, Duration length, std::size_t stretches);

  // Counts into the stretch that holds `at`; what lies outside is left out.
  void Add(Instant at, double value);
  // One mean for each stretch; one that holds no value repeats its neighbour before it, or else
  // the one after it. Empty where there was no value at all.
  std::vector<double> Values() const;

 private:
  struct Stretch {
    double sum = 0;
    std::size_t count = 0;
  };
  Instant start_;
  Duration length_;
  std::vector<Stretch> stretches_;
};

}  // namespace tidegate::sim
