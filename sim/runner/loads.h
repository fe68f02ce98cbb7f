#pragma once

#include <map>

#include "policies/base/expected.h"
#include "policies/base/units.h"
#include "sim/runner/scenario.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// What comes to each pool of a run: its own trace where the scenario has one, as long as the run's
// at most and scaled as that is, or the run's.
class Loads {
 public:
  // kInvalid if a pool's trace has bins that are longer than the run. `load` is the run's and
  // already scaled; it must outlive the result.
  static Expected<Loads> Make(const Scenario& scenario, const traces::Trace& load);

  const traces::Trace& Of(const PoolId& pool) const;

 private:
  explicit Loads(const traces::Trace& load) : load_(&load) {}

  const traces::Trace* load_;
  std::map<PoolId, traces::Trace> own_;
};

}  // namespace tidegate::sim
