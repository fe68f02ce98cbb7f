#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/config/daemon_config.h"
#include "scheduler/config/gateway_scaler.h"
#include "scheduler/ports/signal_source.h"

namespace tidegate::adapters {

// Reads what pools' signals were from Prometheus, two weeks of each: the last two days by the
// minute, what is older by ten minutes, which is a fifth of the samples and all that seasons need.
// One pool after the other, on a thread of its own, so that no tick waits for it.
class PastReader {
 public:
  // Connects to nothing yet. kInvalid where the settings can't work.
  static Expected<std::unique_ptr<PastReader>> Create(const config::PrometheusConfig& config);
  // Waits for the piece that is being read, as long as the settings' timeout at most.
  ~PastReader();

  const config::PrometheusConfig& config() const;

  // Asks for the past of a signal that counts requests (a preset's, or any expression) before
  // `end`, unless that pool has been asked for and not taken yet.
  void Ask(const PoolId& pool, const config::SignalDefinition& signal, Instant end);

  // Those that have been read since, in the order in which they were asked for; at most `most`.
  std::vector<ports::Past> Take(std::size_t most);

 private:
  struct Impl;
  explicit PastReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::adapters
