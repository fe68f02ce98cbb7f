#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/world/pool_model.h"

namespace tidegate::sim {

// One row of the time line, from `at` to the next row. Where a row stands for more than one look
// at the pool it is the worst of them: most demand, backlog, losses, desired, starting, draining,
// failed and used of the budgets, least capacity, ready, view and limits.
struct Moment {
  Duration at{0};  // since the trace's start
  Rate demand = 0;
  Rate capacity = 0;  // of ready replicas
  double backlog = 0;
  Rate lost = 0;  // requests given up, per second
  Replicas desired = 0;
  Replicas starting = 0;
  Replicas ready = 0;
  Replicas draining = 0;
  Replicas failed = 0;
  double replica_seconds = 0;  // so far; starting, ready and draining
  // What the control loop knew and planned at its last tick.
  Rate view = std::numeric_limits<double>::quiet_NaN();  // its request rate; NaN: none usable
  bool blind = false;                                    // it had a reading that it could not use
  Replicas surge = 0;
  Replicas surge_limit = 0;
  Replicas unavailable = 0;
  Replicas unavailable_limit = 0;
  // Unset where the pool's model has no single requests, or none was answered.
  std::optional<LatencyPercentiles> latency = std::nullopt;
};

// A run's moments in bounded memory: when there are too many, each two neighbours become one.
class TimeLine {
 public:
  static constexpr std::size_t kMostMoments = 7'200;

  // Keeps at most so many rows; even, >= 2.
  explicit TimeLine(std::size_t most = kMostMoments) : most_(most) {}

  // In the order of `at`.
  void Add(const Moment& moment) { Add(moment, moment); }
  const std::vector<Moment>& moments() const { return worst_; }
  // The other ends: row for row as moments(), but the best of what a row stands for.
  const std::vector<Moment>& best() const { return best_; }

  // The same in at most `most` rows, both ends kept.
  TimeLine Thinned(std::size_t most) const;

 private:
  void Add(const Moment& worst, const Moment& best);
  void Halve();

  std::size_t most_;
  std::vector<Moment> worst_;
  std::vector<Moment> best_;
  std::size_t looks_ = 1;    // that one moment stands for
  std::size_t in_last_ = 0;  // that the last one holds so far
};

}  // namespace tidegate::sim
