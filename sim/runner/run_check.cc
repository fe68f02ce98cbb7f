#include "sim/runner/run_check.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace tidegate::sim {

using signals::ReplicaView;

std::string ToText(const std::vector<PoolBreach>& breaches) {
  std::string text;
  for (const auto& [pool, breach] : breaches) {
    text += fmt::format("{} {} {}: {}\n", ToString(pool), FormatInstant(breach.at), breach.rule,
                        breach.what);
  }
  return text;
}

RunCheck::RunCheck(const std::vector<decision::PoolSpec>& specs, const Scenario& scenario) {
  const FleetModel& fleet = scenario.fleet;
  for (const decision::PoolSpec& spec : specs) {
    const rollout::Options& options = spec.rollout;
    const Duration drain = ServiceOf(scenario, spec.id).drain;
    if (fleet.owner == Owner::kDeployment) {
      deployments_.emplace(
          spec.id, DeploymentCheck({options.budget.surge, options.budget.unavailable,
                                    fleet.deployment.min_ready, fleet.placement.quota, drain}));
    } else if (!spec.dry_run) {
      const BudgetPromise promise{options.budget.surge,
                                  options.budget.unavailable,
                                  options.up == rollout::Pace::kRolling,
                                  options.down == rollout::Pace::kRolling,
                                  options.progress_deadline,
                                  drain};
      managed_.emplace(spec.id, Managed{.check = BudgetCheck(promise), .quota = options.quota});
    }
  }
}

void RunCheck::Observed(const signals::Snapshot& snapshot) {
  for (const signals::PoolSnapshot& pool : snapshot.pools) {
    const auto managed = managed_.find(pool.id);
    if (managed == managed_.end()) continue;
    SeeChanges(managed->second, pool.replicas);
    managed->second.seen_at = snapshot.at;
  }
}

void RunCheck::SeeChanges(Managed& managed, std::span<const ReplicaView> now) {
  if (std::ranges::equal(managed.seen, now)) return;
  managed.news = true;
  for (const ReplicaView& view : now) {
    const auto before = std::ranges::lower_bound(managed.seen, view.name, {}, &ReplicaView::name);
    const bool known = before != managed.seen.end() && before->name == view.name;
    if (!known || before->phase != view.phase) {
      managed.check.Entered(view.since, view.name, view.phase);
    }
  }
  for (const ReplicaView& view : managed.seen) {
    if (std::ranges::binary_search(now, view.name, {}, &ReplicaView::name)) continue;
    // It went at some time since it was last seen; only what is seen past its deadline is late.
    managed.check.Gone(managed.seen_at, view.name);
  }
  managed.seen.assign(now.begin(), now.end());
}

void RunCheck::Decided(const loop::Tick& tick) {
  for (const decision::Decision& decision : tick.decisions) Decided(decision, tick);
}

void RunCheck::Decided(const decision::Decision& decision, const loop::Tick& tick) {
  const auto managed = managed_.find(decision.pool);
  if (managed == managed_.end() || !decision.error.empty()) return;
  Managed& pool = managed->second;
  BudgetCheck& check = pool.check;
  const bool same = !pool.news && decision.plan.steps.empty() &&
                    pool.desired == decision.desired.replicas && pool.revision == decision.revision;
  if (same) return;  // most ticks
  pool.news = false;
  pool.desired = decision.desired.replicas;
  pool.revision = decision.revision;
  check.Observe(decision.at, pool.revision, pool.desired, pool.quota, pool.seen);
  for (const rollout::Step& step : decision.plan.steps) {
    const bool refused = std::ranges::any_of(tick.failures, [&](const loop::StepFailure& failure) {
      return failure.pool == decision.pool && failure.step == step;
    });
    if (!refused) check.Request(decision.at, step);
  }
}

void RunCheck::Looked(const PoolId& pool, Instant at, const Deployment& deployment,
                      std::span<const ReplicaView> pods) {
  deployments_.at(pool).See(at, deployment.replicas, pods);
}

std::vector<PoolBreach> RunCheck::breaches() const {
  std::vector<PoolBreach> all;
  const auto add = [&](const PoolId& pool, const std::vector<BudgetBreach>& breaches) {
    for (const BudgetBreach& breach : breaches) all.push_back({pool, breach});
  };
  for (const auto& [pool, managed] : managed_) add(pool, managed.check.breaches());
  for (const auto& [pool, check] : deployments_) add(pool, check.breaches());
  return all;
}

}  // namespace tidegate::sim
