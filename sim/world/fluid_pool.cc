#include "sim/world/fluid_pool.h"

#include <algorithm>

#include "policies/base/check.h"

namespace tidegate::sim {

using signals::Phase;
using signals::ReplicaView;

FluidPool::FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start,
                     ServiceModel model)
    : calendar_(calendar), trace_(trace), start_(start), model_(model), advanced_(calendar.Now()) {}

Rate FluidPool::arrival_rate(Instant at) const { return traces::RateAt(trace_, at - start_); }

std::size_t FluidPool::Find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(views_, name, {}, &ReplicaView::name);
  return static_cast<std::size_t>(at - views_.begin());
}

bool FluidPool::Knows(std::string_view name) const {
  const std::size_t i = Find(name);
  return i < views_.size() && views_[i].name == name;
}

void FluidPool::Start(const std::string& name, const Revision& revision) {
  const Instant now = calendar_.Now();
  AdvanceTo(now);
  TIDEGATE_CHECK(!Knows(name), "a replica's name is used once");
  const auto i = static_cast<std::ptrdiff_t>(Find(name));
  views_.insert(views_.begin() + i, {name, revision, Phase::kStarting, now, now, std::nullopt});
  accounts_.insert(accounts_.begin() + i, Account{});
  calendar_.At(now + model_.startup, [this, name] { Ready(name); });
}

void FluidPool::Ready(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const std::size_t i = Find(name);
  if (!Knows(name) || views_[i].phase != Phase::kStarting) return;
  views_[i].phase = Phase::kReady;
  views_[i].since = calendar_.Now();
  views_[i].ready_at = calendar_.Now();
  accounts_[i].since = share_;
  ++ready_;
}

void FluidPool::Drain(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const std::size_t i = Find(name);
  if (!Knows(name) || views_[i].phase == Phase::kDraining) return;
  if (views_[i].phase == Phase::kReady) {
    accounts_[i].before = share_ - accounts_[i].since;
    --ready_;
  }
  views_[i].phase = Phase::kDraining;
  views_[i].since = calendar_.Now();
  calendar_.At(calendar_.Now() + model_.drain, [this, name] { Remove(name); });
}

void FluidPool::Remove(const std::string& name) {
  AdvanceTo(calendar_.Now());
  const auto i = static_cast<std::ptrdiff_t>(Find(name));
  views_.erase(views_.begin() + i);
  accounts_.erase(accounts_.begin() + i);
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
  if (ready_ > 0) share_ += served / ready_;
}

std::optional<double> FluidPool::Served(std::string_view name) const {
  const std::size_t i = Find(name);
  if (i == views_.size() || views_[i].name != name) return std::nullopt;
  return views_[i].phase == Phase::kReady ? share_ - accounts_[i].since : accounts_[i].before;
}

}  // namespace tidegate::sim
