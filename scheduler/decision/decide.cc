#include <algorithm>
#include <iterator>
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

// The memory that a policy left in this pool, or what it begins with.
PolicyMemory MemoryOf(const PolicyOptions& options, const PoolState& state) {
  const auto kept = std::ranges::find(state.policies, options.index(), &PolicyMemory::index);
  return kept != state.policies.end() ? *kept : PolicyOf(options).memory;
}

struct Sized {
  guards::Desired desired;
  guards::Memory guards;
  std::vector<PolicyMemory> policies;
};

// What policies say besides their proposals.
struct Said {
  std::optional<guards::AtOnce> at_once;
  std::string leave_alone;
};

// All policies of the pool; of sizes that are set at once, the largest.
Said Propose(const PoolSpec& spec, const sizing::Input& input, const PoolState& state,
             Decision& decision, std::vector<PolicyMemory>& memories) {
  Said said;
  for (const PolicyOptions& options : spec.policies) {
    const PolicyEntry& policy = PolicyOf(options);
    PolicyMemory memory = MemoryOf(options, state);
    sizing::Sizing sizing = policy.size(input, options, memory);
    if (policy.remembers) memories.push_back(std::move(memory));
    if (sizing.at_once && (!said.at_once || *sizing.at_once > said.at_once->replicas)) {
      said.at_once = guards::AtOnce{*sizing.at_once, std::move(sizing.why)};
    }
    if (said.leave_alone.empty()) said.leave_alone = std::move(sizing.leave_alone);
    if (decision.proposals.empty()) {
      decision.proposals = std::move(sizing.proposals);
    } else {
      std::ranges::move(sizing.proposals, std::back_inserter(decision.proposals));
    }
  }
  return said;
}

sizing::Input InputOf(const PoolSpec& spec, const signals::PoolSnapshot& pool,
                      const Decision& decision, const signals::History* history) {
  return {.now = decision.at,
          .current = decision.current,
          .min = spec.guards.min,
          .max = spec.guards.max,
          .targets = spec.targets,
          .readings = pool.readings,
          .replicas = pool.replicas,
          .capacity = spec.capacity,
          .surge = spec.rollout.budget.surge,
          .rolling_up = spec.rollout.up == rollout::Pace::kRolling,
          .behavior = spec.guards.behavior_written,
          .tolerances = {spec.guards.behavior.up.tolerance, spec.guards.behavior.down.tolerance},
          .history = history};
}

Sized Size(const PoolSpec& spec, const sizing::Input& input, const PoolState& state,
           Decision& decision) {
  if (!spec.scaled) {
    return {Fixed(spec.declared, guards::Reason::kNotScaled),
            guards::Follow(spec.declared, spec.guards, state.guards, decision.at),
            {}};
  }
  Sized sized;
  const Said said = Propose(spec, input, state, decision, sized.policies);
  guards::Applied applied =
      guards::Apply(decision.proposals, decision.current, spec.guards, state.guards, decision.at,
                    said.at_once, said.leave_alone);
  sized.desired = std::move(applied.desired);
  sized.guards = std::move(applied.memory);
  return sized;
}

Outcome LeaveAlone(Decision decision, const PoolState& state, const std::string& why) {
  decision.error = "the fleet can't be observed: " + why;
  decision.desired = Fixed(decision.current, guards::Reason::kSamplesNotOk);
  return {std::move(decision), state, {}};
}

}  // namespace

Outcome Decide(const PoolSpec& spec, const signals::PoolSnapshot& pool, Instant now,
               const PoolState& state, const signals::History* history) {
  TIDEGATE_CHECK(spec.id == pool.id, "a pool is decided with its own snapshot");
  Decision decision = Describe(spec, pool, now, state);
  if (!pool.fleet_error.empty()) return LeaveAlone(std::move(decision), state, pool.fleet_error);
  Sized sized = Size(spec, InputOf(spec, pool, decision, history), state, decision);
  decision.desired = std::move(sized.desired);

  rollout::Planned planned =
      rollout::MakePlan({now, spec.id, decision.desired.replicas, spec.revision, pool.replicas},
                        spec.rollout, state.rollout);
  decision.plan = std::move(planned.plan);
  // Steps of a dry run are not requested, so the planner must not remember them.
  return {std::move(decision),
          {std::move(sized.guards), std::move(sized.policies),
           spec.dry_run ? state.rollout : std::move(planned.state)},
          planned.basis};
}

}  // namespace tidegate::decision
