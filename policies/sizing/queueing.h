#pragma once

#include <optional>
#include <string>

#include "policies/base/units.h"
#include "policies/sizing/bottleneck.h"
#include "policies/sizing/capacity.h"
#include "policies/sizing/queue_model.h"
#include "policies/sizing/service_learner.h"

namespace tidegate::sizing {

// Sizing by a latency objective: the fewest replicas that keep it for the measured rate and the
// learned service time.
struct QueueingOptions {
  // How much of what the objective allows is used, 0 < .. <= 1: the rest is for what arrives until
  // a decision has become replicas. The policy's one knob.
  double utilization = 0.7;
  LearnOptions learn;
  BottleneckOptions bottleneck;
  bool operator==(const QueueingOptions&) const = default;
};

struct QueueingMemory {
  ServiceMemory service;
  BottleneckMemory bottleneck;
  // Of the last model; what it holds follows from the model, so it is no state.
  std::optional<CapacityTable> table;
};

// What one look says.
struct QueueingSize {
  std::optional<Replicas> replicas;  // unset: no rate, no opinion
  Rate per_replica = 0;              // what each of so many is given at most
  std::string note;                  // the arithmetic in words
};

// replicas = FewestReplicas((rate + backlog / 30 s) / utilization) for the learned service time,
// which is rounded up to a power of 1.02, so that a size does not follow each breath of it.
// backlog = requests inside beyond ready x workers: what waits has not been served, so that no
// counter has seen it; it counts for as much as the rate at most. Never more than `size` while
// something behind the pool is short (bottleneck.h).
QueueingSize SizeByQueue(const QueueingOptions& options, const QueueModel& configured,
                         const PoolObserved& observed, Replicas size, QueueingMemory& memory);

}  // namespace tidegate::sizing
