#include "scheduler/journal/decision_json.h"

#include <utility>

#include <boost/json.hpp>

#include "scheduler/journal/json_text.h"
#include "scheduler/journal/policy_json.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

template <class Items, class Function>
json::array Each(const Items& items, Function to_json) {
  json::array array;
  for (const auto& item : items) array.push_back(to_json(item));
  return array;
}

json::object ReadingObject(const signals::Reading& reading) {
  json::object object{{"signal", reading.signal}, {"quality", signals::Name(reading.quality)},
                      {"value", reading.value},   {"age", Seconds(reading.age)},
                      {"series", reading.series}, {"expected", reading.expected},
                      {"detail", reading.detail}};
  if (reading.last) object["last"] = *reading.last;
  if (reading.each.empty()) return object;
  object["perReplica"] = Each(reading.each, [](const signals::ReplicaValue& one) {
    return json::object{{"replica", one.replica}, {"value", one.value}, {"age", Seconds(one.age)}};
  });
  return object;
}

json::object ProposalObject(const sizing::Proposal& proposal) {
  json::object object{{"source", proposal.source},    {"quality", signals::Name(proposal.quality)},
                      {"value", proposal.value},      {"target", proposal.target},
                      {"age", Seconds(proposal.age)}, {"replicas", nullptr},
                      {"note", proposal.note}};
  if (proposal.replicas) object["replicas"] = *proposal.replicas;
  if (proposal.floor) object["floor"] = true;
  return object;
}

json::object LimitObject(const guards::Limit& limit) {
  return {{"stage", guards::Name(limit.stage)},
          {"reason", guards::Name(limit.reason)},
          {"before", limit.before},
          {"after", limit.after},
          {"detail", limit.detail}};
}

json::object StepObject(const rollout::Step& step) {
  return {{"kind", rollout::Name(step.kind)},
          {"replica", step.replica},
          {"revision", step.revision},
          {"reason", rollout::Name(step.reason)}};
}

json::object DeferredObject(const rollout::Deferred& deferred) {
  return {{"kind", rollout::Name(deferred.kind)}, {"count", deferred.count}, {"why", deferred.why}};
}

json::object PlanObject(const rollout::Plan& plan) {
  const rollout::BudgetUse& use = plan.use;
  const rollout::Foresight& ahead = plan.foresight;
  return {{"steps", Each(plan.steps, StepObject)},
          {"deferred", Each(plan.deferred, DeferredObject)},
          {"use", json::object{{"surge", use.surge},
                               {"surgeLimit", use.surge_limit},
                               {"unavailable", use.unavailable},
                               {"unavailableLimit", use.unavailable_limit},
                               {"liveLimit", use.live_limit},
                               {"availableFloor", use.available_floor}}},
          {"foresight", json::object{{"peakLive", ahead.peak_live},
                                     {"leastAvailable", ahead.least_available},
                                     {"waves", ahead.waves},
                                     {"deadlock", ahead.deadlock}}},
          {"complete", plan.complete}};
}

json::object RolloutObject(const rollout::State& state, Instant at) {
  const auto pending = [&](const rollout::Pending& item) {
    return json::object{{"kind", rollout::Name(item.kind)},
                        {"replica", item.replica},
                        {"revision", item.revision},
                        {"age", Seconds(at - item.at)}};
  };
  json::object object{
      {"size", state.size},
      {"nextOrdinal", state.next_ordinal},
      {"pending", Each(state.pending, pending)},
      {"countedFailures",
       Each(state.counted_failures, [](const std::string& name) { return json::value(name); })},
      {"failing", state.failing},
      {"failedStarts", state.failed_starts}};
  if (state.retry_at != Instant{}) object["retryAt"] = FormatInstant(state.retry_at);
  return object;
}

}  // namespace

json::object DecisionObject(const decision::Decision& decision) {
  const guards::Desired& desired = decision.desired;
  return {{"at", FormatInstant(decision.at)},
          {"namespace", decision.pool.ns},
          {"name", decision.pool.name},
          {"configVersion", decision.config_version},
          {"revision", decision.revision},
          {"current", decision.current},
          {"desired", desired.replicas},
          {"reason", guards::Name(desired.reason)},
          {"proposed", desired.proposed},
          {"stabilized", desired.stabilized},
          {"min", decision.min},
          {"max", decision.max},
          {"counts", json::object{{"ready", decision.counts.ready},
                                  {"starting", decision.counts.starting},
                                  {"draining", decision.counts.draining},
                                  {"failed", decision.counts.failed}}},
          {"readings", Each(decision.readings, ReadingObject)},
          {"proposals", Each(decision.proposals, ProposalObject)},
          {"limits", Each(desired.limits, LimitObject)},
          {"plan", PlanObject(decision.plan)},
          {"dryRun", decision.dry_run},
          {"error", decision.error}};
}

json::object MemoryObject(const decision::PoolState& state, Instant at) {
  const auto recommendation = [&](const guards::Recommendation& item) {
    return json::object{{"age", Seconds(at - item.at)}, {"replicas", item.replicas}};
  };
  const auto event = [&](const guards::ScaleEvent& item) {
    return json::object{{"age", Seconds(at - item.at)}, {"change", item.change}};
  };
  json::object object{{"at", FormatInstant(at)}};
  if (state.guards.desired) object["desired"] = *state.guards.desired;
  object["recommendations"] = Each(state.guards.recommendations, recommendation);
  object["events"] = Each(state.guards.events, event);
  if (state.guards.bad_since) object["badFor"] = Seconds(at - *state.guards.bad_since);
  if (json::object policies = PolicyMemoryObject(state.policies); !policies.empty()) {
    object["policies"] = std::move(policies);
  }
  object["rollout"] = RolloutObject(state.rollout, at);
  return object;
}

std::string DecisionJson(const decision::Decision& decision) {
  return WriteJson(DecisionObject(decision));
}

json::object CounterfactualObject(const decision::Counterfactual& asked,
                                  const decision::Decision& as_it_is) {
  const auto text = [](std::string_view name) { return json::value(name); };
  const auto name = [](const PolicyEntry* policy) { return json::value(policy->name); };
  return {{"without", Each(decision::NamesOf(asked.without), text)},
          {"policies", Each(asked.policies, name)},
          {"asItIs", json::object{{"desired", as_it_is.desired.replicas},
                                  {"reason", guards::Name(as_it_is.desired.reason)}}}};
}

namespace {

json::object OutcomeObject(const decision::Outcome& outcome) {
  json::object object = DecisionObject(outcome.decision);
  object["memory"] = MemoryObject(outcome.state, outcome.decision.at);
  json::array errors;
  if (!outcome.decision.error.empty()) errors.emplace_back(outcome.decision.error);
  object["errors"] = std::move(errors);
  return object;
}

}  // namespace

std::string OutcomeJson(const decision::Outcome& outcome) {
  return WriteJson(OutcomeObject(outcome));
}

std::string OutcomeJson(const decision::Outcome& outcome, const decision::Counterfactual& asked,
                        const decision::Decision& as_it_is) {
  json::object object = OutcomeObject(outcome);
  object["counterfactual"] = CounterfactualObject(asked, as_it_is);
  return WriteJson(object);
}

std::string ErrorsJson(const std::vector<std::string>& errors) {
  return WriteJson(json::object{
      {"errors", Each(errors, [](const std::string& error) { return json::value(error); })}});
}

}  // namespace tidegate::journal
