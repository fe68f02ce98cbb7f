#pragma once

#include <array>
#include <cstdint>
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
#include "policies/sizing/policy.h"

// KEDA: an HPA over external metrics between minReplicaCount and maxReplicas, and below that, from
// and to 0, an operator of its own that looks every polling interval (ScaledObject, v2).
//
// KEDA's HPA is ours: sizing/hpa.h for what a trigger asks for, and the guards with the scaler's
// `behavior`, or without one. Its annotations paused-scale-in and -out are options here.
// maxReplicaCount is the scaler's maxReplicas; the scaler's minReplicas is a bound below all of
// this, so that a pool that may go to 0 has 0 there and KEDA's own minimum here.
//
// Where users of KEDA were hurt ours is another, unless `compat` is "keda":
//  - No series, NaN or an old sample is a trigger that fails. KEDA takes the first two for 0 by
//    default (ignoreNullValues), and so a broken exporter for an idle pool; it looks at no ages.
//  - A partial sum may keep a pool active and grow it, but neither shrinks it nor sends it to 0.
//  - In a formula a failing trigger is nil at once where there is no fallback, so that `??` is of
//    use without one. For KEDA the whole formula fails.
//  - A fallback keeps a pool active, however small its replicas and high the activationTarget.
//  - A cron window is open from each start until the next end. KEDA's is where the next end comes
//    before the next start (or with it), so that one with more ends than starts is open for days.
//  - failureThreshold counts decisions. KEDA counts in both of its loops, so that the time until
//    its fallback acts depends on how their periods meet.
namespace tidegate::sizing {

enum class KedaCompat { kTidegate, kKeda };
enum class KedaType { kAverageValue, kValue };
inline constexpr std::array<std::string_view, 2> kKedaTypes{"AverageValue", "Value"};

// A signal as a trigger. Signals with a target that no trigger names are one by their defaults.
struct KedaTrigger {
  std::string signal;
  std::string name;  // in formulas and memory; the signal's where it is empty
  KedaType type = KedaType::kAverageValue;
  std::optional<double> target;     // in the signal's unit; unset: the signal's own
  double activation_threshold = 0;  // active above it
  bool ignore_null_values = true;   // compat "keda" only: nothing is 0

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "signal", .help = "one of the pool's signals", .required = true},
          self.signal);
    visit(Field{"name", "in the formula; the signal's by default"}, self.name);
    visit(Field{.name = "metricType", .help = "of its target", .choices = kKedaTypes}, self.type);
    visit(Field{"target", "in the signal's unit; the signal's own by default", 1e-3, 1e15},
          self.target);
    visit(Field{"activationThreshold", "the trigger is active above it", 0, 1e15},
          self.activation_threshold);
    visit(Field{"ignoreNullValues", "with compat keda: no series and NaN are 0"},
          self.ignore_null_values);
  }
  bool operator==(const KedaTrigger&) const = default;
};

// A cron trigger: so many replicas from each time of `start` until the next one of `end`, beside
// what other triggers ask for.
struct KedaCron {
  std::string name;
  std::string time_zone = "UTC";
  std::string start;
  std::string end;
  Replicas desired_replicas = 1;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "name", .help = "unique among the triggers", .required = true}, self.name);
    visit(Field{"timezone", "IANA name; UTC by default"}, self.time_zone);
    visit(Field{.name = "start", .help = "cron of five fields", .required = true}, self.start);
    visit(Field{.name = "end", .help = "cron of five fields", .required = true}, self.end);
    visit(Field{"desiredReplicas", "between start and end", 1, kMaxReplicas},
          self.desired_replicas);
  }
  bool operator==(const KedaCron&) const = default;
};
// One of them, with its times read; scheduler/config/schedule.h does that.
struct KedaWindow {
  Zone zone;
  Cron start;
  Cron end;
  bool operator==(const KedaWindow&) const = default;
};

enum class KedaFallbackBehavior {
  kStatic,
  kCurrent,
  kCurrentIfHigher,
  kCurrentIfLower,
  kScalingModifiers
};
// What a trigger asks for after it has failed more than `failure_threshold` times in a row. Where
// there is a formula it is not asked then, but with kScalingModifiers: there the trigger is nil in
// it, and the replicas are for a formula that comes to nil.
struct KedaFallback {
  std::int32_t failure_threshold = 3;
  Replicas replicas = 0;
  KedaFallbackBehavior behavior = KedaFallbackBehavior::kStatic;

  static constexpr std::array<std::string_view, 5> kBehaviors{
      "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower",
      "scalingModifiers"};
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "failureThreshold",
                .help = "failures in a row that are still held",
                .most = 1'000'000,
                .required = true},
          self.failure_threshold);
    visit(Field{.name = "replicas",
                .help = "that the trigger then asks for",
                .most = kMaxReplicas,
                .required = true},
          self.replicas);
    visit(Field{.name = "behavior", .help = "what they are of", .choices = kBehaviors},
          self.behavior);
  }
  bool operator==(const KedaFallback&) const = default;
};

