#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policies/signals/estimator.h"
#include "policies/signals/history.h"
#include "policies/signals/leavers.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "scheduler/ports/journal.h"
#include "scheduler/ports/signal_source.h"
#include "sim/world/pool_model.h"
#include "sim/world/promql_signal.h"
#include "sim/world/range_functions.h"
#include "sim/world/scraper.h"

namespace tidegate::sim {

// One simulated pool with what scrapes it.
struct WorldPool {
  std::unique_ptr<PoolModel> pool;
  std::unique_ptr<Scraper> scraper;
};
using World = std::map<PoolId, WorldPool>;

// A signal that counts requests: raw samples through the daemon's own estimator, or what Prometheus
// computes.
struct RateSignal {
  std::string name;
  std::optional<PromqlSignal> promql;  // unset: raw samples
};

// How the signals of all pools are read.
struct RateSignals {
  signals::EstimateOptions estimate;
  PromqlDialect dialect;
  std::map<PoolId, std::vector<RateSignal>> by_pool;
};

// What the control loop sees of the world: views as they are, readings as the daemon would have
// them. A signal that isn't request rate can't be simulated; its reading is an error that says so.
class WorldSource : public ports::SignalSource {
 public:
  // `world` must outlive this object.
  WorldSource(World& world, RateSignals rates) : world_(world), rates_(std::move(rates)) {}
  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;
  // What was read so far, and what went before it; of any signal, as all count the same requests.
  std::vector<ports::Past> TakePasts(Instant now, std::span<const PastWanted> wanted) override;

  // What the request rate of every pool was in the minutes before `end`.
  void Precede(Instant end, std::span<const float> means);

 private:
  World& world_;
  RateSignals rates_;
  std::map<PoolId, signals::Leavers> leavers_;
  signals::History before_;
  std::map<PoolId, signals::History> past_;  // of the first signal that counts requests
};

class WorldActuator : public ports::Actuator {
 public:
  // `world` must outlive this object.
  explicit WorldActuator(World& world) : world_(world) {}
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

 private:
  World& world_;
};

// Keeps the decisions of a run in memory, all of them.
class MemoryJournal : public ports::Journal {
 public:
  Expected<void> Append(Instant now, std::span<const ports::JournalEntry> entries) override;
  const std::vector<decision::Decision>& decisions() const { return decisions_; }

 private:
  std::vector<decision::Decision> decisions_;
};

}  // namespace tidegate::sim
