#pragma once

#include <utility>

#include "policies/base/instant.h"
#include "scheduler/loop/control_loop.h"
#include "sim/engine/calendar.h"
#include "sim/runner/swarm_ports.h"

namespace tidegate::sim {

// One daemon of a swarm's life: its eyes, its fence, its control loop.
class SwarmDaemon {
 public:
  struct Options {
    Duration period{5'000};
    bool broken_fence = false;
  };

  // Takes the pool. All but `source`, which is what it looks through, must outlive this object.
  SwarmDaemon(Calendar& calendar, SwarmSource source, Ownership& ownership, SwarmActuator& actuator,
              SwarmJournal& journal, const Options& options)
      : source_(std::move(source)),
        fence_(ownership, actuator, journal, options.broken_fence),
        loop_(calendar, source_, fence_, fence_, {.period = options.period}) {}
  SwarmDaemon(const SwarmDaemon&) = delete;
  SwarmDaemon& operator=(const SwarmDaemon&) = delete;

  loop::ControlLoop& loop() { return loop_; }
  SwarmFence& fence() { return fence_; }
  const SwarmSource& source() const { return source_; }

 private:
  SwarmSource source_;
  SwarmFence fence_;
  loop::ControlLoop loop_;
};

}  // namespace tidegate::sim
