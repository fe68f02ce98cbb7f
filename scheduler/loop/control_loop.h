#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/history.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "scheduler/ports/clock.h"
#include "scheduler/ports/journal.h"
#include "scheduler/ports/signal_source.h"

namespace tidegate::loop {

struct Options {
  Duration period{5'000};            // between two ticks; >= 1 s
  Duration checkpoint_every{5'000};  // the state of a quiet pool is written at least this often
  Duration record_every{
      60'000};  // a decision that repeats the last one is recorded at least this often
};

struct StepFailure {
  PoolId pool;
  rollout::Step step;
  Error error;
};

// A pool's past could not be had; it is asked for again after a while.
struct PastFailure {
  PoolId pool;
  std::string error;
};

// What one tick did, for telemetry and status.
struct Tick {
  Instant at{};
  std::vector<decision::Decision> decisions;  // sorted by pool
  std::vector<StepFailure> failures;
  std::vector<PastFailure> past_failures;
  int steps = 0;  // accepted by the actuator
  std::string observe_error;
  std::string journal_error;
};

// Observe, decide, record, request: one tick per Step(). Owns no thread and does not sleep; the
// caller runs it when it says, or earlier when something happened. Not thread-safe.
class ControlLoop {
 public:
  // The ports must outlive the loop.
  ControlLoop(ports::Clock& clock, ports::SignalSource& source, ports::Actuator& actuator,
              ports::Journal& journal, Options options);

  // The pools to keep, sorted by id; takes effect at the next step. State of pools that are gone is
  // dropped.
  void Configure(std::vector<decision::PoolSpec> pools);
  // State of an earlier run. Call before the first step.
  void Restore(decision::DecisionState state);

  // Runs one tick and returns when the next one is due.
  Instant Step();
  // Writes all state, whether it changed or not; for a clean stop.
  Expected<void> Checkpoint();

  // The last tick; never null, and never changed once it is handed out, so that other threads may
  // keep it.
  std::shared_ptr<const Tick> last() const { return tick_; }
  const decision::DecisionState& state() const { return state_; }
  const std::vector<decision::PoolSpec>& pools() const { return pools_; }
  // What is remembered of a pool's request rate for policies that learn from it; null where none
  // does.
  const signals::History* history(const PoolId& pool) const;

 private:
  // When a pool's decision and state were last written.
  struct Written {
    Instant decision{};
    Instant state{};
  };

  // Not part of the state: it is refilled from the source.
  struct Past {
    explicit Past(std::string of) : signal(std::move(of)) {}
    std::string signal;  // whose readings these are
    signals::History history;
    bool refilled = false;
    Instant ask_at{};  // not before then
  };

  void RefillPasts(Tick& tick);
  // The history that the pool's policies want, with its reading appended; null: none does.
  const signals::History* Remember(const decision::PoolSpec& spec,
                                   const signals::PoolSnapshot& pool, Instant now);
  // Returns what each pool's size was counted from.
  std::vector<rollout::StepBasis> DecideAll(const signals::Snapshot& snapshot, Tick& tick);
  void Record(Tick& tick);
  void Append(const std::vector<ports::JournalEntry>& entries, Tick& tick);
  void TakeSteps(const std::vector<rollout::StepBasis>& bases, Tick& tick);

  ports::Clock& clock_;
  ports::SignalSource& source_;
  ports::Actuator& actuator_;
  ports::Journal& journal_;
  Options options_;
  std::vector<decision::PoolSpec> pools_;
  decision::DecisionState state_;
  std::shared_ptr<const Tick> tick_ = std::make_shared<Tick>();
  std::map<PoolId, Written> written_;
  std::map<PoolId, Past> pasts_;  // of the pools whose policies want one
};

}  // namespace tidegate::loop
