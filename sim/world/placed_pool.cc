#include "sim/world/placed_pool.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"

namespace tidegate::sim {

using signals::Phase;
using signals::ReplicaView;

PlacedPool::PlacedPool(Calendar& calendar, std::unique_ptr<PoolModel> inner, Placement placement)
    : PoolLayer(std::move(inner)),
      calendar_(calendar),
      placement_(std::move(placement)),
      down_(placement_.zones.size(), 0) {
  for (const ZoneLoss& loss : placement_.losses) {
    const auto at = std::ranges::find(placement_.zones, loss.zone);
    TIDEGATE_CHECK(at != placement_.zones.end(), "a zone that is lost is one of the zones");
    const auto zone = static_cast<std::size_t>(at - placement_.zones.begin());
    calendar_.At(calendar_.Now() + loss.at, [this, zone] { Lose(zone); });
    calendar_.At(calendar_.Now() + loss.at + loss.lasts, [this, zone] { --down_[zone]; });
  }
}

Expected<void> PlacedPool::HasRoom() const {
  if (placement_.quota) {
    const auto exist = static_cast<Replicas>(Views().size());
    if (exist >= *placement_.quota) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("{} replicas exist of at most {}", exist, *placement_.quota));
    }
  }
  if (!down_.empty() && std::ranges::count(down_, 0) == 0) {
    return Fail(ErrorCode::kUnavailable, "no zone is up");
  }
  return {};
}

std::string PlacedPool::ZoneOf(std::string_view name) const {
  const auto at = zones_.find(name);
  return at == zones_.end() ? "" : placement_.zones[at->second];
}

bool PlacedPool::IsCutOff(std::string_view name) const {
  const auto at = zones_.find(name);
  return at != zones_.end() && down_[at->second] > 0;
}

std::size_t PlacedPool::BestZone() const {
  std::vector<Replicas> counts(placement_.zones.size(), 0);
  for (const ReplicaView& view : Views()) {
    const auto at = zones_.find(view.name);
    if (at != zones_.end() && view.phase != Phase::kFailed) ++counts[at->second];
  }
  std::size_t best = counts.size();
  for (std::size_t zone = 0; zone < counts.size(); ++zone) {
    if (down_[zone] > 0) continue;
    if (best == counts.size() || counts[zone] < counts[best]) best = zone;
  }
  return best;
}

void PlacedPool::Place(const std::string& name) {
  TIDEGATE_CHECK(HasRoom(), "a replica starts where there is room");
  Tidy();
  if (!placement_.zones.empty()) zones_.emplace(name, BestZone());
}

void PlacedPool::Start(const std::string& name, const Revision& revision) {
  Place(name);
  inner().Start(name, revision);
}

void PlacedPool::Adopt(const std::string& name, const Revision& revision) {
  Place(name);
  inner().Adopt(name, revision);
}

void PlacedPool::Lose(std::size_t zone) {
  ++down_[zone];
  std::vector<ReplicaView> lost;
  for (const ReplicaView& view : Views()) {
    const auto at = zones_.find(view.name);
    const bool live = view.phase == Phase::kStarting || view.phase == Phase::kReady;
    if (at != zones_.end() && at->second == zone && live) lost.push_back(view);
  }
  for (ReplicaView& view : lost) {
    inner().Drain(view.name);  // no request goes there from now on
    view.phase = Phase::kFailed;
    view.since = calendar_.Now();
    const std::string name = view.name;
    failures_.emplace(name, Failure{std::move(view)});
  }
}

void PlacedPool::Drain(const std::string& name) {
  const auto failed = failures_.find(name);
  if (failed == failures_.end()) return inner().Drain(name);
  failed->second.removed = true;  // nobody is left to finish anything
  Tidy();
}

void PlacedPool::Tidy() {
  std::erase_if(failures_, [&](const auto& entry) {
    return entry.second.removed && !inner().Knows(entry.first);
  });
  std::erase_if(zones_, [&](const auto& entry) {
    return failures_.find(entry.first) == failures_.end() && !inner().Knows(entry.first);
  });
}

const PlacedPool::Failure* PlacedPool::FailureOf(std::string_view name) const {
  const auto at = failures_.find(name);
  return at == failures_.end() ? nullptr : &at->second;
}

bool PlacedPool::Knows(std::string_view name) const {
  const Failure* failure = FailureOf(name);
  return failure != nullptr ? !failure->removed : inner().Knows(name);
}

std::optional<double> PlacedPool::Served(std::string_view name) const {
  return FailureOf(name) != nullptr ? std::nullopt : inner().Served(name);
}

std::span<const ReplicaView> PlacedPool::Views() const {
  const auto own = inner().Views();
  if (failures_.empty()) return own;
  views_.clear();
  for (const ReplicaView& view : own) {
    if (FailureOf(view.name) == nullptr) views_.push_back(view);
  }
  for (const auto& [name, failure] : failures_) {
    if (!failure.removed) views_.push_back(failure.view);
  }
  std::ranges::sort(views_, {}, &ReplicaView::name);
  return views_;
}

}  // namespace tidegate::sim
