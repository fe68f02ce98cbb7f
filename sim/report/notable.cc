#include "sim/report/notable.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

using decision::Decision;

Mark MarkOf(const Decision& decision) {
  const Replicas change = decision.desired.replicas - decision.current;
  const guards::Reason reason = decision.desired.reason;
  if (change > 0) return Mark::kGrow;
  if (change < 0) return Mark::kShrink;
  if (!decision.error.empty() || reason == guards::Reason::kSamplesNotOk ||
      reason == guards::Reason::kFallback) {
    return Mark::kHeld;
  }
  return decision.plan.steps.empty() ? Mark::kNote : Mark::kSteps;
}

bool ChangesSomething(const Decision& decision, const Decision& before) {
  return decision.desired.replicas != decision.current ||
         (!decision.plan.steps.empty() && decision.plan.steps != before.plan.steps) ||
         decision.desired.reason != before.desired.reason || decision.error != before.error ||
         decision.plan.foresight.deadlock != before.plan.foresight.deadlock;
}

// More is more notable.
std::pair<Replicas, std::size_t> Weight(const Notable& notable) {
  const Decision& decision = *notable.decision;
  return {std::abs(decision.desired.replicas - decision.current), decision.plan.steps.size()};
}

}  // namespace

const char* Name(Mark mark) {
  switch (mark) {
    case Mark::kGrow: return "grow";
    case Mark::kShrink: return "shrink";
    case Mark::kSteps: return "steps";
    case Mark::kHeld: return "held";
    case Mark::kNote: return "note";
  }
  return "note";
}

Notables FindNotable(std::span<const Decision> decisions, const PoolId& pool, std::size_t most) {
  TIDEGATE_CHECK(most >= 1, "at least one decision is kept");
  std::vector<Notable> all;
  const Decision* before = nullptr;
  for (const Decision& decision : decisions) {
    if (decision.pool != pool) continue;
    if (before == nullptr || ChangesSomething(decision, *before)) {
      all.push_back({&decision, MarkOf(decision)});
    }
    before = &decision;
  }
  if (all.size() <= most) return {std::move(all), 0};
  Notables notables{{}, all.size() - most};
  for (std::size_t group = 0; group < most; ++group) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(group * all.size() / most);
    const auto end = all.begin() + static_cast<std::ptrdiff_t>((group + 1) * all.size() / most);
    notables.kept.push_back(*std::ranges::max_element(begin, end, {}, Weight));
  }
  return notables;
}

}  // namespace tidegate::sim
