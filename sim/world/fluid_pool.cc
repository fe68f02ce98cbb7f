#include "sim/world/fluid_pool.h"

#include <algorithm>

#include "policies/base/check.h"

namespace tidegate::sim {

using signals::Phase;
using signals::ReplicaView;

FluidPool::FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start,
                     const ServiceModel& model, std::uint64_t seed)
    : calendar_(calendar),
      trace_(trace),
      start_(start),
      model_(model),
      seed_(seed),
      advanced_(calendar.Now()) {}

Rate FluidPool::arrival_rate(Instant at) const { return traces::RateAt(trace_, at - start_); }

void FluidPool::Start(const std::string& name, const Revision& revision) {
  const Instant now = calendar_.Now();
  AdvanceTo(now);
  TIDEGATE_CHECK(!Knows(name), "a replica's name is used once");
  roster_.Insert({name, revision, Phase::kStarting, now, now, std::nullopt}, {});
  calendar_.At(now + StartupOf(model_, seed_, starts_++), [this, name] { Ready(name); });
}

void FluidPool::Adopt(const std::string& name, const Revision& revision) {
  const Instant now = calendar_.Now();
  AdvanceTo(now);
  TIDEGATE_CHECK(!Knows(name), "a replica's name is used once");
  MakeReady(roster_.Insert({name, revision, Phase::kStarting, now, now, std::nullopt}, {}));
}

void FluidPool::Ready(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (i && roster_.view(*i).phase == Phase::kStarting) MakeReady(*i);
}

void FluidPool::MakeReady(std::size_t i) {
  roster_.account(i).since = share_;
  ++ready_;
  roster_.SetPhase(i, Phase::kReady, calendar_.Now());
}

void FluidPool::StopServing(std::size_t i) {
  if (roster_.view(i).phase != Phase::kReady) return;
  roster_.account(i).before = share_ - roster_.account(i).since;
  --ready_;
}

void FluidPool::Drain(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kDraining) return;
  if (roster_.view(*i).phase == Phase::kFailed) return roster_.Erase(*i);
  StopServing(*i);
  roster_.SetPhase(*i, Phase::kDraining, calendar_.Now());
  calendar_.At(calendar_.Now() + model_.drain, [this, name] { Remove(name); });
}

void FluidPool::Crash(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kFailed) return;
  const bool leaves = roster_.view(*i).phase == Phase::kDraining;
  const double waiting = roster_.view(*i).phase == Phase::kReady ? backlog_ / ready_ : 0;
  backlog_ -= waiting;
  total_.lost += waiting;
  total_.cut += waiting;
  StopServing(*i);
  if (leaves) return roster_.Erase(*i);
  roster_.SetPhase(*i, Phase::kFailed, calendar_.Now());
}

void FluidPool::Remove(const std::string& name) {
  AdvanceTo(calendar_.Now());
  if (const auto i = roster_.Find(name)) roster_.Erase(*i);
}

void FluidPool::AdvanceTo(Instant at) {
  while (advanced_ < at) {
    // Up to the next bin's edge, where the rate changes.
    const auto bin = (advanced_ - start_) / trace_.bin;
    const Instant edge = advanced_ < start_ ? start_ : start_ + trace_.bin * (bin + 1);
    const Instant next = std::min(at, edge);
    FlowFor(Seconds(next - advanced_), arrival_rate(advanced_));
    advanced_ = next;
  }
}

void FluidPool::FlowFor(double seconds, Rate rate) {
  const double capacity = ready_ * model_.capacity();
  const double arrived = rate * seconds;
  const double served = std::min(backlog_ + arrived, capacity * seconds);
  backlog_ += arrived - served;
  // With nobody serving, clients give up once they have waited for as long as they are patient.
  const double bearable =
      capacity > 0 ? capacity * model_.patience_seconds : rate * model_.patience_seconds;
  const double lost = std::max(0.0, backlog_ - bearable);
  backlog_ -= lost;
  total_.arrived += arrived;
  total_.served += served;
  total_.lost += lost;
  total_.gave_up += lost;
  if (ready_ > 0) share_ += served / ready_;
}

std::optional<double> FluidPool::Served(std::string_view name) const {
  const auto i = roster_.Find(name);
  if (!i || roster_.view(*i).phase == Phase::kFailed) return std::nullopt;
  const Account& account = roster_.account(*i);
  return roster_.view(*i).phase == Phase::kReady ? share_ - account.since : account.before;
}

}  // namespace tidegate::sim
