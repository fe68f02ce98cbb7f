#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/sizing/capacity.h"
#include "policies/sizing/load_trend.h"
#include "policies/sizing/policy.h"
#include "policies/sizing/service_learner.h"
#include "policies/sizing/shadow_panel.h"

namespace tidegate::sizing {

// Nothing here needs to be set: what a pool needs is learned from it. Schedules and forecasts are
// policies of their own beside this one, and their floors count where they are larger.
struct TideOptions {
  // The share of requests that may come too late because the pool is too small for them: the
  // policy's one knob, 1e-6 .. 0.5.
  double late_share = 1e-3;
  // What was seen so long ago counts half. A day: everything that comes once a day counts.
  Duration half_life{86'400'000};
  // Of a replica, until one has shown its own.
  Duration startup{30'000};
  LearnOptions learn;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"lateShare", "of requests that may be late as the pool is too small", 1e-6, 0.5},
          self.late_share);
    visit(Field{"halfLifeSeconds", "what was seen so long ago counts half", 600, 2'592'000},
          self.half_life);
    visit(Field{"startup", "of a replica, where none has shown its own", 0, 3'600}, self.startup);
    visit(Field{"learn", "how the service time is learned"}, self.learn);
  }
  bool operator==(const TideOptions&) const = default;
};

struct TideMemory {
  PanelMemory panel;
  TrendMemory trend;
  ServiceMemory service;
  double oldest_seconds = 0;   // the greatest age of a sample that counted, slowly forgotten
  double tick_seconds = 0;     // the longest time between two looks, as slowly forgotten
  double startup_seconds = 0;  // that replicas have shown; 0: none has
  double doubled_seconds = 0;  // replica-seconds that doubling asked for beyond the rules, faded
  std::optional<Instant> at;   // of the last look
  // Of the last model; what it holds follows from the model, so it is no state.
  std::optional<CapacityTable> table;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"panel", "how the rules of the panel did"}, self.panel);
    visit(Field{"trend", "where the load is and goes"}, self.trend);
    visit(Field{"service", "the service time learned"}, self.service);
    visit(Field{"oldestReadingSeconds", "slowly forgotten", 0, 1e9}, self.oldest_seconds);
    visit(Field{"tickSeconds", "between two looks; slowly forgotten", 0, 1e9}, self.tick_seconds);
    visit(Field{"startupSeconds", "that replicas have shown; 0: none has", 0, 1e9},
          self.startup_seconds);
    visit(Field{"doubledSeconds", "replica-seconds of doubling beyond the rules, faded", 0, 1e18},
          self.doubled_seconds);
    visit(Field{"at", "of the last look"}, self.at);
  }
  bool operator==(const TideMemory& other) const {
    return panel == other.panel && trend == other.trend && service == other.service &&
           oldest_seconds == other.oldest_seconds && tick_seconds == other.tick_seconds &&
           startup_seconds == other.startup_seconds && doubled_seconds == other.doubled_seconds &&
           at == other.at;
  }
};

struct Tide {
  static constexpr std::string_view kName = "tide";
  static constexpr std::string_view kDescription =
      "learns the headroom that a pool's load and start-up need; sizes to the objective, untuned";
  // The windows of its rules are its own, and replicas are not to be kept from it.
  static constexpr Guarding kGuarding{
      .tolerance = false, .stabilization = false, .rate_limits = false};
  static constexpr bool kHistory = false;
  using Options = TideOptions;
  using Memory = TideMemory;
  // Their ages say how far apart samples are.
  static bool EachReplica(const Options&, const std::string&) { return true; }
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

}  // namespace tidegate::sizing
