#include <fmt/format.h>

#include "scheduler/journal/decision_record.h"
#include "scheduler/journal/decision_record.pb.h"
#include "scheduler/journal/policy_json.h"
#include "scheduler/journal/record_reader.h"

namespace tidegate::journal {
namespace {

void Put(const guards::Memory& from, records::GuardMemory& to) {
  if (from.desired) to.set_desired(*from.desired);
  for (const guards::Recommendation& recommendation : from.recommendations) {
    records::Recommendation& out = *to.add_recommendations();
    out.set_at_ms(UnixMillis(recommendation.at));
    out.set_replicas(recommendation.replicas);
  }
  for (const guards::ScaleEvent& event : from.events) {
    records::ScaleEvent& out = *to.add_events();
    out.set_at_ms(UnixMillis(event.at));
    out.set_change(event.change);
  }
  if (from.bad_since) to.set_bad_since_ms(UnixMillis(*from.bad_since));
}

void Put(const rollout::State& from, records::RolloutState& to) {
  to.set_size(from.size);
  to.set_next_ordinal(from.next_ordinal);
  for (const rollout::Pending& pending : from.pending) {
    records::Pending& out = *to.add_pending();
    out.set_kind(static_cast<int>(pending.kind));
    out.set_replica(pending.replica);
    out.set_revision(pending.revision);
    out.set_at_ms(UnixMillis(pending.at));
  }
  for (const std::string& replica : from.counted_failures) to.add_counted_failures(replica);
  to.set_failing(from.failing);
  to.set_failed_starts(from.failed_starts);
  to.set_retry_at_ms(UnixMillis(from.retry_at));
}

void Get(const records::GuardMemory& from, guards::Memory& to) {
  if (from.has_desired()) to.desired = from.desired();
  for (const records::Recommendation& recommendation : from.recommendations()) {
    to.recommendations.push_back(
        {FromUnixMillis(recommendation.at_ms()), recommendation.replicas()});
  }
  for (const records::ScaleEvent& event : from.events()) {
    to.events.push_back({FromUnixMillis(event.at_ms()), event.change()});
  }
  if (from.has_bad_since_ms()) to.bad_since = FromUnixMillis(from.bad_since_ms());
}

void Get(const records::RolloutState& from, rollout::State& to, EnumReader& enums) {
  to.size = from.size();
  to.next_ordinal = from.next_ordinal();
  for (const records::Pending& pending : from.pending()) {
    to.pending.push_back({enums.Get<rollout::StepKind>("step", pending.kind(), 2),
                          pending.replica(), pending.revision(), FromUnixMillis(pending.at_ms())});
  }
  to.counted_failures.assign(from.counted_failures().begin(), from.counted_failures().end());
  to.failing = from.failing();
  to.failed_starts = from.failed_starts();
  to.retry_at = FromUnixMillis(from.retry_at_ms());
}

void Put(const std::vector<PolicyMemory>& from, records::StateRecord& to) {
  for (const PolicyMemory& policy : from) {
    std::string fields = PolicyMemoryText(policy);
    if (fields.empty()) continue;
    records::PolicyMemory& out = *to.add_policies();
    out.set_policy(std::string(OwnerOf(policy).name));
    out.set_fields(std::move(fields));
  }
}

void Get(const records::StateRecord& from, std::vector<PolicyMemory>& to,
         std::vector<std::string>* forgotten) {
  for (const records::PolicyMemory& policy : from.policies()) {
    auto memory = ParsePolicyMemory(policy.policy(), policy.fields());
    if (memory) {
      to.push_back(*std::move(memory));
    } else if (forgotten != nullptr) {
      forgotten->push_back(fmt::format("what the policy {} remembers is forgotten: {}",
                                       policy.policy(), memory.error().message));
    }
  }
}

bool InRange(Replicas replicas) { return replicas >= 0 && replicas <= kMaxReplicas; }

// The planner and the guards rely on these, so a record that breaks them must not reach them.
bool Plausible(const decision::PoolState& state) {
  if (!InRange(state.guards.desired.value_or(0)) || !InRange(state.rollout.size)) return false;
  return state.rollout.next_ordinal >= 1 && state.rollout.failed_starts >= 0;
}

}  // namespace

std::string EncodeState(const decision::PoolState& state) {
  records::StateRecord record;
  record.set_schema(kSchemaVersion);
  Put(state.guards, *record.mutable_guards());
  Put(state.policies, record);
  Put(state.rollout, *record.mutable_rollout());
  return record.SerializeAsString();
}

Expected<decision::PoolState> DecodeState(std::string_view bytes,
                                          std::vector<std::string>* forgotten) {
  records::StateRecord record;
  TIDEGATE_TRY_VOID(ParseRecord(bytes, record));
  EnumReader enums;
  decision::PoolState state;
  Get(record.guards(), state.guards);
  Get(record.rollout(), state.rollout, enums);
  TIDEGATE_TRY_VOID(enums.Result());
  Get(record, state.policies, forgotten);
  if (!Plausible(state)) {
    return Fail(ErrorCode::kInvalid, "damaged record: a size or count is out of range");
  }
  return state;
}

}  // namespace tidegate::journal