// One metric, made by a formula of all triggers, in the place of all of them.
struct KedaModifiers {
  std::string formula;  // sizing/formula.h
  double target = 1;
  double activation_target = 0;
  KedaType type = KedaType::kAverageValue;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "formula", .help = "of the triggers' names", .required = true},
          self.formula);
    visit(Field{.name = "target",
                .help = "of the result",
                .least = 1e-3,
                .most = 1e15,
                .required = true},
          self.target);
    visit(Field{"activationTarget", "the result is active above it", 0, 1e15},
          self.activation_target);
    visit(Field{.name = "metricType", .help = "of the target", .choices = kKedaTypes}, self.type);
  }
  bool operator==(const KedaModifiers&) const = default;
};

// A ScaledObject's fields by their names, with KEDA's defaults.
struct KedaOptions {
  Duration polling_interval{30'000};
  Duration cooldown_period{300'000};
  Duration initial_cooldown_period{0};
  Replicas min_replica_count = 0;
  std::optional<Replicas> idle_replica_count;  // below the minimum, while nothing is active
  std::vector<KedaTrigger> triggers;
  std::vector<KedaCron> cron;
  std::optional<KedaFallback> fallback;
  std::optional<KedaModifiers> modifiers;
  bool paused_scale_in = false;
  bool paused_scale_out = false;
  KedaCompat compat = KedaCompat::kTidegate;
  double tolerance = 0.1;            // the HPA's flag, where there is no `behavior`
  std::vector<KedaWindow> resolved;  // of `cron`; empty until a host has done so

  static constexpr std::array<std::string_view, 2> kCompats{"tidegate", "keda"};
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"pollingIntervalSeconds", "between looks at what is active", 1, 3'600},
          self.polling_interval);
    visit(Field{"cooldownPeriodSeconds", "after the last activity, before idle or 0", 0, 86'400},
          self.cooldown_period);
    visit(Field{"initialCooldownPeriodSeconds", "the same, where there was none yet", 0, 86'400},
          self.initial_cooldown_period);
    visit(Field{"minReplicaCount", "while something is active; at least 1 then", 0, kMaxReplicas},
          self.min_replica_count);
    visit(Field{"idleReplicaCount", "while nothing is; below minReplicaCount", 0, kMaxReplicas},
          self.idle_replica_count);
    visit(Field{"triggers", "how signals are compared with their targets"}, self.triggers);
    visit(Field{.name = "cron", .help = "floors at times of the day", .most_items = 16}, self.cron);
    visit(Field{"fallback", "what failing triggers ask for"}, self.fallback);
    visit(Field{"scalingModifiers", "one metric of all triggers"}, self.modifiers);
    visit(Field{"pausedScaleIn", "never shrink, to idle or 0 either"}, self.paused_scale_in);
    visit(Field{"pausedScaleOut", "never grow, from idle or 0 either"}, self.paused_scale_out);
    visit(Field{.name = "compat", .help = "whose rules for what is missing", .choices = kCompats},
          self.compat);
    visit(Field{"tolerance", "of ratios, where a behavior writes none", 0, 10}, self.tolerance);
  }
  bool operator==(const KedaOptions&) const = default;
};

// How often a trigger has failed in a row; those that have not are left out.
struct KedaHealth {
  std::string trigger;
  std::int32_t failures = 0;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"trigger", "its name"}, self.trigger);
    visit(Field{"failures", "in a row", 0, 2e9}, self.failures);
  }
  bool operator==(const KedaHealth&) const = default;
};
struct KedaMemory {
  std::optional<Instant> created;  // when the pool was seen first
  std::optional<Instant> last_poll;
  std::optional<Instant> last_active;  // at a poll
  std::vector<KedaHealth> health;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"created", "when the pool was seen first"}, self.created);
    visit(Field{"lastPoll", "of what is active"}, self.last_poll);
    visit(Field{"lastActive", "when a poll found something active"}, self.last_active);
    visit(Field{"health", "triggers that fail"}, self.health);
  }
  bool operator==(const KedaMemory&) const = default;
};

struct Keda {
  static constexpr std::string_view kName = "keda";
  static constexpr std::string_view kDescription =
      "KEDA's ScaledObject: triggers, activation, idle, cooldown, fallback, formula";
  static constexpr Guarding kGuarding{
      .tolerance = false, .stabilization = false, .rate_limits = false, .classic = true};
  static constexpr Guarding kGuardingWithBehavior{.tolerance = false};
  static constexpr bool kHistory = false;
  using Options = KedaOptions;
  using Memory = KedaMemory;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
  static std::vector<OptionProblem> Check(const Options& options,
                                          std::span<const SignalTarget> targets);
};

}  // namespace tidegate::sizing
