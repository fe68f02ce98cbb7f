#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"
#include "sim/engine/calendar.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// How a replica works and how long its transitions take.
struct ServiceModel {
  int workers = 8;                // requests in progress in one replica; >= 1
  double service_seconds = 0.05;  // of one request, mean; > 0
  double patience_seconds = 10;   // a request that would wait longer is lost; > 0
  Duration startup{1'000};        // from start to ready
  Duration drain{1'000};          // from drain to gone
  // Requests per second that one replica serves at most: workers / service time.
  double capacity() const { return workers / service_seconds; }
};

// What happened to requests in a stretch of time. Fluid: fractions of requests.
struct Flow {
  double arrived = 0;
  double served = 0;
  double lost = 0;
};

// A pool as a fluid: arrivals flow at the trace's rate into a queue that ready replicas empty,
// evenly, at their capacity; what would wait longer than clients are patient is lost. Good for how
// replicas, backlog and losses move over seconds and more; it has no single request and therefore
// no latency percentile.
class FluidPool {
 public:
  // `calendar` and `trace` must outlive the pool; the trace starts at `start`.
  FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start, ServiceModel model);

  // Precondition: no replica of that name was ever started.
  void Start(const std::string& name, const Revision& revision);
  // No effect on replicas that are unknown, gone or draining already.
  void Drain(const std::string& name);
  bool Knows(const std::string& name) const { return replicas_.contains(name); }

  // Lets requests flow up to the calendar's now. Called before anything that depends on the flow.
  void Advance();

  std::vector<signals::ReplicaView> Views() const;
  // Requests that a replica has served since it started; 0 for an unknown one.
  double Served(const std::string& name) const;
  const Flow& total() const { return total_; }
  double backlog() const { return backlog_; }
  Rate arrival_rate(Instant at) const;

 private:
  struct Replica {
    signals::ReplicaView view;
    double served = 0;
  };
  void FlowFor(double seconds, Rate rate);

  Calendar& calendar_;
  const traces::Trace& trace_;
  Instant start_;
  ServiceModel model_;
  std::map<std::string, Replica> replicas_;
  Instant advanced_;
  double backlog_ = 0;
  Flow total_;
};

}  // namespace tidegate::sim
