#include "policies/sizing/growth.h"

#include <algorithm>
#include <cmath>

// Each wave is one start-up, and the budgets say how many waves there are. With 25 % of surge and
// 10 serving, 40 are 10 -> 13 -> 17 -> 22 -> 28 -> 35 -> 44: six waves. With 100 % it is two.
//
// Scaling policies (behavior.scaleUp) say how soon the size may be what a wave brings. By the HPA's
// default, 4 pods or 100 % in 15 s, all that a surge of 100 % starts may be asked for at once;
// where growth is not rolling, 40 from 5 take 30 s more (5 -> 10 -> 20 -> 40). What was asked for
// before now is not counted.
namespace tidegate::sizing {
namespace {

constexpr std::size_t kNewest = 20;
constexpr double kQuantile = 0.9;

Replicas Step(const Growth& growth, Replicas serving) {
  return std::max<Replicas>(1, ResolveUp(growth.surge, serving));
}

}  // namespace

Replicas WavesTo(const Growth& growth, Replicas replicas) {
  if (replicas <= growth.serving) return 0;
  if (!growth.rolling) return 1;
  if (!growth.surge.percent) {
    const Replicas step = Step(growth, growth.serving);
    return (replicas - growth.serving + step - 1) / step;
  }
  Replicas waves = 0;
  for (Replicas serving = growth.serving; serving < replicas; ++waves) {
    serving = std::min(kMaxReplicas, serving + Step(growth, serving));
  }
  return waves;
}

Duration LeadTo(const Growth& growth, Replicas replicas) {
  if (growth.limits.policies.empty())
    return std::min(kFarthestLead, std::max<Replicas>(1, WavesTo(growth, replicas)) * growth.wave);
  GrowthPath path(growth, replicas);
  while (true) {
    const GrowthPath::Stage stage = path.Next();
    if (stage.serving >= replicas) return stage.lead;
  }
}

GrowthPath::GrowthPath(const Growth& growth, Replicas most)
    : growth_(growth), most_(most), stage_{growth.serving, std::min(kFarthestLead, growth.wave)} {
  for (const ScalingPolicy& policy : growth.limits.policies)
    longest_ = std::max(longest_, policy.period);
}

GrowthPath::Stage GrowthPath::Next() {
  if (!begun_) {
    begun_ = true;
    BeginWave();
    return stage_;
  }
  if (stage_.serving >= most_) return stage_;
  if (stage_.serving >= goal_) {
    now_ += growth_.wave;
    BeginWave();
  }
  if (!Ask() || now_ + growth_.wave >= kFarthestLead) {
    stage_ = {most_, kFarthestLead};
  } else {
    stage_ = {asked_, now_ + growth_.wave};
  }
  return stage_;
}

void GrowthPath::BeginWave() {
  const Replicas serving = stage_.serving;
  goal_ = growth_.rolling ? std::min(kMaxReplicas, serving + Step(growth_, serving))
                          : std::max(most_, serving);
  asked_ = serving;
  std::erase_if(changes_, [&](const Change& change) { return change.at + longest_ <= now_; });
}

// Asks for as much of the wave as may be, as soon as that is more than before. False: never.
bool GrowthPath::Ask() {
  std::int64_t allowed = Allowed();
  while (allowed <= asked_) {
    const auto next = NextChange();
    if (!next || *next >= kFarthestLead) return false;
    now_ = *next;
    allowed = Allowed();
  }
  const auto size = static_cast<Replicas>(std::min<std::int64_t>(allowed, goal_));
  changes_.push_back({now_, size - asked_});
  asked_ = size;
  return true;
}

std::int64_t GrowthPath::Allowed() const {
  const auto& policies = growth_.limits.policies;
  if (policies.empty()) return goal_;
  std::int64_t allowed = AllowedBy(policies.front());
  for (const ScalingPolicy& policy : policies.subspan(1)) {
    const std::int64_t other = AllowedBy(policy);
    allowed = growth_.limits.select == SelectPolicy::kMin ? std::min(allowed, other)
                                                          : std::max(allowed, other);
  }
  return allowed;
}

std::int64_t GrowthPath::AllowedBy(const ScalingPolicy& policy) const {
  std::int64_t start = asked_;
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->at <= now_ - policy.period) break;
    start -= change->replicas;
  }
  return MostAllowed(policy, start);
}

// When the next change leaves the period of some policy.
std::optional<Duration> GrowthPath::NextChange() const {
  std::optional<Duration> next;
  for (const ScalingPolicy& policy : growth_.limits.policies) {
    const auto counted = std::ranges::find_if(
        changes_, [&](const Change& change) { return change.at + policy.period > now_; });
    if (counted == changes_.end()) continue;
    const Duration leaves = counted->at + policy.period;
    if (!next || leaves < *next) next = leaves;
  }
  return next;
}

std::optional<Duration> MeasuredStartup(std::span<const signals::ReplicaView> replicas) {
  struct Startup {
    Instant started{};
    Duration took{0};
  };
  std::vector<Startup> seen;
  for (const signals::ReplicaView& replica : replicas) {
    if (!replica.ready_at || *replica.ready_at <= replica.started) continue;
    seen.push_back({replica.started, *replica.ready_at - replica.started});
  }
  if (seen.empty()) return std::nullopt;
  if (seen.size() > kNewest) {
    std::ranges::nth_element(seen, seen.begin() + kNewest, [](const Startup& a, const Startup& b) {
      return a.started != b.started ? a.started > b.started : a.took > b.took;
    });
    seen.resize(kNewest);
  }
  const auto index =
      static_cast<std::ptrdiff_t>(std::ceil(kQuantile * static_cast<double>(seen.size()))) - 1;
  std::ranges::nth_element(seen, seen.begin() + index, {}, &Startup::took);
  return seen[static_cast<std::size_t>(index)].took;
}

}  // namespace tidegate::sizing
