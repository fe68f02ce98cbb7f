#include "tests/testing/rollout_world.h"

#include <algorithm>

namespace tidegate::testing {

using rollout::Step;
using rollout::StepKind;
using signals::Phase;
using signals::ReplicaView;

std::uint64_t Dice::Roll() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

int Dice::Below(int sides) {
  return sides <= 0 ? 0 : static_cast<int>(Roll() % static_cast<std::uint64_t>(sides));
}

void RolloutWorld::SetDelays(Duration start_max, Duration drain_max) {
  start_max_ = start_max;
  drain_max_ = drain_max;
}

Duration RolloutWorld::Upto(Duration most) {
  return Duration(dice_.Below(static_cast<int>(most.count()) + 1));
}

void RolloutWorld::AddReady(Instant now, const std::string& name, const Revision& revision) {
  ReplicaView view{name, revision, Phase::kReady, now, now, now};
  const auto at = std::ranges::lower_bound(views_, name, {}, &ReplicaView::name);
  hidden_.insert(hidden_.begin() + (at - views_.begin()), Hidden{});
  views_.insert(at, std::move(view));
  used_.insert(name);
}

void RolloutWorld::Request(Instant now, const Step& step) {
  if (dice_.Percent(faults_.lost)) return;
  const bool delayed = dice_.Percent(faults_.delayed);
  in_flight_.push_back({delayed ? now + Upto(faults_.delay_max) : now, step});
  if (dice_.Percent(faults_.duplicated)) {
    in_flight_.push_back({now + Upto(faults_.delay_max), step});
  }
}

void RolloutWorld::Enter(std::size_t index, Instant now, Phase phase) {
  ReplicaView& view = views_[index];
  view.phase = phase;
  view.since = now;
  if (phase == Phase::kReady && !view.ready_at) view.ready_at = now;
  events_.push_back({view.name, phase});
}

void RolloutWorld::Take(Instant now, const Step& step) {
  const auto at = std::ranges::lower_bound(views_, step.replica, {}, &ReplicaView::name);
  const auto index = static_cast<std::size_t>(at - views_.begin());
  if (step.kind == StepKind::kStart) {
    // A name is used once, so that a request that comes twice starts one replica.
    if (!used_.insert(step.replica).second) return;
    Hidden hidden{Fate::kServes, now + Upto(start_max_)};
    if (dice_.Percent(faults_.start_fails)) hidden.fate = Fate::kFails;
    if (dice_.Percent(faults_.start_hangs)) hidden.fate = Fate::kHangs;
    hidden_.insert(hidden_.begin() + static_cast<std::ptrdiff_t>(index), hidden);
    views_.insert(at, {step.replica, step.revision, Phase::kStarting, now, now, std::nullopt});
    events_.push_back({step.replica, Phase::kStarting});
    return;
  }
  if (at == views_.end() || at->name != step.replica || at->phase == Phase::kDraining) return;
  hidden_[index].next = at->phase == Phase::kFailed ? now : now + Upto(drain_max_);
  Enter(index, now, Phase::kDraining);
}

// False: the replica is gone.
bool RolloutWorld::Live(std::size_t index, Instant now) {
  Hidden& hidden = hidden_[index];
  switch (views_[index].phase) {
    case Phase::kStarting:
      if (hidden.fate != Fate::kHangs && now >= hidden.next) {
        Enter(index, now, hidden.fate == Fate::kServes ? Phase::kReady : Phase::kFailed);
      }
      return true;
    case Phase::kReady:
      if (dice_.Percent(faults_.ready_fails)) {
        Enter(index, now, Phase::kFailed);
      } else if (dice_.Percent(faults_.ready_blinks)) {
        Enter(index, now, Phase::kStarting);
        hidden = {Fate::kServes, now + Upto(start_max_)};
      }
      return true;
    case Phase::kDraining: return now < hidden.next;
    case Phase::kFailed: return !dice_.Percent(faults_.ready_fails);  // some vanish by themselves
  }
  return true;
}

std::vector<RolloutEvent> RolloutWorld::Advance(Instant now) {
  events_.clear();
  std::vector<InFlight> due;
  for (const InFlight& request : in_flight_) {
    if (request.at <= now) due.push_back(request);
  }
  std::erase_if(in_flight_, [&](const InFlight& request) { return request.at <= now; });
  for (const InFlight& request : due) Take(now, request.step);
  for (std::size_t i = 0; i < views_.size();) {
    if (Live(i, now)) {
      ++i;
      continue;
    }
    events_.push_back({views_[i].name, std::nullopt});
    views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(i));
    hidden_.erase(hidden_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return events_;
}

}  // namespace tidegate::testing
