#include "sim/runner/loads.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {

Expected<Loads> Loads::Make(const Scenario& scenario, const traces::Trace& load) {
  Loads loads(load);
  for (const auto& [pool, own] : scenario.pools) {
    if (!own.trace) continue;
    const auto bins = static_cast<std::size_t>(traces::Length(load) / own.trace->bin);
    if (bins == 0) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("pools: the trace of {} has bins of {}, longer than the run",
                              ToString(pool), FormatDuration(own.trace->bin)));
    }
    traces::Trace trace = traces::Scaled(*own.trace, scenario.scale);
    trace.requests.resize(std::min(bins, trace.requests.size()));
    loads.own_.emplace(pool, std::move(trace));
  }
  return loads;
}

const traces::Trace& Loads::Of(const PoolId& pool) const {
  const auto own = own_.find(pool);
  return own == own_.end() ? *load_ : own->second;
}

}  // namespace tidegate::sim
