#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policies/signals/snapshot.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::testing {

// SplitMix64: small, and the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Roll();
  // 0 <= result < sides; 0 where sides is 0.
  int Below(int sides);
  bool Percent(int chance) { return Below(100) < chance; }

 private:
  std::uint64_t state_;
};

// Chances in percent; all 0: nothing goes wrong.
struct RolloutFaults {
  int start_fails = 0;   // of starts
  int start_hangs = 0;   // of starts: never ready
  int ready_fails = 0;   // of ready replicas, each tick
  int ready_blinks = 0;  // of ready replicas, each tick: starting for a while
  int lost = 0;          // of requests
  int delayed = 0;       // of requests
  int duplicated = 0;    // of requests: one is taken now, one later
  Duration delay_max{0};
};

// What truly happened to one replica: it entered a phase, or it is gone.
struct RolloutEvent {
  std::string replica;
  std::optional<signals::Phase> phase;
};

// A fleet of one pool, small enough to run a hundred thousand histories of it.
class RolloutWorld {
 public:
  explicit RolloutWorld(std::uint64_t seed) : dice_(seed) {}

  void SetFaults(const RolloutFaults& faults) { faults_ = faults; }
  void SetDelays(Duration start_max, Duration drain_max);
  // A replica that runs before the history begins.
  void AddReady(Instant now, const std::string& name, const Revision& revision);
  void Request(Instant now, const rollout::Step& step);
  // Everything up to and at `now`.
  std::vector<RolloutEvent> Advance(Instant now);
  // Sorted by name.
  const std::vector<signals::ReplicaView>& View() const { return views_; }

 private:
  enum class Fate { kServes, kFails, kHangs };
  struct Hidden {
    Fate fate = Fate::kServes;
    Instant next{};  // when the phase ends
  };
  struct InFlight {
    Instant at{};
    rollout::Step step;
  };

  void Take(Instant now, const rollout::Step& step);
  void Enter(std::size_t index, Instant now, signals::Phase phase);
  bool Live(std::size_t index, Instant now);
  Duration Upto(Duration most);

  Dice dice_;
  RolloutFaults faults_;
  Duration start_max_{8'000};
  Duration drain_max_{4'000};
  std::vector<signals::ReplicaView> views_;
  std::vector<Hidden> hidden_;  // parallel to views_
  std::set<std::string> used_;
  std::vector<InFlight> in_flight_;
  std::vector<RolloutEvent> events_;
};

}  // namespace tidegate::testing
