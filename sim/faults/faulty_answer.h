#pragma once

#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/estimator.h"
#include "sim/faults/fault_plan.h"

namespace tidegate::sim {

// What comes of Prometheus's answers on the way: samples that were never scraped or are NaN,
// answers without series, answers that stay the same for a while.
class FaultyAnswers {
 public:
  // `plan` must outlive this object.
  FaultyAnswers(const FaultPlan& plan, Chance chance) : plan_(plan), chance_(chance) {}

  // What is answered at `now`, where all is `series`. A sample that is lost once is lost for good.
  // Precondition: `now` does not decrease.
  std::vector<signals::SampleSeries> Answer(Instant now,
                                            std::span<const signals::SampleSeries> series);

 private:
  std::vector<signals::SampleSeries> Scraped(std::span<const signals::SampleSeries> series) const;

  const FaultPlan& plan_;
  Chance chance_;
  Instant thaws_{};
  std::vector<signals::SampleSeries> frozen_;
};

}  // namespace tidegate::sim
