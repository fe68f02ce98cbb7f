#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/ports/actuator.h"
#include "scheduler/ports/clock.h"
#include "scheduler/ports/journal.h"
#include "scheduler/ports/signal_source.h"

namespace tidegate::testing {

// What reached the ports of a control loop, in order: "observe", "journal 2" (entries), "start
// edge-1", "drain edge-1". Shared by the fakes below.
using CallLog = std::vector<std::string>;

// Stands still until it is set.
class FakeClock : public ports::Clock {
 public:
  explicit FakeClock(Instant now) : now_(now) {}
  Instant Now() override { return now_; }
  void Set(Instant now) { now_ = now; }
  void Advance(Duration by) { now_ += by; }

 private:
  Instant now_;
};

// Answers with snapshots in the order in which they were put in, then with an error.
class ReplayingSource : public ports::SignalSource {
 public:
  explicit ReplayingSource(std::vector<signals::Snapshot> snapshots = {})
      : left_(snapshots.begin(), snapshots.end()) {}
  void Add(signals::Snapshot snapshot) { left_.push_back(std::move(snapshot)); }
  void LogTo(CallLog* log) { log_ = log; }
  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;

 private:
  std::deque<signals::Snapshot> left_;
  CallLog* log_ = nullptr;
};

// Accepts every step, or refuses those that `refuse` picks, and remembers all of them.
class RecordingActuator : public ports::Actuator {
 public:
  std::function<bool(const rollout::Step&)> refuse;
  void LogTo(CallLog* log) { log_ = log; }
  const std::vector<rollout::Step>& steps() const { return steps_; }
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

 private:
  std::vector<rollout::Step> steps_;
  CallLog* log_ = nullptr;
};

// Keeps all that is appended; fails while `fails` is set.
class RecordingJournal : public ports::Journal {
 public:
  struct Tick {
    Instant at{};
    std::vector<decision::Decision> decisions;
    std::vector<std::pair<PoolId, decision::PoolState>> states;
  };
  bool fails = false;
  void LogTo(CallLog* log) { log_ = log; }
  const std::vector<Tick>& ticks() const { return ticks_; }
  Expected<void> Append(Instant now, std::span<const ports::JournalEntry> entries) override;

 private:
  std::vector<Tick> ticks_;
  CallLog* log_ = nullptr;
};

}  // namespace tidegate::testing
