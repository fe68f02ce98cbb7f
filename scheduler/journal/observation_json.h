#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"
#include "scheduler/decision/decision.h"
#include "scheduler/journal/json_fields.h"

namespace tidegate::journal {

// The arguments of one Decide().
struct Observation {
  decision::PoolSpec spec;
  signals::PoolSnapshot pool;
  Instant now{};
  decision::PoolState state;
};

// One element of the input: an observation, or what is wrong with it ("$[3].scaler.maxReplicas:
// expected a whole number from 0 to 100000, got \"ten\""), all of it at once.
struct ParsedObservation {
  Observation observation;  // of use only where there are no problems
  std::vector<std::string> problems;
};
struct ParsedObservations {
  bool array = false;  // the document was an array; else it was one object
  std::vector<ParsedObservation> items;
};

// Reads what `tidegate decide` is given: one object or an array of at most 100,000, documented in
// decide.schema.json. An error means that the text is no JSON or too large (64 MiB, depth 16).
Expected<ParsedObservations> ParseObservations(std::string_view text);

// Every kind of object that the input may hold, named as the $defs of decide.schema.json.
std::span<const JsonShape> ObservationShapes();

}  // namespace tidegate::journal
