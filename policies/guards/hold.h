#pragma once

#include <optional>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/guards/desired.h"
#include "policies/guards/guarded.h"
#include "policies/sizing/proposal.h"

namespace tidegate::guards {

// What the proposals of one tick are worth together.
struct Evidence {
  std::optional<Replicas> largest;  // of the usable proposals; unset: none is usable
  bool all_ok = true;               // every proposal rests on an ok reading
  std::string not_ok;               // "edge: stale, orders: partial", in the proposals' order
  // The largest of the proposals that are floors, and its source. Those count in nothing above, but
  // where there is nothing else: then `largest` is theirs.
  Replicas floor = 0;
  std::string floor_of;
};
Evidence Weigh(const std::vector<sizing::Proposal>& proposals);

// Only good readings may shrink a pool: with any reading that is not ok the number does not fall
// below the current size, and with no usable one it is the current size. Growth needs one usable
// reading (ok or partial).
Guarded Hold(const Evidence& evidence, Replicas current);

// Takes the hold's place once no reading has been usable since `bad_since` for at least
// fallback.after. It is reached only without usable proposals, so it never lowers one.
// Empty while the hold lasts.
std::optional<Guarded> FallBack(const Fallback& fallback, Replicas current, Instant bad_since,
                                Instant now);

}  // namespace tidegate::guards
