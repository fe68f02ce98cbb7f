#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "scheduler/journal/observation_parts.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;
using signals::Phase;
using signals::ReplicaView;

constexpr std::array kPhases{"starting", "ready", "draining", "failed"};
// The age of a replica whose age isn't given: old enough to have proven itself, unless it starts.
constexpr Duration kSettledAge{3'600'000};

Duration DefaultAge(Phase phase) { return phase == Phase::kStarting ? Duration(0) : kSettledAge; }

ReplicaView ViewOf(std::string name, Revision revision, Phase phase, Instant since) {
  ReplicaView view{std::move(name), std::move(revision), phase, since, since, std::nullopt};
  if (phase == Phase::kReady || phase == Phase::kDraining) view.ready_at = since;
  return view;
}

ReplicaView ReadReplica(const json::value& value, const std::string& path, PartContext context,
                        const Revision& revision) {
  JsonFields fields(value, path, ShapeOf("replica"), context.problems);
  fields.Require("name", "the replica's name");
  const auto phase = static_cast<Phase>(
      fields.Choice("phase", kPhases).value_or(static_cast<std::size_t>(Phase::kReady)));
  const Duration age = fields.Seconds("age", kSecondsRange).value_or(DefaultAge(phase));
  ReplicaView view = ViewOf(fields.Text("name").value_or(""),
                            fields.Text("revision").value_or(revision), phase, context.now - age);
  if (const auto since = fields.Time("since")) view.since = *since;
  // Without its own start it began no later than the phase that it is in.
  view.started = fields.Time("started").value_or(std::min(view.since, context.now - age));
  if (view.ready_at) view.ready_at = phase == Phase::kReady ? view.since : view.started;
  if (const auto ready_at = fields.Time("readyAt")) view.ready_at = *ready_at;
  return view;
}

void ReadReplicas(JsonFields& pool, PartContext context, const Revision& revision,
                  std::vector<ReplicaView>& replicas) {
  for (const json::value* value : pool.Array("replicas", kMaxReplicas)) {
    const std::string path = fmt::format("{}[{}]", pool.PathOf("replicas"), replicas.size());
    replicas.push_back(ReadReplica(*value, path, context, revision));
  }
  std::sort(replicas.begin(), replicas.end(),
            [](const ReplicaView& a, const ReplicaView& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      replicas.begin(), replicas.end(),
      [](const ReplicaView& a, const ReplicaView& b) { return a.name == b.name; });
  if (twice != replicas.end() && !twice->name.empty()) {
    pool.Problem("replicas", "there are two replicas called " + twice->name);
  }
}

// Counts stand for replicas of the current revision that have been in their phase for long (for no
// time, where they start). Their names sort by phase and number and are no names of the planner's.
void Synthesize(Phase phase, std::int64_t count, PartContext context, Observation& observation) {
  const auto* name = kPhases[static_cast<std::size_t>(phase)];
  for (std::int64_t number = 1; number <= count; ++number) {
    observation.pool.replicas.push_back(
        ViewOf(fmt::format("{}.{}.{:06}", observation.spec.id.name, name, number),
               observation.spec.revision, phase, context.now - DefaultAge(phase)));
  }
}

void ReadCounts(JsonFields& counts, PartContext context, Observation& observation) {
  // In the order of the names.
  for (const Phase phase : {Phase::kDraining, Phase::kFailed, Phase::kReady, Phase::kStarting}) {
    const auto* name = kPhases[static_cast<std::size_t>(phase)];
    Synthesize(phase, counts.Integer(name, kReplicaRange).value_or(0), context, observation);
  }
}

bool HasCounts(JsonFields& pool) {
  return std::any_of(kPhases.begin(), kPhases.end(),
                     [&](const char* phase) { return pool.Has(phase); });
}

}  // namespace

PoolForm ReadPool(const json::value& value, const std::string& path, PartContext context,
                  Observation& observation) {
  JsonFields fields(value, path, ShapeOf("pool"), context.problems);
  decision::PoolSpec& spec = observation.spec;
  spec.id = {fields.Text("namespace").value_or("default"), fields.Text("name").value_or("pool")};
  spec.revision = fields.Text("revision").value_or("00000000");
  fields.Require("declared", "a whole number");
  spec.declared = static_cast<Replicas>(fields.Integer("declared", kReplicaRange).value_or(0));
  observation.pool.id = spec.id;
  observation.pool.declared = spec.declared;
  observation.pool.fleet_error = fields.Text("error").value_or("");
  const json::value* counts = fields.Find("counts");
  const int forms = int{fields.Has("replicas")} + int{counts != nullptr} + int{HasCounts(fields)};
  if (forms > 1) {
    context.problems.Add(path,
                         "expected one of replicas, counts and numbers by phase, got several");
    return PoolForm::kNothing;
  }
  if (counts != nullptr) {
    JsonFields by_phase(*counts, fields.PathOf("counts"), ShapeOf("counts"), context.problems);
    ReadCounts(by_phase, context, observation);
  } else if (HasCounts(fields)) {
    ReadCounts(fields, context, observation);
  } else {
    ReadReplicas(fields, context, spec.revision, observation.pool.replicas);
  }
  if (forms == 0) return PoolForm::kNothing;
  return fields.Has("replicas") ? PoolForm::kReplicas : PoolForm::kCounts;
}

void FinishPool(PartContext context, PoolForm form, Observation& observation) {
  if (form == PoolForm::kNothing) {
    Synthesize(Phase::kReady, observation.state.guards.desired.value_or(observation.spec.declared),
               context, observation);
  }
  if (form == PoolForm::kReplicas) return;
  observation.state.rollout.pending.clear();
  observation.state.rollout.counted_failures.clear();
}

}  // namespace tidegate::journal
