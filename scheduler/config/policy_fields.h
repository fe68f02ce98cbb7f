#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policies/catalog.h"
#include "scheduler/config/fields.h"

namespace tidegate::config {

// `policies` of a GatewayScaler: a list of names ("target") or of maps with a name and the policy's
// own options ({name: kpa, stableWindowSeconds: 60}), each policy at most once. Complains about
// everything that is wrong; empty where nothing was right. `targets` are the pool's signals, for
// options that name them.
std::vector<PolicyOptions> ReadPolicies(const Value& list,
                                        std::span<const sizing::SignalTarget> targets);

// `schedule` of a GatewayScaler into the options of the policy of that name among `policies`, which
// is added where it is not listed. Complains about everything that is wrong, also with the times.
void ReadSchedule(const Value& list, std::vector<PolicyOptions>& policies);

}  // namespace tidegate::config
