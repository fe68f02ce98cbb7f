#include "sim/checks/budget_check.h"

#include <algorithm>

#include <fmt/format.h>

// The budgets' text, line by line:
//   B1  live (starting + ready, all revisions) <= max(declared, desired) + surge
//   B2  no step takes available replicas below desired - unavailable; those that failed or never
//       became ready go free of charge
//   B3  while growing, starting <= max(1, surge of the serving size), save for replacements;
//       draining because of a shrink <= max(1, unavailable of the current size), where those that
//       drain are part of the current size, or the limit would shrink with every drain
//   B4  all that exist <= quota, when one is started
//   B5  a draining replica never serves again, and is gone by its deadline
// Percentages of surge round up, of unavailable down; if both are 0, unavailable is 1.

namespace tidegate::sim {
namespace {

using signals::Phase;

Replicas Surge(const IntOrPercent& surge, Replicas size) {
  if (!surge.percent) return surge.value;
  const auto hundredths = static_cast<long long>(surge.value) * size;
  return static_cast<Replicas>(hundredths / 100 + (hundredths % 100 > 0 ? 1 : 0));
}

Replicas Percentage(const IntOrPercent& unavailable, Replicas size) {
  if (!unavailable.percent) return unavailable.value;
  return static_cast<Replicas>(static_cast<long long>(unavailable.value) * size / 100);
}

Replicas Unavailable(const BudgetPromise& promise, Replicas size) {
  const Replicas unavailable = Percentage(promise.unavailable, size);
  return unavailable == 0 && Surge(promise.surge, size) == 0 ? 1 : unavailable;
}

bool Live(Phase phase) { return phase == Phase::kStarting || phase == Phase::kReady; }

}  // namespace

Replicas BudgetCheck::live() const {
  return static_cast<Replicas>(std::ranges::count_if(entries_, [](const Entry& entry) {
    return !entry.gone && (!entry.truth || Live(*entry.truth));
  }));
}

Replicas BudgetCheck::available() const {
  return static_cast<Replicas>(std::ranges::count_if(
      entries_, [](const Entry& entry) { return !entry.leaving && entry.seen == Phase::kReady; }));
}

// Live as far as anybody can know, and not asked to leave.
Replicas BudgetCheck::Staying() const {
  return static_cast<Replicas>(std::ranges::count_if(entries_, [](const Entry& entry) {
    return !entry.leaving && (!entry.seen || Live(*entry.seen));
  }));
}

Replicas BudgetCheck::Starting() const {
  return static_cast<Replicas>(std::ranges::count_if(
      entries_, [](const Entry& entry) { return !entry.seen || *entry.seen == Phase::kStarting; }));
}

// One that failed on its way out drains no more.
Replicas BudgetCheck::ShrinkDrains() const {
  return static_cast<Replicas>(std::ranges::count_if(
      entries_, [](const Entry& entry) { return entry.shrink && entry.seen != Phase::kFailed; }));
}

BudgetCheck::Entry* BudgetCheck::Find(std::string_view replica) {
  const auto at = std::ranges::find(entries_, replica, &Entry::name);
  return at == entries_.end() ? nullptr : &*at;
}

void BudgetCheck::Breach(Instant at, const char* rule, std::string what) {
  breaches_.push_back({at, rule, std::move(what)});
}

// Counted from where the tick began, for all its requests together: a replica that goes free of
// charge and the one that is started in its place leave the size as it was, whichever is asked for
// first. Counted one after the other, a drain followed by its replacement would make a shrinking
// pool smaller than the same two the other way round, though any order of a plan's steps must keep
// the budgets and comes to the same pool; a later loss would then pass for growth.
void BudgetCheck::Settle() {
  const Replicas staying = Staying();
  if (declared_before_ > desired_) {
    declared_ = std::max(desired_, std::min(declared_before_, staying));
  } else {
    declared_ = std::max(declared_before_, std::min(desired_, staying));
  }
  ceiling_ = std::max({declared_, desired_, std::min(ceiling_, live())});
}

void BudgetCheck::CheckLive(Instant at) {
  if (!observed_) return;
  const Replicas base = std::max(ceiling_, desired_);
  const Replicas bound = base + Surge(promise_.surge, base);
  if (live() > bound) {
    Breach(at, "B1",
           fmt::format("{} live of at most {} (declared {}, desired {})", live(), bound, ceiling_,
                       desired_));
  }
}

void BudgetCheck::See(Instant at, const signals::ReplicaView& view) {
  Entry* entry = Find(view.name);
  if (entry == nullptr) {
    entries_.push_back({});
    entry = &entries_.back();
    entry->name = view.name;
    entry->truth = view.phase;
  }
  entry->seen = view.phase;
  entry->old_revision = view.revision != revision_;
  entry->was_ready = view.ready_at.has_value();
  entry->starting_since = view.since;
  // A request shows within the progress deadline or never will: it was lost, and the replica
  // serves.
  if (entry->leaving && view.phase == Phase::kReady &&
      at - entry->drain_asked > promise_.progress_deadline) {
    entry->leaving = entry->shrink = false;
  }
}

// A start that has not come to be by its deadline never will; should it, it counts again. One that
// came and went between two observations looks the same to all who observe. It makes up the size
// for one more tick, whose steps speak of it; whether they are taken or not.
void BudgetCheck::GiveUp(Instant at, Entry& entry) {
  const bool unseen = !entry.seen && (!entry.truth || entry.gone);
  if (!unseen || at - entry.starting_since <= promise_.progress_deadline) return;
  if (entry.overdue) {
    entry.gone = true;
    entry.seen = Phase::kFailed;
  }
  entry.overdue = true;
}

void BudgetCheck::Observe(Instant at, const Revision& revision, Replicas desired,
                          std::optional<Replicas> quota,
                          std::span<const signals::ReplicaView> seen) {
  revision_ = revision;
  desired_ = quota ? std::min(desired, *quota) : desired;
  quota_ = quota;
  std::erase_if(entries_, [&](Entry& entry) {
    const bool visible =
        std::ranges::find(seen, entry.name, &signals::ReplicaView::name) != seen.end();
    if (!visible && entry.seen) entry.seen = Phase::kFailed;  // counts for nothing any more
    return !visible && entry.gone && entry.seen.has_value();
  });
  for (const signals::ReplicaView& view : seen) See(at, view);
  for (Entry& entry : entries_) GiveUp(at, entry);
  if (!observed_) {
    declared_ = Staying();
    ceiling_ = std::max(declared_, live());
  }
  observed_ = true;
  declared_before_ = declared_;
  Settle();
  declared_before_ = declared_;
  CheckLive(at);
}

void BudgetCheck::CheckStart(Instant at, const std::string& replica, bool growth) {
  CheckLive(at);
  const auto exist = static_cast<Replicas>(std::ranges::count(entries_, false, &Entry::gone));
  if (quota_ && exist > *quota_) {
    Breach(at, "B4", fmt::format("start of {}: {} exist of at most {}", replica, exist, *quota_));
  }
  const Replicas wave = std::max<Replicas>(1, Surge(promise_.surge, available()));
  if (growth && promise_.rolling_up && Starting() > wave) {
    Breach(at, "B3",
           fmt::format("start of {}: {} starting of at most {} while growing", replica, Starting(),
                       wave));
  }
}

void BudgetCheck::Start(Instant at, const rollout::Step& step) {
  if (const Entry* known = Find(step.replica)) {
    // Asking again for what is on its way is harmless; it must not be used for another one.
    if (known->seen || known->leaving) {
      Breach(at, "name", fmt::format("{} is started a second time", step.replica));
    }
    return;
  }
  const bool growth = declared_ < desired_ && Staying() >= declared_;
  Entry entry;
  entry.name = step.replica;
  entry.old_revision = step.revision != revision_;
  entry.starting_since = at;
  entries_.push_back(entry);
  CheckStart(at, step.replica, growth);
  Settle();
}

// A drain that is asked for again may be the first that is taken.
void BudgetCheck::CheckDrain(Instant at, const Entry& entry) {
  const Replicas floor = desired_ - Unavailable(promise_, desired_);
  const Replicas left = available() - (entry.leaving ? 0 : 1);
  if (entry.seen == Phase::kReady && left < floor) {
    Breach(
        at, "B2",
        fmt::format("drain of {}: {} would be available of at least {}", entry.name, left, floor));
  }
}

void BudgetCheck::Drain(Instant at, const rollout::Step& step) {
  Entry* entry = Find(step.replica);
  if (entry == nullptr) return;
  CheckDrain(at, *entry);
  entry->drain_asked = at;
  if (entry->leaving) return;
  const bool live = !entry->seen || Live(*entry->seen);
  const bool overdue = at - entry->starting_since > promise_.progress_deadline;
  const bool free =
      entry->seen != Phase::kReady && (overdue || (entry->old_revision && !entry->was_ready));
  const Replicas size = Staying() + ShrinkDrains();
  if (live && !free && declared_ > desired_ && Staying() <= declared_) {
    entry->shrink = true;
    const Replicas wave = std::max<Replicas>(1, Percentage(promise_.unavailable, size));
    if (promise_.rolling_down && ShrinkDrains() > wave) {
      Breach(at, "B3",
             fmt::format("drain of {}: {} draining of at most {} for a shrink", entry->name,
                         ShrinkDrains(), wave));
    }
  }
  entry->leaving = true;
  if (!entry->truth) entry->gone = true;           // never came to be, and its starter gave up
  if (!entry->seen) entry->seen = Phase::kFailed;  // came and went unseen
  Settle();
}

void BudgetCheck::Request(Instant at, const rollout::Step& step) {
  if (step.kind == rollout::StepKind::kStart) {
    Start(at, step);
  } else {
    Drain(at, step);
  }
}

void BudgetCheck::Entered(Instant at, std::string_view replica, Phase phase) {
  Entry* entry = Find(replica);
  if (entry == nullptr) {
    entries_.push_back({});
    entry = &entries_.back();
    entry->name = replica;
    entry->starting_since = at;
  }
  if (entry->truth == Phase::kDraining && Live(phase)) {
    Breach(at, "B5", fmt::format("{} serves again after draining", replica));
  }
  if (phase == Phase::kDraining) entry->draining_since = at;
  entry->gone = false;
  entry->truth = phase;
  ceiling_ = std::max({declared_, desired_, std::min(ceiling_, live())});
  CheckLive(at);
}

void BudgetCheck::Gone(Instant at, std::string_view replica) {
  At(at);
  Entry* entry = Find(replica);
  if (entry == nullptr) return;
  entry->truth = Phase::kFailed;
  entry->gone = true;
  ceiling_ = std::max({declared_, desired_, std::min(ceiling_, live())});
}

void BudgetCheck::At(Instant at) {
  if (!promise_.drain_deadline) return;
  for (Entry& entry : entries_) {
    if (entry.gone || entry.truth != Phase::kDraining) continue;
    if (at - entry.draining_since <= *promise_.drain_deadline) continue;
    Breach(at, "B5", fmt::format("{} drains past its deadline", entry.name));
    entry.draining_since = at;  // said once a deadline
  }
}

}  // namespace tidegate::sim
