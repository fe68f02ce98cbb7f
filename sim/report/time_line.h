#pragma once

#include <cstddef>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::sim {

// One row of the time line, from `at` to the next row. Where a row stands for more than one look
// at the pool it is the worst of them: most demand, backlog, desired, starting and draining, least
// capacity and ready.
struct Moment {
  Duration at{0};  // since the trace's start
  Rate demand = 0;
  Rate capacity = 0;  // of ready replicas
  double backlog = 0;
  Replicas desired = 0;
  Replicas starting = 0;
  Replicas ready = 0;
  Replicas draining = 0;
};

// A run's moments in bounded memory: when there are too many, each two neighbours become one.
class TimeLine {
 public:
  static constexpr std::size_t kMostMoments = 7'200;

  void Add(const Moment& moment);
  const std::vector<Moment>& moments() const { return moments_; }

 private:
  std::vector<Moment> moments_;
  std::size_t looks_ = 1;    // that one moment stands for
  std::size_t in_last_ = 0;  // that the last one holds so far
};

}  // namespace tidegate::sim
