#include "policies/sizing/kpa.h"

#include <algorithm>
#include <cmath>

// Knative's stable / panic autoscaler, after its description of itself. The stable window follows
// the load and smooths it; the panic window, a tenth of it, sees a burst at once. Once the burst
// needs twice what is ready, the scaler panics: it grows by the panic window and takes nothing away
// until a whole stable window has passed without such a need.
//
// Where it fails: the threshold compares with *ready* replicas, so a slow start prolongs the panic;
// gaps in the data count as 0 (kpa_window.h); and a panic's end drops to the stable size at once,
// limited by nothing but max_scale_down_rate and the delay.
namespace tidegate::sizing {
namespace {

constexpr double kLeastTarget = 0.01;
constexpr double kDefaultConcurrency = 100;
constexpr double kDefaultRate = 200;
constexpr Duration kActivationTimeout{630'000};  // the progress deadline and 30 s
constexpr std::int64_t kLeastActivators = 2;

Replicas Whole(double replicas) {
  return static_cast<Replicas>(std::clamp(replicas, 0.0, static_cast<double>(kMaxReplicas)));
}

std::int64_t ExcessBurst(const KpaOptions& options, const KpaTarget& target, double panic,
                         Replicas ready) {
  if (options.target_burst_capacity == 0) return 0;
  if (options.target_burst_capacity < 0) return -1;
  return static_cast<std::int64_t>(
      std::floor(ready * target.total - options.target_burst_capacity - panic));
}

void UpdatePanic(const KpaOptions& options, bool over, Instant now, KpaState& state) {
  // A panic from the future is one whose clock was set back since.
  if (over || (state.panic_since && *state.panic_since > now)) {
    state.panic_since = now;
  } else if (state.panic_since && *state.panic_since + options.stable_window < now) {
    state.panic_since.reset();
    state.most_in_panic = 0;
  }
}

// Whether an inactive pool has kept its last replica for long enough.
bool MayGo(const KpaOptions& options, Instant now, const KpaZero& zero) {
  const Duration inactive = now - zero.since;
  const Duration grace = options.scale_to_zero_grace_period;
  if (options.reachable && inactive < options.scale_to_zero_pod_retention_period) return false;
  return inactive >= grace || (zero.proxied_since && now - *zero.proxied_since >= grace);
}

// What becomes of a wanted 0.
struct ZeroStep {
  std::optional<Replicas> want;  // unset: Knative's -1, nothing is known yet
  bool apply = true;             // else the pool keeps its size
};

ZeroStep TowardsZero(const KpaOptions& options, Instant now, const KpaZero& zero) {
  if (!options.enable_scale_to_zero) return {1};
  const Duration length = now - zero.since;
  switch (zero.activity) {
    case KpaActivity::kActivating:
      if (length > kActivationTimeout) return {0};
      return {std::nullopt, false};
    case KpaActivity::kInactive: return {0, MayGo(options, now, zero)};
    default: break;
  }
  if (length >= options.stable_window) return {0, false};
  return {1};
}

// Knative's activators are in the path (its proxy mode) but where replicas are wanted and a burst
// fits into those that are ready.
void UpdateProxied(std::optional<Replicas> want, bool burst_fits, Instant now, KpaZero& zero) {
  if (want.value_or(0) > 0 && burst_fits) {
    zero.proxied_since.reset();
  } else if (!zero.proxied_since) {
    zero.proxied_since = now;
  }
}

}  // namespace

KpaLengths LengthsOf(const KpaOptions& options) {
  const double seconds = Seconds(options.stable_window) * options.panic_window_percentage / 100;
  const auto panic = std::max<std::int64_t>(1, std::llround(seconds));
  return {options.stable_window, std::chrono::seconds(panic)};
}

KpaTarget TargetOf(const KpaOptions& options, std::optional<double> total,
                   std::optional<double> hard_limit, bool rate) {
  KpaTarget target;
  target.total = rate ? kDefaultRate : kDefaultConcurrency;
  if (total && hard_limit) {
    target.total = std::min(*total, *hard_limit);
  } else if (total || hard_limit) {
    target.total = total ? *total : *hard_limit;
  }
  target.value =
      std::max(kLeastTarget, target.total * (options.target_utilization_percentage / 100));
  return target;
}

KpaState NewKpaState(Replicas ready, Instant now) {
  KpaState state;
  if (ready > 1) state.panic_since = now;
  state.most_in_panic = ready;
  return state;
}

KpaScale Scale(const KpaOptions& options, const KpaTarget& target, const KpaObserved& observed,
               Replicas ready, Instant now, KpaState& state) {
  const double divisor = std::max<Replicas>(1, ready);
  const double most = std::ceil(options.max_scale_up_rate * divisor);
  const double least = options.reachable ? std::floor(divisor / options.max_scale_down_rate) : 0;
  const double stable = std::ceil(observed.stable / target.value);
  const double panic = std::ceil(observed.panic / target.value);

  KpaScale scale;
  scale.most = Whole(most);
  scale.least = Whole(least);
  scale.stable = Whole(std::min(std::max(stable, least), most));
  scale.panic = Whole(std::min(std::max(panic, least), most));
  if (options.activation_scale > 1) {
    if (stable > 0) scale.stable = std::max(scale.stable, options.activation_scale);
    if (panic > 0) scale.panic = std::max(scale.panic, options.activation_scale);
  }
  UpdatePanic(options, panic / divisor >= options.panic_threshold_percentage / 100, now, state);

  scale.panicking = state.panic_since.has_value();
  scale.desired = scale.stable;
  if (scale.panicking) {
    state.most_in_panic = std::max({state.most_in_panic, scale.stable, scale.panic});
    scale.desired = state.most_in_panic;
  }
  if (options.scale_down_delay == Duration(0)) {
    state.delayed.clear();
  } else if (options.reachable) {
    scale.desired = RecordDelayed(state.delayed, options.scale_down_delay, now, scale.desired);
  }
  scale.excess_burst = ExcessBurst(options, target, observed.panic, ready);
  return scale;
}

std::int64_t ActivatorsFor(const KpaOptions& options, const KpaTarget& target, Replicas ready) {
  if (options.target_burst_capacity == 0) return kLeastActivators;
  const double burst = std::max(0, options.target_burst_capacity);
  return std::max(kLeastActivators,
                  static_cast<std::int64_t>(
                      std::ceil((ready * target.total + burst) / options.activator_capacity)));
}

Replicas KpaSampleSize(Replicas replicas) {
  if (replicas <= 3) return replicas;
  constexpr double kX = 1.96 * 1.96 * 100 / 25;
  const double all = replicas;
  return static_cast<Replicas>(std::ceil(all * kX / (all + kX - 1)));
}

std::optional<Replicas> ScaleToZero(const KpaOptions& options, std::optional<Replicas> wanted,
                                    const KpaSizes& sizes, Instant now, KpaZero& zero) {
  const auto enter = [&](KpaActivity activity) {
    if (zero.activity != activity) zero.since = now;
    zero.activity = activity;
  };
  const bool enough = sizes.ready >= std::max<Replicas>(1, sizes.min);
  if (zero.activity == KpaActivity::kUnknown) {
    enter(enough               ? KpaActivity::kActive
          : sizes.current == 0 ? KpaActivity::kInactive
                               : KpaActivity::kActivating);
  }
  ZeroStep step{wanted};
  if (wanted == 0) step = TowardsZero(options, now, zero);
  if (step.want == 0) {
    enter(KpaActivity::kInactive);
  } else if (step.want || zero.activity != KpaActivity::kInactive) {
    enter(enough ? KpaActivity::kActive : KpaActivity::kActivating);
  }
  if (!wanted) return std::nullopt;
  UpdateProxied(step.want, sizes.burst_fits, now, zero);
  return step.apply ? step.want : sizes.current;
}

}  // namespace tidegate::sizing
