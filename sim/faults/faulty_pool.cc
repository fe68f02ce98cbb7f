#include "sim/faults/faulty_pool.h"

#include <algorithm>
#include <utility>

namespace tidegate::sim {

using signals::Phase;
using signals::ReplicaView;

namespace {

constexpr int kZones = 3;

int ZoneOf(const Chance& chance, std::string_view name) {
  return chance.Below(kZones, "zone of", name);
}

}  // namespace

FaultyPool::FaultyPool(Calendar& calendar, std::unique_ptr<PoolModel> inner, const FaultPlan& plan,
                       Chance chance)
    : PoolLayer(std::move(inner)), calendar_(calendar), plan_(plan), chance_(chance) {}

const ReplicaView* FaultyPool::Held(std::string_view name) const {
  const auto at = std::ranges::lower_bound(held_, name, {}, &ReplicaView::name);
  return at != held_.end() && at->name == name ? &*at : nullptr;
}

void FaultyPool::Hold(ReplicaView view) {
  const auto at = std::ranges::lower_bound(held_, view.name, {}, &ReplicaView::name);
  held_.insert(at, std::move(view));
}

void FaultyPool::Release(std::string_view name) {
  std::erase_if(held_, [&](const ReplicaView& view) { return view.name == name; });
}

void FaultyPool::Start(const std::string& name, const Revision& revision) {
  const Instant now = calendar_.Now();
  if (now >= plan_.until) return inner().Start(name, revision);
  const bool slow = chance_.Hits(plan_.start_slow, "start_slow", name);
  const bool fails = chance_.Hits(plan_.start_fails, "start_fails", name);
  const bool hangs = chance_.Hits(plan_.start_hangs, "start_hangs", name);
  if (!slow && !fails && !hangs) return inner().Start(name, revision);
  Hold({name, revision, Phase::kStarting, now, now, std::nullopt});
  if (hangs) return;
  calendar_.At(now + chance_.Upto(plan_.slow_max, "start takes", name),
               [this, name, revision, fails] {
                 const ReplicaView* held = Held(name);
                 if (held == nullptr || held->phase != Phase::kStarting) return;  // meanwhile
                 if (fails) return Fail(name);
                 Release(name);
                 inner().Start(name, revision);
               });
}

void FaultyPool::Fail(std::string_view name) {
  const auto at = std::ranges::lower_bound(held_, name, {}, &ReplicaView::name);
  at->phase = Phase::kFailed;
  at->since = calendar_.Now();
}

void FaultyPool::Drain(const std::string& name) {
  // What serves nothing has nothing to finish.
  if (Held(name) != nullptr) return Release(name);
  inner().Drain(name);
}

bool FaultyPool::Knows(std::string_view name) const {
  return Held(name) != nullptr || inner().Knows(name);
}

std::optional<double> FaultyPool::Served(std::string_view name) const {
  const ReplicaView* held = Held(name);
  if (held == nullptr) return inner().Served(name);
  if (held->phase == Phase::kStarting) return 0;  // it is there to be scraped
  return std::nullopt;
}

std::span<const ReplicaView> FaultyPool::Views() const {
  const auto own = inner().Views();
  if (held_.empty()) return own;
  views_.clear();
  auto held = held_.begin();
  for (const ReplicaView& view : own) {
    while (held != held_.end() && held->name < view.name) views_.push_back(*held++);
    views_.push_back(view);
  }
  views_.insert(views_.end(), held, held_.end());
  return views_;
}

void FaultyPool::Crash(const std::string& name) {
  const ReplicaView* held = Held(name);
  if (held == nullptr) return inner().Crash(name);
  if (held->phase == Phase::kStarting) Fail(name);
}

void FaultyPool::Crashes() {
  const Instant now = calendar_.Now();
  if (now >= plan_.until) return;
  const std::int64_t second = UnixMillis(now) / 1'000;
  const bool zone_is_lost = chance_.Hits(plan_.zone_loss, "zone_loss", "", second);
  const int lost = chance_.Below(kZones, "zone", "", second);
  std::vector<std::string> crashed;
  for (const ReplicaView& view : inner().Views()) {
    if (view.phase != Phase::kReady) continue;
    if ((zone_is_lost && ZoneOf(chance_, view.name) == lost) ||
        chance_.Hits(plan_.crash, "crash", view.name, second)) {
      crashed.push_back(view.name);
    }
  }
  for (const std::string& name : crashed) Crash(name);
}

}  // namespace tidegate::sim
