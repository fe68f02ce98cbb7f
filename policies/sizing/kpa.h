#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/fields.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/sizing/kpa_window.h"
#include "policies/sizing/policy.h"

namespace tidegate::sizing {

// Knative's settings by their names, with its defaults and its bounds.
struct KpaOptions {
  Duration stable_window{60'000};             // 6 s .. 1 h, whole seconds
  double panic_window_percentage = 10;        // of the stable window, 1 .. 100
  double panic_threshold_percentage = 200;    // of what the ready replicas can do, 110 .. 1000
  double max_scale_up_rate = 1000;            // times the ready replicas, > 1
  double max_scale_down_rate = 2;             // the ready replicas by this, > 1
  Duration scale_down_delay{0};               // 0 .. 1 h, whole seconds
  Replicas activation_scale = 1;              // the least size other than 0; acts from 2 on
  double target_utilization_percentage = 70;  // of a signal's target, 1 .. 100
  std::int32_t target_burst_capacity = 211;   // -1: always buffered, 0: never
  double activator_capacity = 100;            // of one of Knative's activators, >= 1
  bool enable_scale_to_zero = true;           // where minReplicas is 0
  Duration scale_to_zero_grace_period{30'000};
  Duration scale_to_zero_pod_retention_period{0};
  bool reachable = true;  // false: no request can arrive, shrink at once (to minReplicas)
  KpaAggregation aggregation = KpaAggregation::kLinear;

  static constexpr std::array<std::string_view, 2> kAggregations{"linear", "weightedExponential"};
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"stableWindowSeconds", "the window that sizes in calm times", 6, 3'600},
          self.stable_window);
    visit(Field{"panicWindowPercentage", "the panic window, of the stable one", 1, 100},
          self.panic_window_percentage);
    visit(Field{"panicThresholdPercentage", "of what the ready replicas can do: panic", 110, 1'000},
          self.panic_threshold_percentage);
    visit(Field{"maxScaleUpRate", "at most this many times the ready replicas", 1.001, 1e6},
          self.max_scale_up_rate);
    visit(Field{"maxScaleDownRate", "at least the ready replicas divided by this", 1.001, 1e6},
          self.max_scale_down_rate);
    visit(Field{"scaleDownDelaySeconds", "how long a larger size is kept", 0, 3'600},
          self.scale_down_delay);
    visit(Field{"activationScale", "the least size other than 0", 1, kMaxReplicas},
          self.activation_scale);
    visit(Field{"targetUtilizationPercentage", "what is aimed at, of a signal's target", 1, 100},
          self.target_utilization_percentage);
    visit(Field{"targetBurstCapacity", "a burst to be ready for; -1: always, 0: none", -1, 1e9},
          self.target_burst_capacity);
    visit(Field{"activatorCapacity", "of one of Knative's activators", 1, 1e9},
          self.activator_capacity);
    visit(Field{"enableScaleToZero", "whether the pool may go to 0"}, self.enable_scale_to_zero);
    visit(Field{"scaleToZeroGracePeriodSeconds", "without load before 0", 0, 3'600},
          self.scale_to_zero_grace_period);
    visit(Field{"scaleToZeroPodRetentionPeriodSeconds", "the same, the longer counts", 0, 3'600},
          self.scale_to_zero_pod_retention_period);
    visit(Field{"reachable", "false: no request can arrive, shrink at once"}, self.reachable);
    visit(Field{.name = "metricAggregationAlgorithm",
                .help = "how the windows are averaged",
                .choices = kAggregations},
          self.aggregation);
  }
  bool operator==(const KpaOptions&) const = default;
};

// The two windows: panic is round(stable * percentage) to whole seconds, at least 1 s.
KpaLengths LengthsOf(const KpaOptions& options);

// What one replica is to do, in the signal's unit.
struct KpaTarget {
  double total = 100;  // what it can do
  double value = 70;   // what it is sized for: max(0.01, total * utilization)
};
// `total` is the signal's target per replica, `hard_limit` what a replica takes at all: the smaller
// counts where both are set. Knative's defaults where neither is: 100 requests in progress, or 200
// per second where `rate` is set.
KpaTarget TargetOf(const KpaOptions& options, std::optional<double> total,
                   std::optional<double> hard_limit, bool rate);

// The panic of one signal, and its delay of shrinks.
struct KpaState {
  std::optional<Instant> panic_since;  // when the threshold was last crossed; unset: no panic
  Replicas most_in_panic = 0;
  std::vector<KpaDelayed> delayed;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"panicSince", "when its threshold was crossed last"}, self.panic_since);
    visit(Field{"mostInPanic", "the largest size of this panic", 0, kMaxReplicas},
          self.most_in_panic);
    visit(Field{.name = "delayed", .help = "sizes of the delay of shrinks", .most_items = 1'800},
          self.delayed);
  }
  bool operator==(const KpaState&) const = default;
};
// Of a scaler that knows nothing yet. With more than one ready replica it begins in panic at their
// number, so that a start without memory takes nothing away before a window of data is there.
KpaState NewKpaState(Replicas ready, Instant now);

struct KpaObserved {
  double stable = 0;  // means of the windows
  double panic = 0;
};

struct KpaScale {
  Replicas desired = 0;
  Replicas stable = 0;  // replicas for the stable window, within the rates
  Replicas panic = 0;   // for the panic window
  Replicas least = 0;   // that the rates allow now
  Replicas most = 0;
  bool panicking = false;
  std::int64_t excess_burst = 0;  // < 0: a burst of the configured size would not fit
};

// Knative's decision, once per tick, with ready = max(1, ready replicas):
//   up = ceil(max_scale_up_rate * ready), down = reachable ? floor(ready / max_scale_down_rate) : 0
//   s = ceil(stable / target), p = ceil(panic / target); S, P = s, p clamped to [down, up]
//   activation scale A > 1: S = max(S, A) if s > 0, and P likewise
//   panic begins, and is extended, while p / ready >= threshold; it ends when it has not been
//   extended for *more* than a stable window. In panic: max(S, P), and never less than before.
//   delay: the largest result of the last ceil(delay / 2 s) slots; only where reachable.
//   excess burst capacity: floor(ready * total - burst - panic); 0 and -1 as configured.
KpaScale Scale(const KpaOptions& options, const KpaTarget& target, const KpaObserved& observed,
               Replicas ready, Instant now, KpaState& state);

// How many of Knative's activators would stand in the path: max(2, ceil((ready * total + burst) /
// capacity)); 2 where no burst is to be ready for.
std::int64_t ActivatorsFor(const KpaOptions& options, const KpaTarget& target, Replicas ready);

// How many of `replicas` Knative asks in order to know them all: all of up to 3, else
// ceil(N * X / (N + X - 1)), X = 1.96^2 * 100 / 25: a sample for 95 % confidence.
Replicas KpaSampleSize(Replicas replicas);

// Whether the pool may go to zero. Knative's PodAutoscaler is active, activating or inactive.
enum class KpaActivity { kUnknown, kActive, kActivating, kInactive };
struct KpaZero {
  KpaActivity activity = KpaActivity::kUnknown;
  Instant since{};  // of the activity
  // Since when Knative's activators would have been in the path (its proxy mode): no replica was
  // wanted, or a burst did not fit. Unset: they are not.
  std::optional<Instant> proxied_since;

  static constexpr std::array<std::string_view, 4> kActivities{"unknown", "active", "activating",
                                                               "inactive"};
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{.name = "activity", .help = "as of a PodAutoscaler", .choices = kActivities},
          self.activity);
    visit(Field{"since", "since when"}, self.since);
    visit(Field{"proxiedSince", "since when activators would be in the path"}, self.proxied_since);
  }
  bool operator==(const KpaZero&) const = default;
};

// What becomes of `wanted` (unset: no data; 0 needs a minimum of 0):
//   0 without scale to zero: 1. Else, where the pool
//   is active for less than a stable window: 1; for longer: it becomes inactive, keeps its size;
//   is inactive for less than max(grace, retention): keeps its size; for longer: 0. Once it has
//     been inactive for the retention (none of an unreachable pool), it is enough that activators
//     have been in the path for the grace period, also before it was inactive;
//   is activating: keeps its size, until that has lasted for more than 630 s (progress deadline and
//     30 s).
// Active: at least max(1, min) are ready, and `wanted` > 0 or the pool is not inactive.
struct KpaSizes {
  Replicas current = 0;
  Replicas ready = 0;
  Replicas min = 0;
  bool burst_fits = true;  // of every signal: KpaScale::excess_burst >= 0
};
std::optional<Replicas> ScaleToZero(const KpaOptions& options, std::optional<Replicas> wanted,
                                    const KpaSizes& sizes, Instant now, KpaZero& zero);

// What one signal's scaler remembers.
struct KpaSignal {
  std::string signal;
  KpaWindow window;
  KpaState state;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"signal", "its name"}, self.signal);
    visit(Field{"window", "the stable window"}, self.window);
    visit(Field{"state", "panic and delay"}, self.state);
  }
  bool operator==(const KpaSignal&) const = default;
};

struct KpaMemory {
  std::optional<Instant> last_tick;
  std::vector<KpaSignal> signals;  // that were sized by, in their order
  KpaZero zero;

  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"lastTick", "when it decided last"}, self.last_tick);
    visit(Field{"signals", "one scaler per signal with a target"}, self.signals);
    visit(Field{"zero", "the way to 0 replicas"}, self.zero);
  }
  bool operator==(const KpaMemory&) const = default;
};

// Knative's autoscaler, one per signal with a target; the largest size counts. kpa_policy.cc says
// how a pool's readings become Knative's samples.
struct Kpa {
  static constexpr std::string_view kName = "kpa";
  static constexpr std::string_view kDescription =
      "Knative's stable and panic windows: follows the load, holds on in a burst";
  static constexpr Guarding kGuarding{
      .tolerance = false, .stabilization = false, .rate_limits = false, .bounds_first = false};
  static constexpr bool kHistory = false;
  using Options = KpaOptions;
  using Memory = KpaMemory;
  static Sizing Size(const Input& input, const Options& options, Memory& memory);
};

}  // namespace tidegate::sizing
