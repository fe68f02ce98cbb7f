#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "scheduler/decision/stand_in.h"
#include "scheduler/journal/observation_parts.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;
using signals::Phase;
using signals::ReplicaView;

constexpr std::array kPhases{"starting", "ready", "draining", "failed"};

ReplicaView ReadReplica(const json::value& value, const std::string& path, PartContext context,
                        const Revision& revision) {
  JsonFields fields(value, path, ShapeOf("replica"), context.problems);
  fields.Require("name", "the replica's name");
  const auto phase = static_cast<Phase>(
      fields.Choice("phase", kPhases).value_or(static_cast<std::size_t>(Phase::kReady)));
  const Duration age = fields.Seconds("age", kSecondsRange).value_or(decision::UsualAge(phase));
  ReplicaView view =
      decision::StandIn(fields.Text("name").value_or(""),
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
// time, where they start).
void Synthesize(const signals::PhaseCounts& counts, PartContext context, Observation& observation) {
  observation.pool.replicas =
      decision::StandIns(observation.spec.id, observation.spec.revision, counts, context.now);
}

void ReadCounts(JsonFields& fields, PartContext context, Observation& observation) {
  const auto count = [&](const char* phase) {
    return static_cast<Replicas>(fields.Integer(phase, kReplicaRange).value_or(0));
  };
  Synthesize({.starting = count("starting"),
              .ready = count("ready"),
              .draining = count("draining"),
              .failed = count("failed")},
             context, observation);
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
    Synthesize({.ready = observation.state.guards.desired.value_or(observation.spec.declared)},
               context, observation);
  }
  if (form == PoolForm::kReplicas) return;
  observation.state.rollout.pending.clear();
  observation.state.rollout.counted_failures.clear();
}

}  // namespace tidegate::journal
