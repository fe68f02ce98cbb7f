#include <utility>

#include "policies/base/check.h"
#include "policies/catalog.h"
#include "policies/guards/apply.h"
#include "scheduler/decision/decision.h"

// One tick of one pool: sizing -> guards -> rollout, each a pure function of its own folder. What
// is decided here is only what happens between them: which size is the current one, and who may
// choose the next (the guards; the manifest where no scaler targets the pool; nobody while the
// fleet can't say what runs).
namespace tidegate::decision {
namespace {

Replicas CurrentSize(const PoolSpec& spec, const signals::PoolSnapshot& pool,
                     const PoolState& state) {
  if (state.guards.desired) return *state.guards.desired;
  return pool.declared > 0 ? pool.declared : spec.declared;
}

Decision Describe(const PoolSpec& spec, const signals::PoolSnapshot& pool, Instant now,
                  const PoolState& state) {
  Decision decision;
  decision.at = now;
  decision.pool = spec.id;
  decision.config_version = spec.config_version;
  decision.revision = spec.revision;
  decision.current = CurrentSize(spec, pool, state);
  decision.min = spec.scaled ? spec.guards.min : spec.declared;
  decision.max = spec.scaled ? spec.guards.max : spec.declared;
  decision.counts = signals::Count(pool.replicas);
  decision.readings = pool.readings;
  decision.dry_run = spec.dry_run;
  return decision;
}

guards::Desired Fixed(Replicas replicas, guards::Reason reason) {
  guards::Desired desired;
  desired.proposed = replicas;
  desired.stabilized = replicas;
  desired.replicas = replicas;
  desired.reason = reason;
  return desired;
}

guards::Applied Size(const PoolSpec& spec, const Decision& decision, const PoolState& state) {
  if (!spec.scaled) {
    return {Fixed(spec.declared, guards::Reason::kNotScaled),
            guards::Follow(spec.declared, spec.guards, state.guards, decision.at)};
  }
  return guards::Apply(decision.proposals, decision.current, spec.guards, state.guards,
                       decision.at);
}

Outcome LeaveAlone(Decision decision, const PoolState& state, const std::string& why) {
  decision.error = "the fleet can't be observed: " + why;
  decision.desired = Fixed(decision.current, guards::Reason::kSamplesNotOk);
  return {std::move(decision), state, {}};
}

}  // namespace

Outcome Decide(const PoolSpec& spec, const signals::PoolSnapshot& pool, Instant now,
               const PoolState& state) {
  TIDEGATE_CHECK(spec.id == pool.id, "a pool is decided with its own snapshot");
  const PolicyEntry* policy = FindPolicy(spec.policy);
  TIDEGATE_CHECK(policy != nullptr, spec.policy);

  Decision decision = Describe(spec, pool, now, state);
  if (!pool.fleet_error.empty()) return LeaveAlone(std::move(decision), state, pool.fleet_error);
  if (spec.scaled) {
    decision.proposals = policy->policy({now, decision.current, &spec.targets, &pool.readings});
  }
  guards::Applied sized = Size(spec, decision, state);
  decision.desired = std::move(sized.desired);

  rollout::Planned planned =
      rollout::MakePlan({now, spec.id, decision.desired.replicas, spec.revision, pool.replicas},
                        spec.rollout, state.rollout);
  decision.plan = std::move(planned.plan);
  // Steps of a dry run are not requested, so the planner must not remember them.
  return {std::move(decision),
          {std::move(sized.memory), spec.dry_run ? state.rollout : std::move(planned.state)},
          planned.basis};
}

}  // namespace tidegate::decision
