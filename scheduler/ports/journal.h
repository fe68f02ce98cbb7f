#pragma once

#include <span>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "scheduler/decision/decision.h"

namespace tidegate::ports {

// One pool's part of a tick, as it is written.
struct JournalEntry {
  const decision::Decision* decision =
      nullptr;  // unset: repeats the last one, only the state is written
  const PoolId* pool = nullptr;
  const decision::PoolState* state = nullptr;  // unset: as it was last written
};

// Where decisions and state are kept.
class Journal {
 public:
  virtual ~Journal() = default;
  // Writes all entries in one transaction, before any step of their decisions is taken.
  virtual Expected<void> Append(Instant now, std::span<const JournalEntry> entries) = 0;
};

}  // namespace tidegate::ports
