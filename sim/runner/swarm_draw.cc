#include "sim/runner/swarm_draw.h"

#include <array>

#include "policies/base/int_or_percent.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::sim {
namespace {

constexpr Duration kSecond{1'000};
constexpr std::array<IntOrPercent, 7> kBudgets{
    {{0, false}, {1, false}, {3, false}, {0, true}, {25, true}, {50, true}, {100, true}}};

// The planner's one assumption about time (scheduler/rollout/merge.cc): a request shows within half
// the progress deadline or never will. It makes a request again until half the deadline is over;
// the last of them may be taken delay_max later, and what the fleet shows may be view_age_max older
// still. Start-up (8 s), a slow start on top (30 s) and the age of the view fit into the same time,
// so that slow starts are not failed ones, though nothing would break if they were. Scrapes and
// drains have no part in it: replicas are seen by the fleet, not by scraping, and a drain shows
// when it begins. One millisecond more, since the assumption is judged by "after".
Duration ProgressDeadline(const FaultPlan& plan) {
  return 2 * (plan.delay_max + plan.view_age_max) + Duration(1);
}

}  // namespace

traces::Trace DrawLoad(const Chance& chance) {
  traces::Trace trace;
  double rate = chance.Below(400, "load");
  const auto bins = (kFaulty + kSettles) / kSecond + 60;
  for (int i = 0; i < bins; ++i) {
    if (i * kSecond < kFaulty && chance.Hits(40, "load jumps", "", i)) {
      rate = chance.Below(500, "load", "", i);
    }
    trace.requests.push_back(rate);
  }
  return trace;
}

decision::PoolSpec DrawSpec(const Chance& chance, const FaultPlan& plan) {
  const auto budget = [&](const char* which) {
    return kBudgets[static_cast<std::size_t>(chance.Below(kBudgets.size(), which))];
  };
  decision::PoolSpec spec;
  spec.id = {"istio-system", "edge"};
  spec.revision = "rev-0";
  spec.declared = 1 + chance.Below(6, "declared");
  spec.scaled = true;
  spec.targets = {{"requests", kPerReplica}};
  spec.guards.min = 1 + chance.Below(2, "min");
  spec.guards.max = 4 + chance.Below(9, "max");
  spec.guards.behavior.down.stabilization_window = kSecond * chance.Below(31, "stabilization");
  spec.rollout.budget = {budget("surge"), budget("unavailable")};
  if (chance.Hits(200, "up")) spec.rollout.up = rollout::Pace::kImmediate;
  if (chance.Hits(200, "down")) spec.rollout.down = rollout::Pace::kImmediate;
  spec.rollout.progress_deadline = ProgressDeadline(plan);
  spec.rollout.backoff_max = Duration(8'000);
  spec.rollout.min_ready = Duration(3'000);
  if (chance.Hits(300, "quota")) spec.rollout.quota = 2 + chance.Below(12, "quota is");
  return spec;
}

ServiceModel DrawService(const Chance& chance) {
  ServiceModel service;
  service.workers = 6;
  service.startup = chance.Upto(Duration(8'000), "startup");
  service.drain = chance.Upto(Duration(4'000), "drain");
  return service;
}

}  // namespace tidegate::sim
