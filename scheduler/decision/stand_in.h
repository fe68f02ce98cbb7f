#pragma once

#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/snapshot.h"

namespace tidegate::decision {

// Replicas of which nothing but the phase is known: those of an observation that only counts them,
// and those of a recorded decision.

// How long such a replica has been in its phase: long enough to have proven itself, unless it
// starts.
Duration UsualAge(signals::Phase phase);

// One that has been in its phase since `since`, and was ready at once where it ever was.
signals::ReplicaView StandIn(std::string name, Revision revision, signals::Phase phase,
                             Instant since);

// As many as `counts` says, sorted by name. The names are no names of the planner's.
std::vector<signals::ReplicaView> StandIns(const PoolId& pool, const Revision& revision,
                                           const signals::PhaseCounts& counts, Instant now);

}  // namespace tidegate::decision
