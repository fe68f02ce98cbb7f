#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/history.h"
#include "policies/signals/snapshot.h"
#include "scheduler/decision/decision.h"

namespace tidegate::ports {

// What a pool's signal was, in the bins of a signals::History with its default options.
struct Past {
  PoolId pool;
  std::int64_t first = 0;    // the bin of the first mean
  std::vector<float> means;  // NaN where nothing is known; at most History::kMostBins
  std::string error;         // why there are none; empty where all went well
};

// One call hands over at most so many pasts, as each makes work for the tick that gets it.
inline constexpr std::size_t kMostPasts = 16;

// Where the control loop learns what is: replicas and readings of all pools.
class SignalSource {
 public:
  virtual ~SignalSource() = default;
  // One PoolSnapshot per spec, in their order. What can't be had of one pool is data
  // (Reading::quality, PoolSnapshot::fleet_error); an error means that nothing is known, and the
  // loop holds every pool.
  virtual Expected<signals::Snapshot> Observe(Instant now,
                                              std::span<const decision::PoolSpec> pools) = 0;

  // A pool, and the signal of it whose past is wanted.
  struct PastWanted {
    const PoolId* pool = nullptr;
    const std::string* signal = nullptr;
  };
  // The pasts that are there, of those wanted, at most kMostPasts and each once. Does not wait:
  // what has to be asked for is asked for, and comes with a later call that wants it still. A pool
  // whose past can't be had is handed over too, with the error. A source without a memory has none.
  virtual std::vector<Past> TakePasts(Instant /*now*/, std::span<const PastWanted> wanted) {
    std::vector<Past> pasts;
    for (const PastWanted& one : wanted.first(std::min(wanted.size(), kMostPasts))) {
      pasts.push_back({*one.pool, 0, {}, "the source keeps no past"});
    }
    return pasts;
  }
};

}  // namespace tidegate::ports
