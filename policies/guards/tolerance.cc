#include "policies/guards/tolerance.h"

#include <cstdint>

#include <fmt/format.h>

namespace tidegate::guards {

Guarded Tolerate(Replicas proposed, Replicas current, const Behavior& behavior) {
  if (proposed == current) return Untouched(proposed);
  const bool grows = proposed > current;
  const ScalingRules& rules = grows ? behavior.up : behavior.down;
  const double tolerance = rules.tolerance.value_or(kDefaultTolerance);
  const auto change = static_cast<double>(grows ? std::int64_t{proposed} - current
                                                : std::int64_t{current} - proposed);
  // The 1e-9 lets 3 of 30 replicas be within 0.1 however the product is rounded.
  if (change > tolerance * current + 1e-9) return Untouched(proposed);
  return Acted(Stage::kTolerance, Reason::kWithinTolerance, proposed, current,
               fmt::format("a change of {:.2f} % is within {:.2f} %", 100 * change / current,
                           100 * tolerance));
}

}  // namespace tidegate::guards
