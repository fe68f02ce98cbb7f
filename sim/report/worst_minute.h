#pragma once

#include <optional>

#include "policies/base/instant.h"

namespace tidegate::sim {

// The largest share of bad requests in one minute of a run. Minutes count from the first look on;
// the last one may be short. A request counts where it is known to be bad, so at most as much later
// than it arrived as it may wait; the share is at most 1 all the same. A minute in which nothing
// arrives lasts until something does, and what is bad of it when nothing ever does is left out.
class WorstMinute {
 public:
  // How many requests have arrived since the run's start, and how many of them are bad. In order of
  // time; at least once a minute, for minutes to be minutes.
  void Look(Instant at, double arrived, double bad);

  // 0 .. 1; 0 where nothing arrived.
  double share() const;

 private:
  struct Count {
    Instant at{};
    double arrived = 0;
    double bad = 0;
  };
  // A minute's share from its ends.
  static double ShareOf(const Count& begin, const Count& end);

  std::optional<Count> begin_;  // of the minute at hand
  Count last_;
  double worst_ = 0;
};

}  // namespace tidegate::sim
