#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/signals/estimator.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "scheduler/ports/journal.h"
#include "scheduler/ports/signal_source.h"
#include "sim/world/pool_model.h"
#include "sim/world/scraper.h"

namespace tidegate::sim {

// One simulated pool with what scrapes it.
struct WorldPool {
  std::unique_ptr<PoolModel> pool;
  std::unique_ptr<Scraper> scraper;
};
using World = std::map<PoolId, WorldPool>;

// What the control loop sees of the world: views as they are, readings through the same estimator
// that the daemon uses. A signal that isn't request rate can't be simulated; its reading is an
// error that says so.
class WorldSource : public ports::SignalSource {
 public:
  // `rate_signals`: the names of the signals that count requests, by pool. `world` must outlive
  // this object.
  WorldSource(World& world, signals::EstimateOptions options,
              std::map<PoolId, std::vector<std::string>> rate_signals);
  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;

 private:
  World& world_;
  signals::EstimateOptions options_;
  std::map<PoolId, std::vector<std::string>> rate_signals_;
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
