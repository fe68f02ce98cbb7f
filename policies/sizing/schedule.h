#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/cron.h"
#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/base/zone.h"
#include "policies/sizing/growth.h"
#include "policies/sizing/policy.h"

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

// What one replica takes of an entry's rate: the target of the first signal that counts requests,
// else the capacity; 0 where neither is known.
double ScheduledPerReplica(std::span<const SignalTarget> targets, const Capacity& capacity);

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
// The largest number that some instant t needs and that takes so long that growth must begin by
// `now`: need(t) <= n, now + LeadTo(n) >= t. Never falls as the entry's load rises.
Floor FloorOf(const ScheduleEntry& entry, const Schedule& schedule, const Growth& growth,
              double per_replica, Instant now);

// An entry as people write it. scheduler/config/schedule.h turns it into a ScheduleEntry.
struct ScheduledLoad {
  std::string name;
  std::string time_zone = "UTC";
  std::string at;     // local time, or RFC 3339
  std::string start;  // cron
  std::string end;    // cron
  std::optional<Duration> duration;
  std::optional<Replicas> replicas;
  std::optional<double> requests_per_second;
  Duration ramp{0};

  static constexpr double kYear = 366.0 * 24 * 3600;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"name", "unique in the pool; \"schedule[0]\" for the first by default"}, self.name);
    visit(Field{"timeZone", "IANA name; UTC by default"}, self.time_zone);
    visit(Field{"at", "a dated event: local time like 2026-11-27 00:00"}, self.at);
    visit(Field{"start", "a repeating window: cron of five fields"}, self.start);
    visit(Field{"end", "cron: the first time after a start ends it"}, self.end);
    visit(Field{"duration", "instead of end, and of every event", 1, kYear}, self.duration);
    visit(Field{"replicas", "how many are needed", 1, kMaxReplicas}, self.replicas);
    visit(Field{"requestsPerSecond", "or the rate that they are to serve", 1e-9, 1e15},
          self.requests_per_second);
    visit(Field{"ramp", "rise before the beginning and fall after the end", 0, 86'400}, self.ramp);
  }
  bool operator==(const ScheduledLoad&) const = default;
};

struct ScheduleOptions {
  Duration startup{60'000};  // of a replica, until one has shown its own
  Duration margin{10'000};   // more per wave: until its end is seen and the next one begins
  std::vector<ScheduledLoad> entries;
  Schedule resolved;  // of the entries; empty until a host has done so

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"startup", "of a replica, where none has shown its own", 0, 3'600}, self.startup);
    visit(Field{"margin", "added to each wave's start-up", 0, 3'600}, self.margin);
    visit(Field{.name = "entries", .help = "the loads", .most_items = 64}, self.entries);
  }
  bool operator==(const ScheduleOptions&) const = default;
};

// A floor that was raised before its occurrence began: it does not fall any more until then, though
// waves turn out faster than they were taken to be.
struct RaisedFloor {
  std::string entry;
  Instant begin{};
  Replicas replicas = 0;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"entry", "its name"}, self.entry);
    visit(Field{"begin", "of the occurrence"}, self.begin);
    visit(Field{"replicas", "the largest so far", 0, kMaxReplicas}, self.replicas);
  }
  bool operator==(const RaisedFloor&) const = default;
};
struct ScheduleMemory {
  std::vector<RaisedFloor> raised;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"raised", "floors of occurrences to come"}, self.raised);
  }
  bool operator==(const ScheduleMemory&) const = default;
};

// One proposal per entry that asks for something now, all of them floors; one of 0 where none does.
struct Scheduled {
  static constexpr std::string_view kName = "schedule";
  static constexpr std::string_view kDescription =
      "floors for known loads, early by the start-up and the waves that the budgets force";
  static constexpr Guarding kGuarding{
      .tolerance = false, .stabilization = false, .rate_limits = false, .bounds_first = false};
  static constexpr bool kHistory = false;
  using Options = ScheduleOptions;
  using Memory = ScheduleMemory;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

}  // namespace tidegate::sizing
