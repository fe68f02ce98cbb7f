#pragma once

#include <span>

#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"
#include "scheduler/loop/control_loop.h"

namespace tidegate::telemetry {

// One tick of the control loop, as its owner saw it. The pointers are read during the call only.
struct TickRecord {
  const loop::Tick* tick = nullptr;                // *ControlLoop::last(); not null
  const decision::DecisionState* state = nullptr;  // ControlLoop::state(); not null
  std::span<const decision::PoolSpec> pools;       // ControlLoop::pools(), sorted by id
  Duration took{0};                                // Step(), start to end
  Duration late{0};                                // how long after it was due it started; >= 0
  Duration period{0};                              // that the loop is meant to keep
};

}  // namespace tidegate::telemetry
