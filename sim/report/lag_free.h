#pragma once

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// A pool whose policy sees the load of each second without lag, or that much later, and knows
// nothing of the future.
struct LagFreePool {
  Rate capacity = 0;      // requests per second of one ready replica; > 0
  Duration startup{0};    // from start to ready
  Duration drain{0};      // paid after a replica's last service
  Duration wait{0};       // a request that is served later than this is bad
  double surge = 1;       // of the serving size starts at once, at least one replica; > 0
  Duration seen_late{0};  // the load that is seen is so old
  Replicas initial = 1;
  Duration end{0};
  Duration counted_from{0};  // requests before don't count
};

struct LagFreeRun {
  double replica_seconds = 0;
  double bad_fraction = 0;
  double worst_minute = 0;   // the largest share of bad requests in a minute; see worst_minute.h
  int moves = 0;             // starts and drains
  double short_seconds = 0;  // with a higher rate than ready replicas serve, where requests count
};

// What ceil(headroom x rate / capacity) replicas cost and fail, where the rate is the highest one
// of the last `held` (at least of one start-up and drain: a replica that is wanted again sooner
// costs more if it is drained in between) and is looked at each second. With the headroom and the
// memory that are best for a trace in hindsight it is a second bound beside the oracle: what it
// misses or pays more, hardly anybody could avoid who does not see the future. It is no proof, as a
// policy may choose both anew each second.
LagFreeRun FollowWithoutLag(const traces::Trace& trace, const LagFreePool& pool, double headroom,
                            Duration held = Duration(0));

}  // namespace tidegate::sim
