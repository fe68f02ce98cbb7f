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

// Whether there is one memory for each of the policies that remembers, in their order.
bool Arranged(const std::vector<PolicyOptions>& policies,
              const std::vector<PolicyMemory>& memories) {
  auto memory = memories.begin();
  for (const PolicyOptions& options : policies) {
    if (!PolicyOf(options).remembers) continue;
    if (memory == memories.end() || memory->index() != options.index()) return false;
    ++memory;
  }
  return memory == memories.end();
}

// Brings them there: what a policy left in this pool, or what it begins with; those of other
// policies are forgotten.
void Arrange(const std::vector<PolicyOptions>& policies, std::vector<PolicyMemory>& memories) {
  if (Arranged(policies, memories)) return;
  std::vector<PolicyMemory> arranged;
  for (const PolicyOptions& options : policies) {
    const PolicyEntry& policy = PolicyOf(options);
    if (!policy.remembers) continue;
    const auto kept = std::ranges::find(memories, options.index(), &PolicyMemory::index);
    arranged.push_back(kept != memories.end() ? std::move(*kept) : policy.memory);
  }
  memories = std::move(arranged);
}

// What policies say besides their proposals.
struct Said {
  std::optional<guards::AtOnce> at_once;
  std::string leave_alone;
};

sizing::Sizing SizeAnew(const PolicyEntry& policy, const sizing::Input& input,
                        const PolicyOptions& options) {
  PolicyMemory nothing = policy.memory;
  return policy.size(input, options, nothing);
}

// All policies of the pool; of sizes that are set at once, the largest.
Said Propose(const PoolSpec& spec, const sizing::Input& input, std::vector<PolicyMemory>& memories,
             Decision& decision) {
  Said said;
  Arrange(spec.policies, memories);
  auto memory = memories.begin();
  for (const PolicyOptions& options : spec.policies) {
    const PolicyEntry& policy = PolicyOf(options);
    sizing::Sizing sizing = policy.remembers ? policy.size(input, options, *memory++)
                                             : SizeAnew(policy, input, options);
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
          .growth_limits = guards::GrowthLimitsOf(spec.guards),
          .tolerances = {spec.guards.behavior.up.tolerance, spec.guards.behavior.down.tolerance},
          .history = history};
}

// The pool's size, and what policies and guards remember of it.
guards::Desired Size(const PoolSpec& spec, const sizing::Input& input, Decision& decision,
                     PoolState& state) {
  if (!spec.scaled) {
    state.policies.clear();
    state.guards = guards::Follow(spec.declared, spec.guards, std::move(state.guards), decision.at);
    return Fixed(spec.declared, guards::Reason::kNotScaled);
  }
  const Said said = Propose(spec, input, state.policies, decision);
  guards::Applied applied =
      guards::Apply(decision.proposals, decision.current, spec.guards, std::move(state.guards),
                    decision.at, said.at_once, said.leave_alone);
  state.guards = std::move(applied.memory);
  return std::move(applied.desired);
}

Outcome LeaveAlone(Decision decision, PoolState state, const std::string& why) {
  decision.error = "the fleet can't be observed: " + why;
  decision.desired = Fixed(decision.current, guards::Reason::kSamplesNotOk);
  return {std::move(decision), std::move(state), {}};
}

// Steps of a dry run are not requested, so the planner must not remember them.
rollout::Planned PlanOf(const PoolSpec& spec, const rollout::Input& input, PoolState& state) {
  rollout::Planned planned = spec.dry_run
                                 ? rollout::MakePlan(input, spec.rollout, state.rollout)
                                 : rollout::MakePlan(input, spec.rollout, std::move(state.rollout));
  if (!spec.dry_run) state.rollout = std::move(planned.state);
  return planned;
}

}  // namespace

Outcome Decide(const PoolSpec& spec, const signals::PoolSnapshot& pool, Instant now,
               PoolState state, const signals::History* history) {
  TIDEGATE_CHECK(spec.id == pool.id, "a pool is decided with its own snapshot");
  Decision decision = Describe(spec, pool, now, state);
  if (!pool.fleet_error.empty()) {
    return LeaveAlone(std::move(decision), std::move(state), pool.fleet_error);
  }
  decision.desired = Size(spec, InputOf(spec, pool, decision, history), decision, state);
  rollout::Planned planned =
      PlanOf(spec, {now, spec.id, decision.desired.replicas, spec.revision, pool.replicas}, state);
  decision.plan = std::move(planned.plan);
  return {std::move(decision), std::move(state), std::move(planned.basis)};
}

}  // namespace tidegate::decision
