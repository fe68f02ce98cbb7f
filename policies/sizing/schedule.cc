#include "policies/sizing/schedule.h"

#include <algorithm>
#include <cmath>

#include "policies/sizing/target.h"

// Loads that are known beforehand, as floors: they are proposed beside what the readings ask for,
// and the larger one counts.
//
// A load at an instant t that needs n replicas must be answered earlier, by the time that growing
// to n takes: one start-up per wave, and the budgets say how many waves there are. With 25 % of
// surge and 10 serving, 40 are 10 -> 13 -> 17 -> 22 -> 28 -> 35 -> 44: six waves. With 100 % it
// is two. So the floor of an event without a ramp appears at once, one lead before it begins, and a
// ramp's rises as its parts become due: each part by its own number of waves.
//
// Where it fails: a start-up that is slower than what was measured, quotas, failing starts, and
// scaling policies (behavior.scaleUp) that are stricter than the waves; the plan says so then.
namespace tidegate::sizing {
namespace {

constexpr std::size_t kNewest = 20;
constexpr double kQuantile = 0.9;

Replicas Step(const Growth& growth, Replicas serving) {
  return std::max<Replicas>(1, ResolveUp(growth.surge, serving));
}

std::optional<Occurrence> From(const ScheduleEntry& entry, const Zone& zone, Instant begin) {
  if (entry.duration) return Occurrence{begin, begin + *entry.duration};
  const auto end = NextFire(*entry.end, zone, begin, Fold::kLast);
  if (!end) return std::nullopt;
  return Occurrence{begin, *end};
}

// The share of the load at `at`: a trapezoid.
double ShareAt(const Occurrence& occurrence, Duration ramp, Instant at) {
  if (at >= occurrence.begin && at < occurrence.end) return 1;
  const Duration away = at < occurrence.begin ? occurrence.begin - at : at - occurrence.end;
  if (away >= ramp) return 0;
  return 1 - static_cast<double>(away.count()) / static_cast<double>(ramp.count());
}

// Before the beginning: each further wave reaches further ahead, and counts if what is needed there
// is more than the waves before it give.
Floor Ahead(const ScheduleEntry& entry, const Occurrence& occurrence, const Growth& growth,
            double per_replica, Instant now) {
  Floor floor;
  const Replicas full = NeedAt(entry, 1, per_replica);
  if (now + LeadTo(growth, full) < occurrence.begin - entry.ramp) return floor;
  Replicas before = 0;
  Replicas reached = growth.serving;
  for (Replicas wave = 0;; ++wave) {
    const Duration lead = std::max<Replicas>(1, wave) * growth.wave;
    const double share = ShareAt(occurrence, entry.ramp, std::min(now + lead, occurrence.begin));
    const Replicas need = std::min(NeedAt(entry, share, per_replica), reached);
    if (need > before) floor = {need, share, occurrence, lead};
    if (reached >= full) return floor;
    before = reached;
    reached = growth.rolling ? std::min(kMaxReplicas, reached + Step(growth, reached)) : full;
  }
}

}  // namespace

Occurrences OccurrencesAt(const ScheduleEntry& entry, const Schedule& schedule, Instant at) {
  Occurrences found;
  if (entry.at) {
    const Occurrence dated{*entry.at, *entry.at + *entry.duration};
    (dated.begin <= at ? found.begun : found.next) = dated;
    return found;
  }
  const Zone& zone = schedule.zones[entry.zone];
  if (const auto last = LastFire(*entry.start, zone, at, Fold::kFirst)) {
    found.begun = From(entry, zone, *last);
  }
  if (const auto next = NextFire(*entry.start, zone, at, Fold::kFirst)) {
    found.next = From(entry, zone, *next);
  }
  return found;
}

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
  return std::max<Replicas>(1, WavesTo(growth, replicas)) * growth.wave;
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

double ScheduledPerReplica(std::span<const SignalTarget> targets, const Capacity& capacity) {
  for (const SignalTarget& target : targets) {
    if (target.measure == signals::Measure::kRequests && target.per_replica) {
      return *target.per_replica;
    }
  }
  return capacity.requests_per_second.value_or(0);
}

Replicas NeedAt(const ScheduleEntry& entry, double share, double per_replica) {
  if (entry.replicas) return ReplicasFor(share * *entry.replicas, 1);
  return ReplicasFor(share * *entry.requests_per_second, per_replica);
}

Floor FloorOf(const ScheduleEntry& entry, const Schedule& schedule, const Growth& growth,
              double per_replica, Instant now) {
  const Occurrences around = OccurrencesAt(entry, schedule, now);
  Floor floor;
  if (around.begun) {
    const double share = ShareAt(*around.begun, entry.ramp, now);
    floor = {NeedAt(entry, share, per_replica), share, around.begun, Duration(0)};
    if (share == 0) floor = {};
  }
  if (around.next && floor.share < 1) {
    const Floor ahead = Ahead(entry, *around.next, growth, per_replica, now);
    if (ahead.replicas > floor.replicas) floor = ahead;
  }
  return floor;
}

}  // namespace tidegate::sizing
