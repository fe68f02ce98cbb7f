#pragma once

#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"
#include "sim/faults/chance.h"
#include "sim/faults/fault_plan.h"
#include "sim/world/service_model.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// What a swarm's life draws from its seed, beside its faults: load, pool and replicas.

constexpr Duration kFaulty{120'000};  // from the beginning of a life: faults happen
// Within which a pool must settle once faults stop: the progress deadline (1 min) for requests that
// were lost, samples and recommendations from before (40 s and 30 s), then a dozen replicas one by
// one up or down, each for a start-up or drain (8 s), a scrape (10 s) and a tick (5 s), both ways.
constexpr Duration kSettles{720'000};
constexpr double kPerReplica = 50;  // requests per second, the signal's target

// A load that jumps now and then while there are faults, and stays as it is afterwards.
traces::Trace DrawLoad(const Chance& chance);
decision::PoolSpec DrawSpec(const Chance& chance, const FaultPlan& plan);
ServiceModel DrawService(const Chance& chance);

}  // namespace tidegate::sim
