#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/cron.h"
#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"
#include "policies/base/zone.h"
#include "policies/signals/snapshot.h"

namespace tidegate::sizing {

// A load that is known beforehand: one entry of a GatewayScaler's `schedule`. Either a dated event
// (`at` and `duration`) or a window that repeats (`start`, and `end` or `duration`).
struct ScheduleEntry {
  std::string name;      // unique in the pool
  std::size_t zone = 0;  // index in Schedule::zones
  std::optional<Instant> at;
  std::optional<Cron> start;
  std::optional<Cron> end;           // the first one after a start ends its window
  std::optional<Duration> duration;  // > 0
  // What is needed: replicas, or as many as this rate takes. Exactly one is set; > 0.
  std::optional<Replicas> replicas;
  std::optional<Rate> requests_per_second;
  // Before the beginning the need rises from 0 in a straight line for so long, and falls likewise
  // after the end; >= 0.
  Duration ramp{0};
  bool operator==(const ScheduleEntry&) const = default;
};

struct Schedule {
  std::vector<Zone> zones;
  std::vector<ScheduleEntry> entries;
  bool operator==(const Schedule&) const = default;
};

// From `begin` on, until just before `end`.
struct Occurrence {
  Instant begin{};
  Instant end{};
  bool operator==(const Occurrence&) const = default;
};
// The last occurrence that has begun by `at`, and the first one after it.
struct Occurrences {
  std::optional<Occurrence> begun;
  std::optional<Occurrence> next;
};
Occurrences OccurrencesAt(const ScheduleEntry& entry, const Schedule& schedule, Instant at);

// How a pool grows: while growth is rolling, waves of max(1, surge of what serves), each of which
// waits for the one before to become ready (DESIGN: budget B3); at once otherwise.
struct Growth {
  Replicas serving = 0;
  IntOrPercent surge{100, true};
  bool rolling = true;
  Duration wave{70'000};  // from the start of a wave until the next one may start
};
// Waves until `replicas` serve; 0 where they do already.
Replicas WavesTo(const Growth& growth, Replicas replicas);
// Before a load that needs `replicas`: waves * wave, at least one wave (so that nothing is taken
// away just before it is needed).
Duration LeadTo(const Growth& growth, Replicas replicas);

// How long replicas of this pool take to become ready: what nine of ten of the newest twenty took
// (their ready_at - started, ceil(0.9 n)-th smallest). Empty: none shows it.
std::optional<Duration> MeasuredStartup(std::span<const signals::ReplicaView> replicas);

// The fewest replicas that one entry asks for now.
struct Floor {
  Replicas replicas = 0;                 // 0: nothing is due
  double share = 0;                      // of the entry's load that is due, 0 .. 1
  std::optional<Occurrence> occurrence;  // that it comes from
  Duration lead{0};                      // before its time, where it has not begun
  bool operator==(const Floor&) const = default;
};
// Replicas for `share` of the entry's load. Precondition: per_replica > 0 where the entry has a
// rate.
Replicas NeedAt(const ScheduleEntry& entry, double share, double per_replica);
// The largest number that some instant t needs and that takes so many waves that they must begin by
// `now`: need(t) <= n, now + LeadTo(n) >= t. Never falls as the entry's load rises.
Floor FloorOf(const ScheduleEntry& entry, const Schedule& schedule, const Growth& growth,
              double per_replica, Instant now);

}  // namespace tidegate::sizing
