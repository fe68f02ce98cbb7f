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
  if (placement_.zones.empty()) return;
  std::erase_if(zones_, [&](const auto& entry) { return !Knows(entry.first); });
  zones_.emplace(name, BestZone());
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
  std::vector<std::string> lost;
  for (const ReplicaView& view : Views()) {
    const auto at = zones_.find(view.name);
    if (at != zones_.end() && at->second == zone) lost.push_back(view.name);
  }
  for (const std::string& name : lost) Crash(name);
}

}  // namespace tidegate::sim
