#include <algorithm>
#include <array>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "scheduler/journal/observation_parts.h"
#include "scheduler/journal/policy_json.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostRemembered = 100'000;
constexpr JsonRange kChangeRange{-kMaxReplicas, kMaxReplicas};

template <class Item>
void OldestFirst(std::vector<Item>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.at < b.at; });
}

void ReadRecommendations(JsonFields& memory, PartContext context,
                         std::vector<guards::Recommendation>& to) {
  for (const json::value* value : memory.Array("recommendations", kMostRemembered)) {
    const std::string path = fmt::format("{}[{}]", memory.PathOf("recommendations"), to.size());
    JsonFields fields(*value, path, ShapeOf("recommendation"), context.problems);
    fields.Require("age", "seconds");
    fields.Require("replicas", "a whole number");
    to.push_back({context.now - fields.Seconds("age", kSecondsRange).value_or(Duration(0)),
                  static_cast<Replicas>(fields.Integer("replicas", kReplicaRange).value_or(0))});
  }
  OldestFirst(to);
}

void ReadEvents(JsonFields& memory, PartContext context, std::vector<guards::ScaleEvent>& to) {
  for (const json::value* value : memory.Array("events", kMostRemembered)) {
    const std::string path = fmt::format("{}[{}]", memory.PathOf("events"), to.size());
    JsonFields fields(*value, path, ShapeOf("event"), context.problems);
    fields.Require("age", "seconds");
    fields.Require("change", "a whole number");
    to.push_back({context.now - fields.Seconds("age", kSecondsRange).value_or(Duration(0)),
                  static_cast<Replicas>(fields.Integer("change", kChangeRange).value_or(0))});
  }
  OldestFirst(to);
}

void ReadPending(JsonFields& rollout, PartContext context, std::vector<rollout::Pending>& to) {
  constexpr std::array kKinds{"start", "drain"};
  for (const json::value* value : rollout.Array("pending", kMostRemembered)) {
    const std::string path = fmt::format("{}[{}]", rollout.PathOf("pending"), to.size());
    JsonFields fields(*value, path, ShapeOf("pending"), context.problems);
    fields.Require("kind", "one of start, drain");
    fields.Require("replica", "the replica's name");
    rollout::Pending pending;
    pending.kind = static_cast<rollout::StepKind>(fields.Choice("kind", kKinds).value_or(0));
    pending.replica = fields.Text("replica").value_or("");
    pending.revision = fields.Text("revision").value_or("");
    pending.at = context.now - fields.Seconds("age", kSecondsRange).value_or(Duration(0));
    to.push_back(std::move(pending));
  }
  std::sort(to.begin(), to.end(), [](const rollout::Pending& a, const rollout::Pending& b) {
    return a.replica < b.replica;
  });
}

void ReadRollout(const json::value& value, const std::string& path, PartContext context,
                 rollout::State& state) {
  constexpr JsonRange kOrdinalRange{1, 9e15};
  JsonFields fields(value, path, ShapeOf("rollout"), context.problems);
  state.size = static_cast<Replicas>(fields.Integer("size", kReplicaRange).value_or(0));
  state.next_ordinal = fields.Integer("nextOrdinal", kOrdinalRange).value_or(1);
  ReadPending(fields, context, state.pending);
  for (const json::value* name : fields.Array("countedFailures", kMostRemembered)) {
    const json::string* text = name->if_string();
    if (text == nullptr) fields.Problem("countedFailures", "expected texts, got " + Shown(*name));
    if (text != nullptr) state.counted_failures.emplace_back(*text);
  }
  std::sort(state.counted_failures.begin(), state.counted_failures.end());
  state.failing = fields.Text("failing").value_or("");
  state.failed_starts =
      static_cast<int>(fields.Integer("failedStarts", {0, 1'000'000}).value_or(0));
  state.retry_at = fields.Time("retryAt").value_or(Instant{});
}

}  // namespace

void ReadMemory(const json::value& value, const std::string& path, PartContext context,
                Observation& observation) {
  JsonFields fields(value, path, ShapeOf("memory"), context.problems);
  // Ages count from when the memory was written, so that it can be handed back as it is.
  const Instant at = fields.Time("at").value_or(context.now);
  if (at > context.now) fields.Problem("at", "expected a time that is not after $.now");
  const PartContext then{at, context.problems};
  guards::Memory& guards = observation.state.guards;
  if (const auto desired = fields.Integer("desired", kReplicaRange)) {
    guards.desired = static_cast<Replicas>(*desired);
  } else if (fields.Has("recommendations")) {
    // Whoever lists what was recommended has seen the pool before.
    guards.desired = observation.spec.declared;
  }
  ReadRecommendations(fields, then, guards.recommendations);
  ReadEvents(fields, then, guards.events);
  if (const auto bad_for = fields.Seconds("badFor", kSecondsRange))
    guards.bad_since = at - *bad_for;
  if (const json::value* policies = fields.Find("policies")) {
    observation.state.policies =
        ReadPolicyMemory(*policies, fields.PathOf("policies"), context.problems);
  }
  if (const json::value* rollout = fields.Find("rollout")) {
    ReadRollout(*rollout, fields.PathOf("rollout"), then, observation.state.rollout);
  }
}

}  // namespace tidegate::journal
