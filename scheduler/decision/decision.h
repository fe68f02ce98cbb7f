#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/catalog.h"
#include "policies/guards/desired.h"
#include "policies/signals/snapshot.h"
#include "policies/sizing/proposal.h"
#include "policies/sizing/stated_capacity.h"
#include "scheduler/rollout/plan.h"

namespace tidegate::decision {

// Everything about one pool that a decision depends on besides the snapshot: its manifests,
// compiled.
struct PoolSpec {
  PoolId id;
  Revision revision;      // of the template that replicas should run
  Replicas declared = 1;  // replicaCount: the first size, and the size where nothing scales it
  bool scaled = false;    // a GatewayScaler targets it
  bool dry_run = false;   // decide and record, take no step
  std::vector<PolicyOptions> policies = DefaultPolicies();  // each policy at most once
  std::vector<sizing::SignalTarget> targets;
  sizing::Capacity capacity;
  guards::Options guards;
  rollout::Options rollout;
  std::string config_version;  // hash of all the above, in decisions and metrics
  bool operator==(const PoolSpec&) const = default;
};

// All that is remembered of one pool between ticks. A value: copied, hashed, checkpointed.
struct PoolState {
  guards::Memory guards;
  std::vector<PolicyMemory> policies;  // of those that remember, in the order of the spec's
  rollout::State rollout;
  bool operator==(const PoolState&) const = default;
};

struct DecisionState {
  std::map<PoolId, PoolState> pools;
};

// What was decided for one pool at one instant, and everything that explains it.
struct Decision {
  Instant at{};
  PoolId pool;
  std::string config_version;
  Revision revision;
  Replicas current = 0;  // the size before
  Replicas min = 0;
  Replicas max = 0;
  signals::PhaseCounts counts;
  std::vector<signals::Reading> readings;
  std::vector<sizing::Proposal> proposals;
  guards::Desired desired;
  rollout::Plan plan;
  bool dry_run = false;
  std::string error;  // not empty: the pool was left alone, and why
  bool operator==(const Decision&) const = default;
};

struct Outcome {
  Decision decision;
  PoolState state;
  rollout::StepBasis basis;  // of state.rollout, for steps that are refused
};

// One pool, one tick: sizing -> guards -> rollout. Pure: same arguments, same outcome.
// `state` is what the last tick left (move it in, so that no memory of a policy is copied);
// `history` is the pool's past rate; null where none is kept.
// Precondition: spec.id == pool.id.
Outcome Decide(const PoolSpec& spec, const signals::PoolSnapshot& pool, Instant now,
               PoolState state, const signals::History* history = nullptr);

// The decision as `tidegate explain` and `tidesim` print it: lines of plain text, equal for equal
// decisions.
std::string ToText(const Decision& decision);
// One line: "istio-system/edge 4 -> 8 (proposed 9, ScaleUpLimit): start 4".
std::string Summary(const Decision& decision);

// FNV-1a over all fields; equal states have equal digests on every machine.
std::uint64_t Digest(const DecisionState& state);

}  // namespace tidegate::decision
