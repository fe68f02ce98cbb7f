#pragma once

#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"

namespace tidegate::signals {

// Remembers when replicas left. A fleet forgets one that is gone, while samples of it and of its
// peers from before are still looked at: without that time its load counts until its next scrape
// would have been due, and that of its peers, who have it by now, counts too (after a quarter of a
// pool had drained an estimate was 20 % too high for 20 s).
class Leavers {
 public:
  // What the fleet reports, and after it those that it reported as draining or failed, which are
  // gone since, until `keep` after they left. Calls of one pool, in order of time.
  std::vector<ReplicaView> With(Instant now, std::span<const ReplicaView> replicas, Duration keep);
  // Whether nobody is remembered.
  bool empty() const { return left_.empty(); }

 private:
  std::vector<ReplicaView> left_;  // as last reported
};

}  // namespace tidegate::signals
