#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "policies/base/units.h"
#include "scheduler/decision/decision.h"

namespace tidegate::sim {

// What a decision did, in one word, as reports mark it.
enum class Mark {
  kGrow,    // the size went up
  kShrink,  // the size went down
  kSteps,   // starts or drains at the same size: a rollout, a replacement, a later wave
  kHeld,    // no usable reading, or its fallback, or an error: nobody knew better
  kNote,    // another reason than before, a deadlock, or its end
};
const char* Name(Mark mark);  // "grow", "shrink", "steps", "held", "note"

struct Notable {
  const decision::Decision* decision = nullptr;
  Mark mark = Mark::kNote;
};
struct Notables {
  std::vector<Notable> kept;  // in time order
  std::size_t left_out = 0;
};

// The pool's decisions that changed something: size, reason, error or deadlock, or had other
// steps than the one before; the first one always. Where there are more than `most`, each of `most`
// equal groups is represented by the one that changed the size the most, else took the most steps,
// and the others are left out. `decisions`, of any pools, are in time order and must outlive the
// result; most >= 1.
Notables FindNotable(std::span<const decision::Decision> decisions, const PoolId& pool,
                     std::size_t most);

}  // namespace tidegate::sim
