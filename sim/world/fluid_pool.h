#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "sim/engine/calendar.h"
#include "sim/world/pool_model.h"
#include "sim/world/roster.h"
#include "sim/world/service_model.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// A pool as a fluid: arrivals flow at the trace's rate into a queue that ready replicas empty,
// evenly, at their capacity; what would wait longer than clients are patient is lost. Good for how
// replicas, backlog and losses move over seconds and more; it has no single request and therefore
// no latency percentile. A replica that dies takes its share of those who wait with it. A stretch
// of time between two changes costs the same for any number of replicas. Of the service model it
// uses what is outside `requests`.
class FluidPool : public PoolModel {
 public:
  // `calendar` and `trace` must outlive the pool; the trace starts at `start`.
  FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start,
            const ServiceModel& model, std::uint64_t seed = 0);

  void Start(const std::string& name, const Revision& revision) override;
  void Adopt(const std::string& name, const Revision& revision) override;
  void Drain(const std::string& name) override;
  void Crash(const std::string& name) override;
  bool Knows(std::string_view name) const override { return roster_.Find(name).has_value(); }
  void OnChange(std::function<void()> told) override { roster_.OnChange(std::move(told)); }
  void AdvanceTo(Instant at) override;
  std::span<const signals::ReplicaView> Views() const override { return roster_.views(); }
  std::optional<double> Served(std::string_view name) const override;
  Flow total() const override { return total_; }
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

  void Ready(const std::string& name);
  void MakeReady(std::size_t i);
  void StopServing(std::size_t i);
  void Remove(const std::string& name);
  void FlowFor(double seconds, Rate rate);

  Calendar& calendar_;
  const traces::Trace& trace_;
  Instant start_;
  ServiceModel model_;
  std::uint64_t seed_;
  std::uint64_t starts_ = 0;
  Roster<Account> roster_;
  Replicas ready_ = 0;
  double share_ = 0;  // served by one replica that was ready all the time
  Instant advanced_;
  double backlog_ = 0;
  Flow total_;
};

}  // namespace tidegate::sim
