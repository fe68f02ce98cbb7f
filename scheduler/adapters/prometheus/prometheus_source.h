#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"
#include "scheduler/config/daemon_config.h"
#include "scheduler/config/gateway_scaler.h"

namespace tidegate::adapters {

// What is asked for one pool. The pointers must outlive the call.
struct PoolQuery {
  PoolId pool;
  const std::vector<signals::ReplicaView>* replicas = nullptr;  // as the fleet reports them
  const std::vector<config::SignalDefinition>* signals = nullptr;
};

// What one query cost and said.
struct QueryStats {
  std::string query;  // the preset's name, or "promql"
  Duration took{0};   // retries included
  std::optional<ErrorCode> error;
  bool empty = false;  // it answered with no series at all
};

// Readings from Prometheus or anything that speaks its HTTP API. The signals of a preset cost one
// query, however many pools there are; each distinct PromQL expression costs one. Queries of a call
// run side by side, on threads that end with the call, and share one deadline. Not thread-safe.
class PrometheusSource {
 public:
  // Reads TLS files, asks nothing yet. kInvalid where the settings can't work.
  static Expected<std::unique_ptr<PrometheusSource>> Create(const config::PrometheusConfig& config);
  ~PrometheusSource();

  // The readings of each pool, in the order of its signals. Never fails: what can't be had is a
  // reading that says so.
  std::vector<std::vector<signals::Reading>> Read(Instant now, std::span<const PoolQuery> pools);

  // Of the last Read().
  const std::vector<QueryStats>& stats() const;

 private:
  struct Impl;
  explicit PrometheusSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::adapters
