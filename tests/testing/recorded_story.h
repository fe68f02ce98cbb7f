#pragma once

#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"

namespace tidegate::testing {

// What a pool under these loads (requests per second of the signal "rps", one per step) decides and
// a journal records, where every replica is ready at once.
std::vector<decision::Decision> RecordedStory(const decision::PoolSpec& spec, Instant begin,
                                              Duration step, std::span<const double> loads);

// shop/edge between 1 and 20 replicas, 50 rps each, with the HPA's behavior.
decision::PoolSpec StorySpec();

}  // namespace tidegate::testing
