#include "scheduler/decision/replay.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policies/base/check.h"
#include "policies/sizing/forecast_policy.h"
#include "scheduler/decision/stand_in.h"

namespace tidegate::decision {
namespace {

// Replicas whose own values were recorded were ready ones, most likely: those get their names, so
// that policies which ask each replica find its value.
void NameAfter(const std::vector<signals::Reading>& readings,
               std::vector<signals::ReplicaView>& replicas) {
  std::set<std::string> names;
  for (const signals::Reading& reading : readings) {
    for (const signals::ReplicaValue& value : reading.each) names.insert(value.replica);
  }
  auto name = names.begin();
  for (signals::ReplicaView& replica : replicas) {
    if (name == names.end()) break;
    if (replica.phase == signals::Phase::kReady) replica.name = *name++;
  }
  std::ranges::sort(replicas, {}, &signals::ReplicaView::name);
}

}  // namespace

Replay::Replay(PoolSpec spec) : spec_(std::move(spec)) {}

void Replay::Become(PoolSpec spec) {
  TIDEGATE_CHECK(spec.id == spec_.id, "a replay is one pool's");
  spec_ = std::move(spec);
}

const signals::History* Replay::Remember(const Decision& recorded) {
  const sizing::SignalTarget* target = sizing::RequestsTarget(spec_.targets);
  if (target == nullptr) return nullptr;
  const signals::Reading* reading = sizing::FindReading(recorded.readings, target->signal);
  if (reading != nullptr && reading->quality == signals::Quality::kOk) {
    history_.Append(recorded.at, reading->value);
  }
  return &history_;
}

Decision Replay::Next(const Decision& recorded) {
  const signals::History* history = Remember(recorded);
  signals::PoolSnapshot pool;
  pool.id = recorded.pool;
  pool.declared = recorded.current;  // of the first; then the memory has it
  pool.replicas = StandIns(spec_.id, spec_.revision, recorded.counts, recorded.at);
  NameAfter(recorded.readings, pool.replicas);
  pool.readings = recorded.readings;
  pool.fleet_error = recorded.error;
  Outcome outcome = Decide(spec_, pool, recorded.at, std::move(state_), history);
  state_ = std::move(outcome.state);
  state_.rollout = {};  // its steps were never taken
  return std::move(outcome.decision);
}

Duration WarmUp(const PoolSpec& spec) {
  const bool learns = std::ranges::any_of(
      spec.policies, [](const PolicyOptions& options) { return PolicyOf(options).history; });
  return learns ? signals::History::kSpan : Duration(std::chrono::hours(1));
}

}  // namespace tidegate::decision
