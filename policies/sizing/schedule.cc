#include "policies/sizing/schedule.h"

#include <algorithm>
#include <cmath>

#include "policies/sizing/target.h"

// Loads that are known beforehand, as floors: they are proposed beside what the readings ask for,
// and the larger one counts.
//
// A load at an instant t that needs n replicas must be answered earlier, by the time that growing
// to n takes (growth.cc). So the floor of an event without a ramp appears at once, one lead before
// it begins, and a ramp's rises as its parts become due: each part by its own lead.
//
// Where it fails: a start-up that is slower than what was measured, quotas, failing starts, and a
// scaleUp that is Disabled; the plan says so then.
namespace tidegate::sizing {
namespace {

// Empty: there is no end, or it is where it begins.
std::optional<Occurrence> From(const ScheduleEntry& entry, const Zone& zone, Instant begin) {
  if (entry.duration) return Occurrence{begin, begin + *entry.duration};
  const auto end = WindowEnd(*entry.start, *entry.end, zone, begin);
  if (!end || *end == begin) return std::nullopt;
  return Occurrence{begin, *end};
}

// The share of the load at `at`: a trapezoid.
double ShareAt(const Occurrence& occurrence, Duration ramp, Instant at) {
  if (at >= occurrence.begin && at < occurrence.end) return 1;
  const Duration away = at < occurrence.begin ? occurrence.begin - at : at - occurrence.end;
  if (away >= ramp) return 0;
  return 1 - static_cast<double>(away.count()) / static_cast<double>(ramp.count());
}

// Before the beginning: each further stage of growth reaches further ahead, and counts if what is
// needed there is more than the stages before it give.
Floor Ahead(const ScheduleEntry& entry, const Occurrence& occurrence, const Growth& growth,
            double per_replica, Instant now) {
  Floor floor;
  const Replicas full = NeedAt(entry, 1, per_replica);
  if (now + LeadTo(growth, full) < occurrence.begin - entry.ramp) return floor;
  Replicas before = 0;
  GrowthPath path(growth, full);
  while (true) {
    const GrowthPath::Stage stage = path.Next();
    const double share =
        ShareAt(occurrence, entry.ramp, std::min(now + stage.lead, occurrence.begin));
    const Replicas need = std::min(NeedAt(entry, share, per_replica), stage.serving);
    if (need > before) floor = {need, share, occurrence, stage.lead};
    if (stage.serving >= full) return floor;
    before = stage.serving;
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
  auto next = NextFire(*entry.start, zone, at, Fold::kFirst);
  if (next) found.next = From(entry, zone, *next);
  if (!next || found.next) return found;
  // That one is skipped as the clock is set forward; the one after it is not.
  next = NextFire(*entry.start, zone, *next, Fold::kFirst);
  if (next) found.next = From(entry, zone, *next);
  return found;
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
