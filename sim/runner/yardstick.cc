#include "sim/runner/yardstick.h"

#include <algorithm>
#include <cstdint>

#include "policies/base/check.h"
#include "scheduler/decision/decision.h"
#include "scheduler/rollout/plan.h"
#include "sim/report/oracle.h"
#include "sim/runner/loads.h"

namespace tidegate::sim {
namespace {

// The pool as the oracle sees it. The oracle may do whatever the manifests allow, and whatever the
// run did where that is more: a pool that is paused above its maximum, or that lost replicas. It
// scales a pool that nothing else scales, down to one replica: what did the fixed size cost?
OracleInput InputOf(const decision::PoolSpec& spec, const PoolResult& result, const RunSummary& run,
                    const Scenario& scenario) {
  const ServiceModel& service = ServiceOf(scenario, spec.id);
  const Replicas min = spec.scaled ? spec.guards.min : 1;
  const Replicas max = spec.scaled ? std::max(spec.guards.max, spec.declared) : spec.declared;
  OracleInput input;
  input.capacity = service.capacity();
  // A bound may assume no more than the quickest start.
  input.startup = service.startup_variation > 0 ? Duration(0) : service.startup;
  // Who fails with its zone is paid for no drain.
  input.drain = scenario.fleet.placement.losses.empty() ? service.drain : Duration(0);
  input.wait = LongestGoodWait(scenario, spec.id);
  input.initial = spec.declared;
  input.least = std::min({min, spec.declared, result.least_paid});
  input.most = max + rollout::Resolve(spec.rollout.budget, max).surge;
  if (spec.rollout.quota) input.most = std::min(input.most, *spec.rollout.quota);
  if (const auto quota = scenario.fleet.placement.quota) input.most = std::min(input.most, *quota);
  input.most = std::max({input.most, input.least, result.peak_live});
  input.end = run.length;
  input.counted_from = run.counted_from;
  return input;
}

// Where requests are known one by one, those are bad that were lost or answered late. The bound
// lets all of an answer's time be waiting, so that it stays one.
void CountRequests(const RequestResult& requests, double objective_seconds, OracleInput& input,
                   Yardstick& yardstick) {
  const Flow& flow = requests.flow;
  yardstick.of_answers = true;
  yardstick.wait = Duration(static_cast<std::int64_t>(objective_seconds * 1'000));
  input.wait = std::min(input.wait, yardstick.wait);
  if (flow.arrived > 0) yardstick.bad_fraction = (flow.lost + flow.slow) / flow.arrived;
}

}  // namespace

void AddYardsticks(RunSummary& run, const Scenario& scenario,
                   const config::CompiledConfig& manifests, const traces::Trace& load,
                   Bounds bounds) {
  const auto loads = Loads::Make(scenario, load);
  TIDEGATE_CHECK(loads, "the scenario was simulated with this load");
  for (PoolResult& result : run.pools) {
    // What reaches the later pools of a chain is not the trace.
    const auto link = std::ranges::find(scenario.chain, result.id);
    if (link != scenario.chain.end() && link != scenario.chain.begin()) continue;
    const auto spec = std::ranges::find(manifests.pools, result.id, &decision::PoolSpec::id);
    const traces::Trace& own = loads->Of(result.id);
    OracleInput input = InputOf(*spec, result, run, scenario);
    Yardstick yardstick;
    yardstick.objective = input.bad_fraction = scenario.objective.bad_fraction;
    yardstick.wait = input.wait;
    if (result.requests) {
      const RequestModel& requests = ServiceOf(scenario, result.id).requests;
      CountRequests(*result.requests, requests.objective_seconds, input, yardstick);
    } else if (result.counted_arrived > 0) {
      yardstick.bad_fraction = result.counted_bad / result.counted_arrived;
    }
    yardstick.oracle = LeastReplicaSeconds(own, input);
    yardstick.same_loss = yardstick.oracle;
    if (bounds == Bounds::kSameLossToo && !yardstick.kept()) {
      input.bad_fraction = std::min(1.0, yardstick.bad_fraction);
      yardstick.same_loss = LeastReplicaSeconds(own, input);
    }
    result.yardstick = yardstick;
  }
}

}  // namespace tidegate::sim
