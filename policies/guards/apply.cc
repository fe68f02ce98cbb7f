#include "policies/guards/apply.h"

#include <optional>
#include <utility>

#include "policies/guards/bounds.h"
#include "policies/guards/classic.h"
#include "policies/guards/guarded.h"
#include "policies/guards/hold.h"
#include "policies/guards/rate_limit.h"
#include "policies/guards/stabilization.h"
#include "policies/guards/tolerance.h"

namespace tidegate::guards {
namespace {

// Notes what a guard did; the last one that acted gives the reason.
Replicas Note(Guarded guarded, Desired& desired) {
  if (guarded.limit) {
    desired.reason = guarded.limit->reason;
    desired.limits.push_back(*std::move(guarded.limit));
  }
  return guarded.replicas;
}

Desired Settled(Guarded guarded, Replicas proposed) {
  Desired desired;
  desired.proposed = proposed;
  desired.replicas = Note(std::move(guarded), desired);
  desired.stabilized = desired.replicas;
  return desired;
}

// Windows that know nothing begin with the current size, as the HPA records it for one that it sees
// for the first time: a pool's first tick, or that of the policy that brings the windows. What
// earlier windows knew ends with the last policy that had any, as with an HPA that is deleted.
void SeedWindows(Replicas current, const Options& options, Memory& memory, Instant now) {
  const bool windows = options.guarding.stabilization || options.guarding.classic;
  if (!windows) memory.recommendations.clear();
  if (windows && memory.recommendations.empty()) memory.recommendations.push_back({now, current});
}

std::optional<Instant> BadSince(const std::vector<sizing::Proposal>& proposals,
                                const Evidence& evidence, const Memory& memory, Instant now) {
  if (evidence.largest || proposals.empty()) return std::nullopt;
  return memory.bad_since ? memory.bad_since : now;
}

Bounds BoundsOf(const Options& options) {
  if (options.without.Has(Stage::kBounds)) return {0, kMaxReplicas};
  return {options.min, options.max};
}

Guarded HoldOrNot(const Evidence& evidence, Replicas current, const Options& options) {
  if (options.without.Has(Stage::kHold)) return Untouched(evidence.largest.value_or(current));
  return Hold(evidence, current);
}

// A floor counts past tolerance and windows: it is early as it is, and must not be late.
Guarded Raise(Replicas proposed, const Evidence& evidence) {
  if (evidence.floor <= proposed) return Untouched(proposed);
  return Acted(Stage::kSizing, Reason::kRaisedToFloor, proposed, evidence.floor,
               evidence.floor_of + " asks for at least that");
}

// What comes after the windows.
Replicas Finish(Replicas stabilized, const Evidence& evidence, Replicas current,
                const Options& options, const Memory& memory, Instant now, Desired& desired) {
  const Replicas raised = Note(Raise(stabilized, evidence), desired);
  const Replicas bounded = Note(Bound(raised, BoundsOf(options)), desired);
  if (options.without.Has(Stage::kRateLimit)) return bounded;
  if (!options.guarding.rate_limits) {
    if (!options.guarding.classic) return bounded;
    return Note(LimitClassicGrowth(bounded, current), desired);
  }
  return Note(LimitRate(bounded, current, options.behavior, memory.events, now), desired);
}

// The windows and everything after them, for a proposal that counts.
Desired Pass(Guarded held, const Evidence& evidence, Replicas current, const Options& options,
             Memory& memory, Instant now) {
  Desired desired;
  desired.proposed = evidence.largest.value_or(current);
  const Behavior& behavior = options.behavior;
  const Replicas wanted = Note(std::move(held), desired);
  const sizing::Guarding& guarding = options.guarding;
  const bool tolerant = guarding.tolerance && !options.without.Has(Stage::kTolerance);
  const Replicas tolerated = tolerant ? Note(Tolerate(wanted, current, behavior), desired) : wanted;
  desired.stabilized = tolerated;
  if (guarding.stabilization) {
    if (!options.without.Has(Stage::kStabilization)) {
      desired.stabilized =
          Note(Stabilize(tolerated, current, behavior, memory.recommendations, now), desired);
    }
    memory.recommendations = Remember(std::move(memory.recommendations), tolerated, behavior, now);
  } else if (guarding.classic) {
    if (!options.without.Has(Stage::kStabilization)) {
      desired.stabilized = Note(StabilizeClassic(tolerated, memory.recommendations, now), desired);
    }
    memory.recommendations = RememberClassic(std::move(memory.recommendations), tolerated, now);
  }
  desired.replicas = Finish(desired.stabilized, evidence, current, options, memory, now, desired);
  return desired;
}

// Nothing is known but the floors: the pool is held, and raised to the largest of them.
Desired HoldAbove(Guarded held, const Evidence& evidence, Replicas current, const Options& options,
                  const Memory& memory, Instant now) {
  Desired desired = Settled(std::move(held), evidence.largest.value_or(current));
  if (evidence.floor <= desired.replicas) return desired;
  desired.replicas = Finish(desired.stabilized, evidence, current, options, memory, now, desired);
  return desired;
}

Desired SetAtOnce(const AtOnce& at_once, const Evidence& evidence, Replicas current,
                  const Options& options) {
  Desired desired;
  desired.proposed = at_once.replicas;
  desired.stabilized = Note(
      Acted(Stage::kSizing, Reason::kSetByPolicy, current, at_once.replicas, at_once.why), desired);
  const Replicas raised = Note(Raise(desired.stabilized, evidence), desired);
  desired.replicas = Note(Bound(raised, BoundsOf(options)), desired);
  return desired;
}

Desired Choose(const Evidence& evidence, Replicas current, const Options& options, Memory& memory,
               Instant now) {
  const Replicas proposed = evidence.largest.value_or(current);
  Guarded bounded = Bound(current, BoundsOf(options));
  if (bounded.limit && options.guarding.bounds_first) return Settled(std::move(bounded), proposed);
  if (options.fallback && memory.bad_since && !options.without.Has(Stage::kFallback)) {
    auto fallback = FallBack(*options.fallback, current, *memory.bad_since, now);
    if (fallback) return Pass(*std::move(fallback), evidence, current, options, memory, now);
  }
  Guarded held = HoldOrNot(evidence, current, options);
  if (held.limit && bounded.limit) return Settled(std::move(bounded), proposed);
  if (held.limit) return HoldAbove(std::move(held), evidence, current, options, memory, now);
  return Pass(std::move(held), evidence, current, options, memory, now);
}

}  // namespace

Applied Apply(const std::vector<sizing::Proposal>& proposals, Replicas current,
              const Options& options, Memory memory, Instant now,
              const std::optional<AtOnce>& at_once, const std::string& leave_alone) {
  Evidence evidence = Weigh(proposals);
  const auto bad_since = BadSince(proposals, evidence, memory, now);
  const bool sizes = !options.without.Has(Stage::kSizing);
  if (!sizes) evidence.floor = 0;
  if (options.paused && !options.without.Has(Stage::kPause)) {
    Applied paused;
    paused.desired =
        Settled(Acted(Stage::kPause, Reason::kPaused, evidence.largest.value_or(current), current,
                      "spec.paused is true"),
                evidence.largest.value_or(current));
    paused.memory = Follow(current, options, std::move(memory), now);
    paused.memory.bad_since = bad_since;
    return paused;
  }
  if (sizes && !leave_alone.empty()) {
    return {Settled(Acted(Stage::kSizing, Reason::kScalingDisabled,
                          evidence.largest.value_or(current), current, leave_alone),
                    evidence.largest.value_or(current)),
            std::move(memory)};
  }
  Applied applied;
  applied.memory = std::move(memory);
  applied.memory.bad_since = bad_since;
  SeedWindows(current, options, applied.memory, now);
  const bool set = sizes && at_once && at_once->replicas >= evidence.largest.value_or(0);
  applied.desired = set ? SetAtOnce(*at_once, evidence, current, options)
                        : Choose(evidence, current, options, applied.memory, now);
  applied.memory.desired = applied.desired.replicas;
  applied.memory.events = RememberChange(std::move(applied.memory.events),
                                         applied.desired.replicas - current, options.behavior, now);
  return applied;
}

GrowthLimits GrowthLimitsOf(const Options& options) {
  if (options.without.Has(Stage::kRateLimit)) return {};
  if (!options.guarding.rate_limits)
    return options.guarding.classic ? GrowthLimits{kClassicGrowth} : GrowthLimits{};
  const ScalingRules& up = options.behavior.up;
  if (up.select == SelectPolicy::kDisabled) return {};
  return {up.policies, up.select};
}

Memory Follow(Replicas size, const Options& options, Memory memory, Instant now) {
  Memory followed;
  followed.desired = size;
  followed.recommendations = {{now, size}};
  const Replicas change = memory.desired ? size - *memory.desired : 0;
  followed.events = RememberChange(std::move(memory.events), change, options.behavior, now);
  return followed;
}

}  // namespace tidegate::guards
