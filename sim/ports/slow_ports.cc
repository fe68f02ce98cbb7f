#include "sim/ports/slow_ports.h"

#include <algorithm>
#include <string>
#include <utility>

namespace tidegate::sim {

void WaitingWorld::Wait(Duration wait) {
  // Other events of this instant come after the tick where it does not wait.
  if (wait > Duration(0)) calendar_.RunUntil(std::min(calendar_.Now() + wait, end_));
}

Expected<signals::Snapshot> SlowSource::Observe(Instant now,
                                                std::span<const decision::PoolSpec> pools) {
  auto snapshot = inner_.Observe(now, pools);
  world_.Wait(std::min(model_.queries, model_.query_timeout));
  if (!snapshot || model_.queries <= model_.query_timeout) return snapshot;
  for (signals::PoolSnapshot& pool : snapshot->pools) {
    for (signals::Reading& reading : pool.readings) {
      signals::Reading failed;
      failed.signal = std::move(reading.signal);
      failed.detail = "no answer within " + FormatDuration(model_.query_timeout);
      reading = std::move(failed);
    }
  }
  return snapshot;
}

Expected<void> SlowActuator::Request(Instant /*now*/, const PoolId& pool,
                                     const rollout::Step& step) {
  world_.Wait(model_.each_step);
  return inner_.Request(world_.Now(), pool, step);
}

}  // namespace tidegate::sim
