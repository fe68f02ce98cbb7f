#pragma once

#include <optional>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/daemon/cmd_explain.h"
#include "scheduler/decision/counterfactual.h"

namespace tidegate::daemon {

// The last decisions of a journal as they would have been: the journal is replayed under
// options.config up to each of them, and that one is decided with what was asked. Text or JSON as
// `tidegate explain` prints. kInvalid where the configuration is wrong or has no such pool,
// kNotFound where the journal has no such decisions.
Expected<std::string> ExplainOtherwise(const PoolId& pool, std::optional<Instant> at,
                                       const decision::Counterfactual& asked,
                                       const ExplainOptions& options);

}  // namespace tidegate::daemon
