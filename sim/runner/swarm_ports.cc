#include "sim/runner/swarm_ports.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/journal/decision_record.h"

namespace tidegate::sim {

using rollout::Step;
using rollout::StepKind;

SwarmSource::SwarmSource(FaultyPool& pool, Scraper& scraper, const FaultPlan& plan, Chance chance,
                         Estimate estimate)
    : pool_(pool),
      scraper_(scraper),
      plan_(plan),
      chance_(chance),
      estimate_(std::move(estimate)),
      answers_(plan, chance) {}

// What is shown may be old, and never older than what was shown before.
void SwarmSource::LookAtFleet(Instant now) {
  const auto views = pool_.Views();
  looks_.push_back({now, {views.begin(), views.end()}});
  while (looks_.size() > static_cast<std::size_t>(plan_.view_lag) + 1) looks_.pop_front();
  while (looks_.front().at < now - plan_.view_age_max) looks_.pop_front();
  std::size_t lag = 0;
  if (now < plan_.until) {
    lag = static_cast<std::size_t>(
        chance_.Below(plan_.view_lag + 1, "view_lag", "", UnixMillis(now)));
  }
  newer_ = std::min({newer_ + 1, lag, looks_.size() - 1});
  seen_ = looks_[looks_.size() - 1 - newer_].views;
}

Expected<signals::Snapshot> SwarmSource::Observe(Instant now,
                                                 std::span<const decision::PoolSpec> pools) {
  TIDEGATE_CHECK(pools.size() == 1, "a swarm's life has one pool");
  const bool faulty = now < plan_.until;
  const std::int64_t at = UnixMillis(now);
  if (faulty && chance_.Hits(plan_.observe_fails, "observe_fails", "", at)) {
    return Fail(ErrorCode::kUnavailable, "nothing answers");
  }
  const decision::PoolSpec& spec = pools[0];
  signals::PoolSnapshot pool{spec.id, spec.declared, {}, {}, ""};
  if (faulty && chance_.Hits(plan_.fleet_fails, "fleet_fails", "", at)) {
    pool.fleet_error = "the fleet does not answer";
  } else {
    LookAtFleet(now);
    pool.replicas = seen_;
  }
  const auto series = answers_.Answer(now, scraper_.Query(now));
  signals::Reading reading = estimate_(now, series, pool.replicas);
  reading.signal = spec.targets.at(0).signal;
  pool.readings.push_back(std::move(reading));
  return signals::Snapshot{now, {std::move(pool)}};
}

Expected<void> SwarmActuator::Request(Instant now, const PoolId& /*pool*/, const Step& step) {
  ++made_;
  // What a dying daemon wrote down counts as requested: the next one will repeat it.
  const bool told = left_.has_value();
  if (told && recorded_ && told_) told_(step);
  if (left_ && *left_ == 0) return {};  // nobody is there any more to ask
  if (left_) --*left_;
  const bool faulty = now < plan_.until;
  if (faulty && chance_.Hits(plan_.refused, "refused", step.replica, made_)) {
    return Fail(ErrorCode::kUnavailable, "the fleet refuses");
  }
  if (!told && told_) told_(step);
  if (faulty && chance_.Hits(plan_.lost, "lost", step.replica, made_)) return {};
  const Duration delay = chance_.Upto(plan_.delay_max, "delay", step.replica, made_);
  const bool delayed = faulty && chance_.Hits(plan_.delayed, "delayed", step.replica, made_);
  TakeAt(delayed ? now + delay : now, step);
  if (faulty && chance_.Hits(plan_.duplicated, "duplicated", step.replica, made_)) {
    TakeAt(now + delay, step);
  }
  return {};
}

void SwarmActuator::TakeAt(Instant at, const Step& step) {
  calendar_.At(at, [this, step] { Take(step); });
}

void SwarmActuator::Take(const Step& step) {
  if (step.kind == StepKind::kDrain) return pool_.Drain(step.replica);
  if (pool_.Knows(step.replica) || !used_.insert(step.replica).second) return;
  pool_.Start(step.replica, step.revision);
  scraper_.Discover(calendar_.Now(), step.replica);
}

Expected<void> SwarmJournal::Append(Instant now, std::span<const ports::JournalEntry> entries) {
  if (left_ && *left_ == 0) return {};
  if (left_) --*left_;
  for (const ports::JournalEntry& entry : entries) {
    if (entry.decision != nullptr && told_) told_(*entry.decision);
  }
  if (now < plan_.until && chance_.Hits(plan_.journal_fails, "journal", "", UnixMillis(now))) {
    return Fail(ErrorCode::kUnavailable, "the disk is full");
  }
  for (const ports::JournalEntry& entry : entries) {
    if (entry.state != nullptr) states_[*entry.pool] = journal::EncodeState(*entry.state);
  }
  return {};
}

Expected<decision::DecisionState> SwarmJournal::Restore() const {
  decision::DecisionState restored;
  for (const auto& [pool, bytes] : states_) {
    std::vector<std::string> forgotten;
    TIDEGATE_TRY(decision::PoolState state, journal::DecodeState(bytes, &forgotten));
    if (!forgotten.empty()) return Fail(ErrorCode::kInvalid, forgotten.front());
    restored.pools.emplace(pool, std::move(state));
  }
  return restored;
}

Expected<void> SwarmFence::Check() const {
  if (mine_ == ownership_.generation) return {};
  return Fail(ErrorCode::kConflict, "another daemon has taken the pool since");
}

Expected<void> SwarmFence::Request(Instant now, const PoolId& pool, const Step& step) {
  if (StandsStill()) {
    actuator_.Wrote(step);
    kept_.push_back({pool, step});
    return {};
  }
  if (left_) --*left_;
  if (auto held = Check(); !held) {
    ++refused_;
    if (!broken_) return held;
  }
  return actuator_.Request(now, pool, step);
}

Expected<void> SwarmFence::Append(Instant now, std::span<const ports::JournalEntry> entries) {
  // By the time that one that stands still goes on, the journal is another's.
  if (StandsStill() && !kept_.empty()) return Fail(ErrorCode::kConflict, "too late");
  TIDEGATE_TRY_VOID(Check());
  return journal_.Append(now, entries);
}

void SwarmFence::WakeUp(Instant now) {
  left_.reset();
  for (const Kept& kept : std::exchange(kept_, {})) {
    [[maybe_unused]] const auto taken = Request(now, kept.pool, kept.step);
  }
}

}  // namespace tidegate::sim
