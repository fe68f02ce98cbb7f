#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/decision/counterfactual.h"
#include "scheduler/decision/decision.h"

namespace boost::json {
class object;
}  // namespace boost::json

namespace tidegate::journal {

// A decision as one line of JSON: what /api/v1/pools, `explain --output json` and `tidesim` show.
// Ages are seconds. Fields and their meaning: decide.schema.json, $defs/decision.
std::string DecisionJson(const decision::Decision& decision);
// The same with the memory that the next decision needs: what `decide` writes. "errors" holds why
// the pool was left alone, where it was.
std::string OutcomeJson(const decision::Outcome& outcome);
// The same for a counterfactual, with what was asked and what the decision is without that.
std::string OutcomeJson(const decision::Outcome& outcome, const decision::Counterfactual& asked,
                        const decision::Decision& as_it_is);
// What `decide` writes in place of an outcome: {"errors": [...]}.
std::string ErrorsJson(const std::vector<std::string>& errors);

// The parts, for documents that contain them. Memory's ages are relative to its own "at", so that
// it can be handed back unchanged at a later time.
boost::json::object DecisionObject(const decision::Decision& decision);
boost::json::object CounterfactualObject(const decision::Counterfactual& asked,
                                         const decision::Decision& as_it_is);
boost::json::object MemoryObject(const decision::PoolState& state, Instant at);

}  // namespace tidegate::journal
