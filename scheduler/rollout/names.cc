#include "scheduler/rollout/names.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "policies/base/check.h"

namespace tidegate::rollout {

const char* Name(StepKind kind) {
  switch (kind) {
    case StepKind::kStart: return "start";
    case StepKind::kDrain: return "drain";
  }
  TIDEGATE_CHECK(false, "unknown step kind");
  return "";  // not reached; some sanitizer builds do not see that
}

const char* Name(StepReason reason) {
  switch (reason) {
    case StepReason::kGrow: return "grow";
    case StepReason::kReplace: return "replace";
    case StepReason::kRollout: return "rollout";
    case StepReason::kShrink: return "shrink";
    case StepReason::kFailed: return "failed";
    case StepReason::kNeverReady: return "never ready";
    case StepReason::kSuperseded: return "superseded";
    case StepReason::kRepeat: return "repeat";
  }
  TIDEGATE_CHECK(false, "unknown step reason");
  return "";  // not reached; some sanitizer builds do not see that
}

ResolvedBudget Resolve(const Budget& budget, Replicas size) {
  ResolvedBudget resolved{ResolveUp(budget.surge, size), ResolveDown(budget.unavailable, size)};
  if (resolved.surge == 0 && resolved.unavailable == 0) resolved.unavailable = 1;
  return resolved;
}

std::string ReplicaName(const PoolId& pool, const Revision& revision, std::int64_t ordinal) {
  return fmt::format("{}-{}-{}", pool.name, revision, ordinal);
}

std::int64_t NextOrdinal(std::int64_t next, const PoolId& pool, std::string_view replica) {
  // From the last digit on, at most as many as the largest ordinal has: it is called for each
  // replica in each tick.
  std::size_t digits = replica.size();
  std::int64_t ordinal = 0;
  for (std::int64_t unit = 1; unit <= kLargestOrdinal && digits > 0; unit *= 10, --digits) {
    const char digit = replica[digits - 1];
    if (digit < '0' || digit > '9') break;
    ordinal += (digit - '0') * unit;
  }
  // Most names end here, so the rest of them is not looked at.
  if (digits == replica.size() || ordinal < next || ordinal > kLargestOrdinal) return next;
  if (digits <= pool.name.size() || replica[digits - 1] != '-') return next;
  const bool ours = replica.starts_with(pool.name) && replica[pool.name.size()] == '-';
  return ours ? ordinal + 1 : next;
}

}  // namespace tidegate::rollout
