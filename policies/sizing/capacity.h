#pragma once

#include <vector>

#include "policies/base/units.h"
#include "policies/sizing/queue_model.h"

namespace tidegate::sizing {

// See queue_model.h.
constexpr double kMostUtilization = 0.99;
constexpr double kLeastUtilization = 0.01;

// The largest share of late requests that a pool is sized for: 1 - objective.share, but 1.1 times
// what is late by service alone where that is more. So an objective that no number of replicas can
// keep, or only just, asks for replicas enough that waiting adds a tenth to what is late anyway,
// rather than for all there are.
double LateShareAllowed(const QueueModel& model);
// Service alone makes more requests late than the objective allows: no size of the pool keeps it.
bool OutOfReach(const QueueModel& model);

// The highest utilization, kLeastUtilization .. kMostUtilization, at which `replicas` keep the
// allowed share of late requests; to 1e-7, never above. Costs some 50 us.
double UtilizationWithin(const QueueModel& model, Replicas replicas);

// The same for pools of every size, each computed when it is first asked for: exact for up to
// kExact replicas; between the sizes beyond, a quarter apart, on the line that joins them, which
// is on the safe side, since utilization is concave in the size. Equal models give equal answers
// in whichever order they are asked.
class CapacityTable {
 public:
  static constexpr Replicas kExact = 8;

  explicit CapacityTable(const QueueModel& model) : model_(model) {}
  const QueueModel& model() const { return model_; }

  // As UtilizationWithin; never falls as `replicas` grow. Precondition: 1 .. kMaxReplicas.
  double UtilizationOf(Replicas replicas);
  // Requests per second that so many replicas serve within the objective. Grows with `replicas`.
  Rate RateOf(Replicas replicas);
  // Fewest replicas with RateOf(replicas) >= rate: never fewer for more. 0 for a rate of 0,
  // kMaxReplicas where none suffice. Below 1 us once the sizes around the result are known.
  Replicas FewestReplicas(Rate rate);

 private:
  double NodeUtilization(std::size_t node);

  QueueModel model_;
  std::vector<double> utilization_;  // by node; 0: not computed yet
};

}  // namespace tidegate::sizing
