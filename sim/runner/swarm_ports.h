#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policies/signals/estimator.h"
#include "scheduler/decision/decision.h"
#include "scheduler/ports/actuator.h"
#include "scheduler/ports/journal.h"
#include "scheduler/ports/signal_source.h"
#include "sim/engine/calendar.h"
#include "sim/faults/fault_plan.h"
#include "sim/faults/faulty_answer.h"
#include "sim/faults/faulty_pool.h"
#include "sim/world/scraper.h"

namespace tidegate::sim {

// The world's ends of a swarm's control loop. One pool; all objects outlive the daemon that uses
// them, as a fleet, a Prometheus and a disk do.

// Shows an old fleet, spoiled answers, or nothing.
class SwarmSource : public ports::SignalSource {
 public:
  using Estimate = std::function<signals::Reading(Instant, std::span<const signals::SampleSeries>,
                                                  std::span<const signals::ReplicaView>)>;
  // `pool`, `scraper` and `plan` must outlive this object.
  SwarmSource(FaultyPool& pool, Scraper& scraper, const FaultPlan& plan, Chance chance,
              Estimate estimate);
  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override;
  // What the last observation showed.
  const std::vector<signals::ReplicaView>& seen() const { return seen_; }

 private:
  void LookAtFleet(Instant now);

  FaultyPool& pool_;
  Scraper& scraper_;
  const FaultPlan& plan_;
  Chance chance_;
  Estimate estimate_;
  FaultyAnswers answers_;
  struct Look {
    Instant at{};
    std::vector<signals::ReplicaView> views;
  };
  std::deque<Look> looks_;  // the newest last; view_lag + 1 at most
  std::size_t newer_ = 0;   // views that are newer than the one that was shown last
  std::vector<signals::ReplicaView> seen_;
};

// Refuses, loses, delays and repeats requests on their way to the pool.
class SwarmActuator : public ports::Actuator {
 public:
  // All must outlive this object.
  SwarmActuator(Calendar& calendar, FaultyPool& pool, Scraper& scraper, const FaultPlan& plan,
                Chance chance)
      : calendar_(calendar), pool_(pool), scraper_(scraper), plan_(plan), chance_(chance) {}
  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;

  // What the fleet does with a request that reached it. Idempotent: a name is used once.
  void Take(const rollout::Step& step);

  // A daemon that wrote this step down goes no further for now: whoever finds the journal will
  // repeat it.
  void Wrote(const rollout::Step& step) {
    if (told_) told_(step);
  }

  // Is told each request that is not refused, and those that a dying daemon wrote down, before
  // anything comes of it.
  void Tell(std::function<void(const rollout::Step&)> told) { told_ = std::move(told); }
  // The daemon dies after this many more requests, having written all of them down or none; unset:
  // it lives.
  void DieAfter(std::optional<int> requests, bool recorded) {
    left_ = requests;
    recorded_ = recorded;
  }

 private:
  void TakeAt(Instant at, const rollout::Step& step);

  Calendar& calendar_;
  FaultyPool& pool_;
  Scraper& scraper_;
  const FaultPlan& plan_;
  Chance chance_;
  std::function<void(const rollout::Step&)> told_;
  std::optional<int> left_;
  bool recorded_ = false;
  std::int64_t made_ = 0;
  std::set<std::string> used_;  // names that were ever started
};

// Keeps the newest state of the pool as the bytes that the daemon's journal would hold.
class SwarmJournal : public ports::Journal {
 public:
  SwarmJournal(const FaultPlan& plan, Chance chance) : plan_(plan), chance_(chance) {}
  Expected<void> Append(Instant now, std::span<const ports::JournalEntry> entries) override;

  // Is told each decision, before it is written.
  void Tell(std::function<void(const decision::Decision&)> told) { told_ = std::move(told); }
  // The daemon dies after it has written this many more times; unset: it lives.
  void DieAfter(std::optional<int> writes) { left_ = writes; }
  // What a daemon that starts now finds.
  Expected<decision::DecisionState> Restore() const;

 private:
  const FaultPlan& plan_;
  Chance chance_;
  std::function<void(const decision::Decision&)> told_;
  std::optional<int> left_;
  std::map<PoolId, std::string> states_;
};

// How often the pool was taken by a daemon: what the state directory's lock and the journal's owner
// say in the daemon's own world (scheduler/adapters).
struct Ownership {
  std::int64_t generation = 0;
};

// One daemon's way to the pool and the journal: both are closed once another daemon has taken the
// pool.
class SwarmFence : public ports::Actuator, public ports::Journal {
 public:
  // Takes the pool. All must outlive this object. Where `broken`, steps pass all the same.
  SwarmFence(Ownership& ownership, SwarmActuator& actuator, SwarmJournal& journal, bool broken)
      : ownership_(ownership),
        actuator_(actuator),
        journal_(journal),
        broken_(broken),
        mine_(++ownership.generation) {}

  Expected<void> Request(Instant now, const PoolId& pool, const rollout::Step& step) override;
  Expected<void> Append(Instant now, std::span<const ports::JournalEntry> entries) override;

  // The daemon stands still after this many more requests: what it asks for then comes with
  // WakeUp(). Precondition: another daemon takes the pool before that.
  void StandStillAfter(int requests) { left_ = requests; }
  void WakeUp(Instant now);
  // Steps that were refused because the pool is another daemon's.
  int refused() const { return refused_; }

 private:
  struct Kept {
    PoolId pool;
    rollout::Step step;
  };
  Expected<void> Check() const;
  bool StandsStill() const { return left_ && *left_ == 0; }

  Ownership& ownership_;
  SwarmActuator& actuator_;
  SwarmJournal& journal_;
  bool broken_;
  std::int64_t mine_;
  std::optional<int> left_;
  std::vector<Kept> kept_;
  int refused_ = 0;
};

}  // namespace tidegate::sim
