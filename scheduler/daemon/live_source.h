#pragma once

#include <memory>
#include <span>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/adapters/process/process_fleet.h"
#include "scheduler/adapters/prometheus/past_reader.h"
#include "scheduler/adapters/prometheus/prometheus_source.h"
#include "scheduler/config/compile.h"
#include "scheduler/ports/signal_source.h"

namespace tidegate::daemon {

// What is, from the real world: replicas from the process fleet, readings from Prometheus.
class LiveSource : public ports::SignalSource {
 public:
  // `fleet` must outlive this object.
  explicit LiveSource(const adapters::ProcessFleet& fleet) : fleet_(fleet) {}

  // Takes the signals of a configuration, which must outlive the next call of this; goes with
  // ControlLoop::Configure(). Connects anew where the settings of Prometheus changed.
  Expected<void> Configure(const config::CompiledConfig& config);

  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;
  // From Prometheus, read in the background.
  std::vector<ports::Past> TakePasts(Instant now, std::span<const PastWanted> wanted) override;

  // What the queries of the last Observe() cost and said.
  std::span<const adapters::QueryStats> query_stats() const;

 private:
  const adapters::ProcessFleet& fleet_;
  const config::CompiledConfig* config_ = nullptr;
  std::unique_ptr<adapters::PrometheusSource> prometheus_;
  std::unique_ptr<adapters::PastReader> pasts_;  // begun when the first past is wanted
};

}  // namespace tidegate::daemon
