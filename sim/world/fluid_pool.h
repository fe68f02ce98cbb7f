#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/engine/calendar.h"
#include "sim/world/pool_model.h"
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

// A pool as a fluid: arrivals flow at the trace's rate into a queue that ready replicas empty,
// evenly, at their capacity; what would wait longer than clients are patient is lost. Good for how
// replicas, backlog and losses move over seconds and more; it has no single request and therefore
// no latency percentile. A stretch of time between two changes costs the same for any number of
// replicas.
class FluidPool : public PoolModel {
 public:
  // `calendar` and `trace` must outlive the pool; the trace starts at `start`.
  FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start, ServiceModel model);

  void Start(const std::string& name, const Revision& revision) override;
  void Drain(const std::string& name) override;
  bool Knows(std::string_view name) const override;
  void AdvanceTo(Instant at) override;
  std::span<const signals::ReplicaView> Views() const override { return views_; }
  std::optional<double> Served(std::string_view name) const override;
  const Flow& total() const override { return total_; }
  double backlog() const override { return backlog_; }
  double capacity() const override { return model_.capacity(); }
  Rate arrival_rate(Instant at) const override;

 private:
  // What a replica has served: `before`, and while it is ready what share_ has grown by since
  // `since`.
  struct Account {
    double before = 0;
    double since = 0;
  };

  // The index of the first view whose name is not less.
  std::size_t Find(std::string_view name) const;
  void Ready(const std::string& name);
  void Remove(const std::string& name);
  void FlowFor(double seconds, Rate rate);

  Calendar& calendar_;
  const traces::Trace& trace_;
  Instant start_;
  ServiceModel model_;
  std::vector<signals::ReplicaView> views_;
  std::vector<Account> accounts_;  // parallel to views_
  Replicas ready_ = 0;
  double share_ = 0;  // served by one replica that was ready all the time
  Instant advanced_;
  double backlog_ = 0;
  Flow total_;
};

}  // namespace tidegate::sim
