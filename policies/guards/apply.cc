#include "policies/guards/apply.h"

#include <optional>
#include <utility>

#include "policies/guards/bounds.h"
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

std::optional<Instant> BadSince(const std::vector<sizing::Proposal>& proposals,
                                const Evidence& evidence, const Memory& memory, Instant now) {
  if (evidence.largest || proposals.empty()) return std::nullopt;
  return memory.bad_since ? memory.bad_since : now;
}

// The windows and everything after them, for a proposal that counts.
Desired Pass(Guarded held, Replicas proposed, Replicas current, const Options& options,
             Memory& memory, Instant now) {
  Desired desired;
  desired.proposed = proposed;
  const Behavior& behavior = options.behavior;
  const Replicas wanted = Note(std::move(held), desired);
  const sizing::Guarding& guarding = options.guarding;
  const Replicas tolerated =
      guarding.tolerance ? Note(Tolerate(wanted, current, behavior), desired) : wanted;
  desired.stabilized = tolerated;
  if (guarding.stabilization) {
    desired.stabilized =
        Note(Stabilize(tolerated, current, behavior, memory.recommendations, now), desired);
    memory.recommendations = Remember(std::move(memory.recommendations), tolerated, behavior, now);
  }
  const Replicas bounded = Note(Bound(desired.stabilized, {options.min, options.max}), desired);
  desired.replicas = guarding.rate_limits
                         ? Note(LimitRate(bounded, current, behavior, memory.events, now), desired)
                         : bounded;
  return desired;
}

Desired SetAtOnce(const AtOnce& at_once, Replicas current, const Options& options) {
  Desired desired;
  desired.proposed = at_once.replicas;
  desired.stabilized = Note(
      Acted(Stage::kSizing, Reason::kSetByPolicy, current, at_once.replicas, at_once.why), desired);
  desired.replicas = Note(Bound(desired.stabilized, {options.min, options.max}), desired);
  return desired;
}

Desired Choose(const Evidence& evidence, Replicas current, const Options& options, Memory& memory,
               Instant now) {
  const Replicas proposed = evidence.largest.value_or(current);
  if (Guarded bounded = Bound(current, {options.min, options.max}); bounded.limit) {
    return Settled(std::move(bounded), proposed);
  }
  if (options.fallback && memory.bad_since) {
    auto fallback = FallBack(*options.fallback, current, *memory.bad_since, now);
    if (fallback) return Pass(*std::move(fallback), proposed, current, options, memory, now);
  }
  Guarded held = Hold(evidence, current);
  if (held.limit) return Settled(std::move(held), proposed);
  return Pass(std::move(held), proposed, current, options, memory, now);
}

}  // namespace

Applied Apply(const std::vector<sizing::Proposal>& proposals, Replicas current,
              const Options& options, const Memory& memory, Instant now,
              const std::optional<AtOnce>& at_once) {
  const Evidence evidence = Weigh(proposals);
  const auto bad_since = BadSince(proposals, evidence, memory, now);
  if (options.paused) {
    Applied paused;
    paused.desired =
        Settled(Acted(Stage::kPause, Reason::kPaused, evidence.largest.value_or(current), current,
                      "spec.paused is true"),
                evidence.largest.value_or(current));
    paused.memory = Follow(current, options, memory, now);
    paused.memory.bad_since = bad_since;
    return paused;
  }
  Applied applied;
  applied.memory = memory;
  applied.memory.bad_since = bad_since;
  if (options.guarding.stabilization && !memory.desired && memory.recommendations.empty()) {
    applied.memory.recommendations.push_back({now, current});
  }
  const bool set = at_once && at_once->replicas >= evidence.largest.value_or(0);
  applied.desired = set ? SetAtOnce(*at_once, current, options)
                        : Choose(evidence, current, options, applied.memory, now);
  applied.memory.desired = applied.desired.replicas;
  applied.memory.events = RememberChange(std::move(applied.memory.events),
                                         applied.desired.replicas - current, options.behavior, now);
  return applied;
}

Memory Follow(Replicas size, const Options& options, const Memory& memory, Instant now) {
  Memory followed;
  followed.desired = size;
  followed.recommendations = {{now, size}};
  const Replicas change = memory.desired ? size - *memory.desired : 0;
  followed.events = RememberChange(memory.events, change, options.behavior, now);
  return followed;
}

}  // namespace tidegate::guards
