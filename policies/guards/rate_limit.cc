#include "policies/guards/rate_limit.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <fmt/format.h>

namespace tidegate::guards {
namespace {

// What a rule set allows, and the policy that says so.
struct Allowance {
  std::int64_t replicas = 0;
  std::string why;
};

std::int64_t StartOfPeriod(Replicas current, Duration period, const std::vector<ScaleEvent>& events,
                           Instant now) {
  std::int64_t start = current;
  for (const ScaleEvent& event : events) {
    if (event.at > now - period) start -= event.change;
  }
  return start;
}

std::int64_t Bounded(double replicas) {
  constexpr auto kLimit = static_cast<double>(std::numeric_limits<Replicas>::max());
  return static_cast<std::int64_t>(std::clamp(replicas, -kLimit, kLimit));
}

std::int64_t AllowedByDown(const ScalingPolicy& policy, std::int64_t start) {
  if (policy.type == PolicyType::kPods) return start - policy.value;
  return Bounded(std::trunc(static_cast<double>(start) * (1 - double{1} * policy.value / 100)));
}

std::string Describe(const ScalingPolicy& policy, std::int64_t start) {
  return fmt::format("{}{} per {} from {}", policy.value,
                     policy.type == PolicyType::kPods ? " pods" : " %",
                     FormatDuration(policy.period), start);
}

Allowance Allowed(const ScalingRules& rules, bool grows, Replicas current,
                  const std::vector<ScaleEvent>& events, Instant now) {
  if (rules.select == SelectPolicy::kDisabled) {
    return {current, grows ? "growing is disabled" : "shrinking is disabled"};
  }
  // "Max" is the largest change: upwards the largest number, downwards the smallest.
  const bool wants_larger = grows == (rules.select == SelectPolicy::kMax);
  Allowance best;
  for (const ScalingPolicy& policy : rules.policies) {
    const std::int64_t start = StartOfPeriod(current, policy.period, events, now);
    const std::int64_t allowed = grows ? MostAllowed(policy, start) : AllowedByDown(policy, start);
    const bool first = best.why.empty();
    if (first || (wants_larger ? allowed > best.replicas : allowed < best.replicas)) {
      best = {allowed, Describe(policy, start)};
    }
  }
  return best;
}

Replicas Narrowed(std::int64_t replicas) {
  constexpr std::int64_t kLimit = std::numeric_limits<Replicas>::max();
  return static_cast<Replicas>(std::clamp<std::int64_t>(replicas, 0, kLimit));
}

}  // namespace

Guarded LimitRate(Replicas proposed, Replicas current, const Behavior& behavior,
                  const std::vector<ScaleEvent>& events, Instant now) {
  if (proposed == current) return Untouched(proposed);
  const bool grows = proposed > current;
  const ScalingRules& rules = grows ? behavior.up : behavior.down;
  if (rules.policies.empty() && rules.select != SelectPolicy::kDisabled) return Untouched(proposed);
  const Allowance allowance = Allowed(rules, grows, current, events, now);
  // A limit on growth never shrinks the pool, and the other way round.
  const Replicas limit = Narrowed(grows ? std::max<std::int64_t>(allowance.replicas, current)
                                        : std::min<std::int64_t>(allowance.replicas, current));
  if (grows ? proposed <= limit : proposed >= limit) return Untouched(proposed);
  return Acted(Stage::kRateLimit, grows ? Reason::kScaleUpLimit : Reason::kScaleDownLimit, proposed,
               limit, allowance.why);
}

std::vector<ScaleEvent> RememberChange(std::vector<ScaleEvent> events, Replicas change,
                                       const Behavior& behavior, Instant now) {
  Duration longest{0};
  for (const auto* rules : {&behavior.up, &behavior.down}) {
    for (const ScalingPolicy& policy : rules->policies) longest = std::max(longest, policy.period);
  }
  if (change != 0) events.push_back({now, change});
  std::erase_if(events, [&](const ScaleEvent& event) { return event.at <= now - longest; });
  return events;
}

}  // namespace tidegate::guards
