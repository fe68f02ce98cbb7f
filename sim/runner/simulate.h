#pragma once

#include <functional>
#include <vector>

#include "policies/base/expected.h"
#include "policies/signals/snapshot.h"
#include "scheduler/config/compile.h"
#include "scheduler/decision/decision.h"
#include "scheduler/loop/control_loop.h"
#include "sim/ports/world_ports.h"
#include "sim/report/table.h"
#include "sim/runner/run_check.h"
#include "sim/runner/scenario.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

struct RunResult {
  RunSummary summary;
  std::vector<decision::Decision> decisions;  // as a journal would hold them
  std::vector<PoolBreach> breaches;           // of what pools are promised; none is as it should be
};

// When a tick ran, as the daemon measures it.
struct TickTimes {
  Duration took{0};  // until its last step was taken
  Duration late{0};  // it began after it was due
};

// Is told every tick's input and output while a run goes on; unset functions are not called.
struct Recorder {
  std::function<void(const signals::Snapshot&)> snapshot;
  std::function<void(const decision::Decision&)> decision;  // repetitions too
  // After each tick; the world as it is then.
  std::function<void(const loop::ControlLoop&, World&, const TickTimes&)> tick;
  // Each second of each pool: how it is, and what has happened to requests since the start.
  std::function<void(const PoolId&, Instant, const Moment&, const Flow&)> look;
};

// Runs the control loop over the trace, every pool of `manifests` under the same load. Pools begin
// with their declared size ready, and are theirs who scenario.fleet says. kInvalid where a scenario
// and the manifests contradict each other.
Expected<RunResult> Simulate(const Scenario& scenario, const config::CompiledConfig& manifests,
                             const traces::Trace& trace, const Recorder& recorder = {});

}  // namespace tidegate::sim
