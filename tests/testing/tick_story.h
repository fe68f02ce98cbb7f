#pragma once

#include <vector>

#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"
#include "scheduler/loop/control_loop.h"

namespace tidegate::testing {

// Ticks of a fleet that lives through everything that telemetry can show: load that rises and
// falls, replicas that start and drain, budgets in use, a rollout, bad samples with a fallback, a
// pool whose fleet can't be asked, refused steps, backoff. Values are made up but consistent; the
// same number of calls gives the same ticks. Meant for tests of what shows ticks, not of deciding.
class TickStory {
 public:
  // Pools "shop/edge-00000", "shop/edge-00001", ...; each is at another place of the story, which
  // takes kLength ticks and then repeats.
  static constexpr int kLength = 24;
  explicit TickStory(int pools);

  // Moves on by one tick.
  void Advance(Instant at);

  const loop::Tick& tick() const { return tick_; }
  const decision::DecisionState& state() const { return state_; }
  const std::vector<decision::PoolSpec>& pools() const { return pools_; }
  // Takes the last pool away, as a configuration that no longer names it does.
  void RemoveLastPool();

 private:
  decision::Decision Decide(const decision::PoolSpec& spec, int scene);
  void AddFailure(const decision::Decision& decision, int scene);

  std::vector<decision::PoolSpec> pools_;
  decision::DecisionState state_;
  loop::Tick tick_;
  int count_ = 0;
};

}  // namespace tidegate::testing
