#include "sim/world/fluid_pool.h"

#include <algorithm>

#include "policies/base/check.h"

namespace tidegate::sim {

using signals::Phase;

FluidPool::FluidPool(Calendar& calendar, const traces::Trace& trace, Instant start,
                     ServiceModel model)
    : calendar_(calendar), trace_(trace), start_(start), model_(model), advanced_(calendar.Now()) {}

Rate FluidPool::arrival_rate(Instant at) const { return traces::RateAt(trace_, at - start_); }

void FluidPool::Start(const std::string& name, const Revision& revision) {
  Advance();
  const Instant now = calendar_.Now();
  const auto [entry, fresh] = replicas_.try_emplace(name);
  TIDEGATE_CHECK(fresh, "a replica's name is used once");
  entry->second.view = {name, revision, Phase::kStarting, now, now, std::nullopt};
  calendar_.At(now + model_.startup, [this, name] {
    Advance();
    const auto replica = replicas_.find(name);
    if (replica == replicas_.end() || replica->second.view.phase != Phase::kStarting) return;
    replica->second.view.phase = Phase::kReady;
    replica->second.view.since = calendar_.Now();
    replica->second.view.ready_at = calendar_.Now();
  });
}

void FluidPool::Drain(const std::string& name) {
  Advance();
  const auto replica = replicas_.find(name);
  if (replica == replicas_.end() || replica->second.view.phase == Phase::kDraining) return;
  replica->second.view.phase = Phase::kDraining;
  replica->second.view.since = calendar_.Now();
  calendar_.At(calendar_.Now() + model_.drain, [this, name] {
    Advance();
    replicas_.erase(name);
  });
}

void FluidPool::Advance() {
  const Instant now = calendar_.Now();
  while (advanced_ < now) {
    // Up to the next bin's edge, where the rate changes.
    const auto bin = (advanced_ - start_) / trace_.bin;
    const Instant edge = advanced_ < start_ ? start_ : start_ + trace_.bin * (bin + 1);
    const Instant next = std::min(now, edge);
    FlowFor(Seconds(next - advanced_), arrival_rate(advanced_));
    advanced_ = next;
  }
}

void FluidPool::FlowFor(double seconds, Rate rate) {
  const auto ready = std::ranges::count_if(
      replicas_, [](const auto& entry) { return entry.second.view.phase == Phase::kReady; });
  const double capacity = static_cast<double>(ready) * model_.capacity();
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
  if (ready == 0) return;
  for (auto& [name, replica] : replicas_) {
    if (replica.view.phase == Phase::kReady) replica.served += served / static_cast<double>(ready);
  }
}

std::vector<signals::ReplicaView> FluidPool::Views() const {
  std::vector<signals::ReplicaView> views;
  views.reserve(replicas_.size());
  for (const auto& [name, replica] : replicas_) views.push_back(replica.view);
  return views;
}

double FluidPool::Served(const std::string& name) const {
  const auto replica = replicas_.find(name);
  return replica == replicas_.end() ? 0 : replica->second.served;
}

}  // namespace tidegate::sim
