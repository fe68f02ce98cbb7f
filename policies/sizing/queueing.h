#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/base/fields.h"
#include "policies/base/units.h"
#include "policies/sizing/bottleneck.h"
#include "policies/sizing/capacity.h"
#include "policies/sizing/policy.h"
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

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"utilization", "how much of what the objective allows is used", 0.01, 1},
          self.utilization);
    visit(Field{"learn", "how the service time is learned"}, self.learn);
    visit(Field{"bottleneck", "when something behind the pool is short"}, self.bottleneck);
  }
  bool operator==(const QueueingOptions&) const = default;
};

struct QueueingMemory {
  ServiceMemory service;
  BottleneckMemory bottleneck;
  // Of the last model; what it holds follows from the model, so it is no state.
  std::optional<CapacityTable> table;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"service", "the service time learned"}, self.service);
    visit(Field{"bottleneck", "what growth has brought"}, self.bottleneck);
  }
  bool operator==(const QueueingMemory& other) const {
    return service == other.service && bottleneck == other.bottleneck;
  }
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

// The queue with the service time as it was learned before this look, rounded up to a power
// of 1.02; the one that is configured where nothing is. What this look says counts from the next
// one on, so that more demand never makes fewer replicas of it.
QueueModel LearnedModel(const LearnOptions& options, const QueueModel& configured,
                        const PoolObserved& observed, ServiceMemory& memory);
// As many requests are inside as there are workers, or more.
bool IsFull(int workers, const PoolObserved& observed);
// What is asked for: the rate and the backlog, see above. Precondition: a rate was observed.
Rate DemandOf(const QueueModel& model, const PoolObserved& observed);

// The queue that a stated capacity describes; unset where it lacks workers, service time or
// objective.
std::optional<QueueModel> ModelOf(const Capacity& capacity);

// What a policy sees of a pool: the first "requests", "inflight" and "latency" signals, their
// targets don't matter. Only good readings count, but for a partial rate, which is a lower bound;
// with one nothing is learned.
struct PoolSignals {
  PoolObserved observed;
  std::string rate_signal;                         // its name; empty: there is none
  const signals::Reading* rate_reading = nullptr;  // null: it was not read
};
PoolSignals Observe(const Input& input);

struct Queueing {
  static constexpr std::string_view kName = "queueing";
  static constexpr std::string_view kDescription =
      "the fewest replicas that keep a latency objective (Erlang C), service time learned";
  static constexpr Guarding kGuarding{};
  static constexpr bool kHistory = false;
  using Options = QueueingOptions;
  using Memory = QueueingMemory;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

}  // namespace tidegate::sizing
