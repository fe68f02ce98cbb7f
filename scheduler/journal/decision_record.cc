#include "scheduler/journal/decision_record.h"

#include <utility>

#include "scheduler/journal/decision_record.pb.h"
#include "scheduler/journal/record_reader.h"

namespace tidegate::journal {
namespace {

constexpr int kStageCount = static_cast<int>(guards::Stage::kPause) + 1;
constexpr int kStepReasonCount = static_cast<int>(rollout::StepReason::kRepeat) + 1;

void Put(const signals::Reading& from, records::Reading& to) {
  to.set_signal(from.signal);
  to.set_quality(static_cast<int>(from.quality));
  to.set_value(from.value);
  to.set_age_ms(from.age.count());
  to.set_series(from.series);
  to.set_expected(from.expected);
  to.set_detail(from.detail);
  if (from.last) to.set_last(*from.last);
  for (const signals::ReplicaValue& one : from.each) {
    records::ReplicaValue& out = *to.add_each();
    out.set_replica(one.replica);
    out.set_value(one.value);
    out.set_age_ms(one.age.count());
  }
}

void Put(const sizing::Proposal& from, records::Proposal& to) {
  to.set_source(from.source);
  to.set_quality(static_cast<int>(from.quality));
  to.set_value(from.value);
  to.set_target(from.target);
  to.set_age_ms(from.age.count());
  if (from.replicas) to.set_replicas(*from.replicas);
  to.set_note(from.note);
  to.set_floor(from.floor);
}

void Put(const guards::Desired& from, records::Desired& to) {
  to.set_proposed(from.proposed);
  to.set_stabilized(from.stabilized);
  to.set_replicas(from.replicas);
  to.set_reason(static_cast<int>(from.reason));
  for (const guards::Limit& limit : from.limits) {
    records::Limit& out = *to.add_limits();
    out.set_stage(static_cast<int>(limit.stage));
    out.set_reason(static_cast<int>(limit.reason));
    out.set_before(limit.before);
    out.set_after(limit.after);
    out.set_detail(limit.detail);
  }
}

void Put(const rollout::BudgetUse& from, records::BudgetUse& to) {
  to.set_surge(from.surge);
  to.set_surge_limit(from.surge_limit);
  to.set_unavailable(from.unavailable);
  to.set_unavailable_limit(from.unavailable_limit);
  to.set_live_limit(from.live_limit);
  to.set_available_floor(from.available_floor);
}

void Put(const rollout::Plan& from, records::Plan& to) {
  for (const rollout::Step& step : from.steps) {
    records::Step& out = *to.add_steps();
    out.set_kind(static_cast<int>(step.kind));
    out.set_replica(step.replica);
    out.set_revision(step.revision);
    out.set_reason(static_cast<int>(step.reason));
  }
  for (const rollout::Deferred& deferred : from.deferred) {
    records::Deferred& out = *to.add_deferred();
    out.set_kind(static_cast<int>(deferred.kind));
    out.set_count(deferred.count);
    out.set_why(deferred.why);
  }
  Put(from.use, *to.mutable_use());
  to.mutable_foresight()->set_peak_live(from.foresight.peak_live);
  to.mutable_foresight()->set_least_available(from.foresight.least_available);
  to.mutable_foresight()->set_waves(from.foresight.waves);
  to.mutable_foresight()->set_deadlock(from.foresight.deadlock);
  to.set_complete(from.complete);
}

void Get(const records::Reading& from, signals::Reading& to, EnumReader& enums) {
  to.signal = from.signal();
  to.quality = enums.Get<signals::Quality>("quality", from.quality(), signals::kQualityCount);
  to.value = from.value();
  to.age = Duration(from.age_ms());
  to.series = from.series();
  to.expected = from.expected();
  to.detail = from.detail();
  if (from.has_last()) to.last = from.last();
  for (const records::ReplicaValue& one : from.each())
    to.each.push_back({one.replica(), one.value(), Duration(one.age_ms())});
}

void Get(const records::Proposal& from, sizing::Proposal& to, EnumReader& enums) {
  to.source = from.source();
  to.quality = enums.Get<signals::Quality>("quality", from.quality(), signals::kQualityCount);
  to.value = from.value();
  to.target = from.target();
  to.age = Duration(from.age_ms());
  if (from.has_replicas()) to.replicas = from.replicas();
  to.note = from.note();
  to.floor = from.floor();
}

void Get(const records::Desired& from, guards::Desired& to, EnumReader& enums) {
  to.proposed = from.proposed();
  to.stabilized = from.stabilized();
  to.replicas = from.replicas();
  to.reason = enums.Get<guards::Reason>("reason", from.reason(), guards::kReasonCount);
  for (const records::Limit& limit : from.limits()) {
    to.limits.push_back({enums.Get<guards::Stage>("stage", limit.stage(), kStageCount),
                         enums.Get<guards::Reason>("reason", limit.reason(), guards::kReasonCount),
                         limit.before(), limit.after(), limit.detail()});
  }
}

void Get(const records::Plan& from, rollout::Plan& to, EnumReader& enums) {
  for (const records::Step& step : from.steps()) {
    to.steps.push_back(
        {enums.Get<rollout::StepKind>("step", step.kind(), 2), step.replica(), step.revision(),
         enums.Get<rollout::StepReason>("step reason", step.reason(), kStepReasonCount)});
  }
  for (const records::Deferred& deferred : from.deferred()) {
    to.deferred.push_back({enums.Get<rollout::StepKind>("step", deferred.kind(), 2),
                           deferred.count(), deferred.why()});
  }
  const records::BudgetUse& use = from.use();
  to.use = {use.surge(),      use.surge_limit(),    use.unavailable(), use.unavailable_limit(),
            use.live_limit(), use.available_floor()};
  const records::Foresight& ahead = from.foresight();
  to.foresight = {ahead.peak_live(), ahead.least_available(), ahead.waves(), ahead.deadlock()};
  to.complete = from.complete();
}

}  // namespace

std::string EncodeDecision(const decision::Decision& decision) {
  records::DecisionRecord record;
  record.set_schema(kSchemaVersion);
  record.set_at_ms(UnixMillis(decision.at));
  record.mutable_pool()->set_ns(decision.pool.ns);
  record.mutable_pool()->set_name(decision.pool.name);
  record.set_config_version(decision.config_version);
  record.set_revision(decision.revision);
  record.set_current(decision.current);
  record.set_min(decision.min);
  record.set_max(decision.max);
  record.mutable_counts()->set_starting(decision.counts.starting);
  record.mutable_counts()->set_ready(decision.counts.ready);
  record.mutable_counts()->set_draining(decision.counts.draining);
  record.mutable_counts()->set_failed(decision.counts.failed);
  for (const auto& reading : decision.readings) Put(reading, *record.add_readings());
  for (const auto& proposal : decision.proposals) Put(proposal, *record.add_proposals());
  Put(decision.desired, *record.mutable_desired());
  Put(decision.plan, *record.mutable_plan());
  record.set_dry_run(decision.dry_run);
  record.set_error(decision.error);
  return record.SerializeAsString();
}

Expected<decision::Decision> DecodeDecision(std::string_view bytes) {
  records::DecisionRecord record;
  TIDEGATE_TRY_VOID(ParseRecord(bytes, record));
  EnumReader enums;
  decision::Decision decision;
  decision.at = FromUnixMillis(record.at_ms());
  decision.pool = {record.pool().ns(), record.pool().name()};
  decision.config_version = record.config_version();
  decision.revision = record.revision();
  decision.current = record.current();
  decision.min = record.min();
  decision.max = record.max();
  decision.counts = {record.counts().starting(), record.counts().ready(),
                     record.counts().draining(), record.counts().failed()};
  for (const auto& reading : record.readings())
    Get(reading, decision.readings.emplace_back(), enums);
  for (const auto& proposal : record.proposals()) {
    Get(proposal, decision.proposals.emplace_back(), enums);
  }
  Get(record.desired(), decision.desired, enums);
  Get(record.plan(), decision.plan, enums);
  decision.dry_run = record.dry_run();
  decision.error = record.error();
  TIDEGATE_TRY_VOID(enums.Result());
  return decision;
}

}  // namespace tidegate::journal
