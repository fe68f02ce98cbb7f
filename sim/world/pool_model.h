#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policies/base/histogram.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

namespace tidegate::sim {

// What happened to requests. A fluid counts fractions of requests.
struct Flow {
  double arrived = 0;
  double served = 0;
  double lost = 0;      // for one of these reasons:
  double refused = 0;   // no replica was ready
  double rejected = 0;  // the line was full
  double gave_up = 0;   // the wait was too long
  double cut = 0;       // the replica went or died before it was done
  double slow = 0;      // answered or about to be, later than the objective
  double retries = 0;   // that clients made, beside `arrived`
};

// Seconds from a request's first attempt to its answer, of those answered in one stretch.
struct LatencyPercentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
};

// One simulated pool: replicas that start, serve, drain and go, under a load of its own. How the
// requests are modelled is the implementation's affair. Phases change by events of the calendar
// that the pool was made with; requests flow when AdvanceTo() is called.
class PoolModel {
 public:
  virtual ~PoolModel() = default;

  // Precondition: no replica of that name was ever started.
  virtual void Start(const std::string& name, const Revision& revision) = 0;
  // One that is ready already: how a pool begins. Precondition as Start's.
  virtual void Adopt(const std::string& name, const Revision& revision) = 0;
  // One that failed is gone at once. No effect on replicas that are unknown, gone or draining
  // already.
  virtual void Drain(const std::string& name) = 0;
  // It dies at once, and with it what it has in progress, as when connections are reset: that is no
  // answer, and clients may try again. Seen as failed until it is drained, or gone at once if it
  // was draining. No effect on replicas that are unknown, gone or failed.
  virtual void Crash(const std::string& name) = 0;
  virtual bool Knows(std::string_view name) const = 0;
  // From now on `told` is called after each change of a replica: it started, got ready, drains,
  // died or is gone. It must not change the pool.
  virtual void OnChange(std::function<void()> told) = 0;

  // Lets requests flow up to `at`; no effect for times already reached. Precondition: no phase
  // changes between the calendar's now and `at`.
  virtual void AdvanceTo(Instant at) = 0;

  // Sorted by name; valid until a replica starts or goes.
  virtual std::span<const signals::ReplicaView> Views() const = 0;
  // Requests that a replica has served since it started, at the time advanced to; unset for one
  // that is unknown, gone or failed.
  virtual std::optional<double> Served(std::string_view name) const = 0;
  // All of it, since the beginning.
  virtual Flow total() const = 0;
  // Requests that wait for a worker.
  virtual double backlog() const = 0;
  // Requests per second that one replica serves at most.
  virtual double capacity() const = 0;
  virtual Rate arrival_rate(Instant at) const = 0;
  // Of all requests that were answered by the time advanced to, in microseconds; nullptr where the
  // model has no single requests. Valid until the pool is advanced.
  virtual const Histogram* latencies() { return nullptr; }
  // Since the last call; to 3 %.
  virtual std::optional<LatencyPercentiles> RecentLatency() { return std::nullopt; }
};

}  // namespace tidegate::sim
