#include "tests/testing/fake_ports.h"

namespace tidegate::testing {
namespace {

void Log(CallLog* log, std::string call) {
  if (log != nullptr) log->push_back(std::move(call));
}

}  // namespace

Expected<signals::Snapshot> ReplayingSource::Observe(
    Instant /*now*/, std::span<const decision::PoolSpec> /*pools*/) {
  Log(log_, "observe");
  if (left_.empty()) return Fail(ErrorCode::kUnavailable, "no more snapshots");
  signals::Snapshot next = std::move(left_.front());
  left_.pop_front();
  return next;
}

Expected<void> RecordingActuator::Request(Instant /*now*/, const PoolId& /*pool*/,
                                          const rollout::Step& step) {
  Log(log_, std::string(rollout::Name(step.kind)) + " " + step.replica);
  steps_.push_back(step);
  if (refuse && refuse(step)) return Fail(ErrorCode::kUnavailable, "refused");
  return {};
}

Expected<void> RecordingJournal::Append(Instant now, std::span<const ports::JournalEntry> entries) {
  Log(log_, "journal " + std::to_string(entries.size()));
  if (fails) return Fail(ErrorCode::kTooLarge, "the disk is full");
  Tick tick;
  tick.at = now;
  for (const ports::JournalEntry& entry : entries) {
    if (entry.decision != nullptr) tick.decisions.push_back(*entry.decision);
    if (entry.state != nullptr) tick.states.emplace_back(*entry.pool, *entry.state);
  }
  ticks_.push_back(std::move(tick));
  return {};
}

}  // namespace tidegate::testing
