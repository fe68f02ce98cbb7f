#pragma once

#include <optional>

#include "policies/base/instant.h"
#include "policies/sizing/queue_model.h"

namespace tidegate::sizing {

// What one replica can do, as the pool's owner states it. Targets that a signal leaves out come
// from here; policies that size to a latency objective, and the simulator, use the rest.
struct Capacity {
  std::optional<double> requests_per_second;  // > 0; target of "requests" signals without one
  std::optional<double> concurrency;          // > 0; target of "inflight" signals without one
  std::optional<Duration> service_time;       // mean, > 0
  std::optional<Duration> latency_objective;  // > 0
  std::optional<int> workers;                 // requests in service at once; 1 .. kMostWorkers
  std::optional<double> service_variation;    // standard deviation over mean, 0 .. 20; 0.5 if unset
  std::optional<double> latency_share;        // of requests in the objective, < 1; 0.99 if unset
  Balancing balancing = Balancing::kLeastOfTwo;
  bool operator==(const Capacity&) const = default;
};

}  // namespace tidegate::sizing
