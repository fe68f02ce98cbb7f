// Random histories of proposals through the guards, against a slow and obvious oracle: the HPA's
// lists of recommendations and events, kept whole and searched from the start at each tick.
#include <algorithm>
#include <climits>
#include <cmath>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/guards/apply.h"

namespace tidegate::guards {
namespace {

using signals::Quality;

// One tick of a history.
struct Moment {
  int wait_s = 0;  // since the tick before
  std::vector<sizing::Proposal> proposals;
};

rc::Gen<ScalingRules> AnyRules() {
  return rc::gen::exec([] {
    ScalingRules rules;
    rules.stabilization_window = Duration(1000LL * *rc::gen::element(0, 0, 15, 60, 300));
    rules.select =
        *rc::gen::element(SelectPolicy::kMax, SelectPolicy::kMin, SelectPolicy::kDisabled);
    rules.tolerance = *rc::gen::element(0.0, 0.1, 0.35);
    const int count = *rc::gen::inRange(1, 4);
    for (int i = 0; i < count; ++i) {
      rules.policies.push_back({*rc::gen::element(PolicyType::kPods, PolicyType::kPercent),
                                *rc::gen::element(1, 4, 10, 12, 50, 68, 100, 150),
                                Duration(1000LL * *rc::gen::element(1, 5, 15, 60, 200))});
    }
    return rules;
  });
}

rc::Gen<Options> AnyOptions() {
  return rc::gen::exec([] {
    Options options;
    options.min = *rc::gen::inRange(0, 10);
    options.max = options.min + *rc::gen::inRange(0, 200);
    options.behavior.up = *AnyRules();
    options.behavior.down = *AnyRules();
    if (*rc::gen::arbitrary<bool>()) {
      options.fallback =
          Fallback{Duration(1000LL * *rc::gen::inRange(0, 60)), *rc::gen::inRange(0, 300),
                   *rc::gen::element(FallbackBehavior::kStatic, FallbackBehavior::kCurrentReplicas,
                                     FallbackBehavior::kCurrentReplicasIfHigher,
                                     FallbackBehavior::kCurrentReplicasIfLower)};
    }
    return options;
  });
}

sizing::Proposal Good(Replicas replicas) {
  sizing::Proposal proposal;
  proposal.quality = Quality::kOk;
  proposal.replicas = replicas;
  return proposal;
}

rc::Gen<sizing::Proposal> AnyProposal() {
  return rc::gen::exec([] {
    sizing::Proposal proposal = Good(*rc::gen::inRange(0, 300));
    proposal.quality = *rc::gen::element(Quality::kOk, Quality::kOk, Quality::kOk,
                                         Quality::kPartial, Quality::kStale, Quality::kError);
    if (!signals::MayGrow(proposal.quality)) proposal.replicas.reset();
    return proposal;
  });
}

rc::Gen<std::vector<Moment>> AnyHistory() {
  return rc::gen::exec([] {
    std::vector<Moment> history(static_cast<std::size_t>(*rc::gen::inRange(1, 60)));
    for (Moment& moment : history) {
      moment.wait_s = *rc::gen::element(1, 5, 5, 15, 15, 60, 300);
      const int count = *rc::gen::inRange(1, 3);
      for (int i = 0; i < count; ++i) moment.proposals.push_back(*AnyProposal());
    }
    return history;
  });
}

// The HPA, written as its source is: whole lists, strict cutoffs, int32 and doubles.
class NaiveHpa {
 public:
  NaiveHpa(Options options, Replicas current, Instant now)
      : options_(std::move(options)), current_(current), recommendations_{{now, current}} {}

  // `proposed` unset: the metrics failed, or may not shrink the pool; the HPA returns an error.
  Replicas Tick(std::optional<Replicas> proposed, Instant now) {
    Replicas desired = current_;
    if (current_ > options_.max) {
      desired = options_.max;
    } else if (current_ < options_.min) {
      desired = options_.min;
    } else if (proposed) {
      desired = Limit(Stabilize(Tolerate(*proposed), now), now);
    }
    if (desired != current_) events_.push_back({now, desired - current_});
    current_ = desired;
    return desired;
  }

 private:
  Replicas Tolerate(Replicas proposed) const {
    const ScalingRules& rules = proposed > current_ ? options_.behavior.up : options_.behavior.down;
    const double tolerance = rules.tolerance.value_or(kDefaultTolerance);
    return std::abs(proposed - current_) <= tolerance * current_ + 1e-9 ? current_ : proposed;
  }

  Replicas Stabilize(Replicas desired, Instant now) {
    Replicas up = desired;
    Replicas down = desired;
    for (const Recommendation& recommendation : recommendations_) {
      if (recommendation.at > now - options_.behavior.up.stabilization_window) {
        up = std::min(up, recommendation.replicas);
      }
      if (recommendation.at > now - options_.behavior.down.stabilization_window) {
        down = std::max(down, recommendation.replicas);
      }
    }
    recommendations_.push_back({now, desired});
    Replicas result = current_;
    if (result < up) result = up;
    if (result > down) result = down;
    return result;
  }

  Replicas PeriodStart(const ScalingPolicy& policy, Instant now) const {
    Replicas added = 0;
    Replicas removed = 0;
    for (const ScaleEvent& event : events_) {
      if (!(event.at > now - policy.period)) continue;
      if (event.change > 0) added += event.change;
      if (event.change < 0) removed -= event.change;
    }
    return current_ - added + removed;
  }

  Replicas UpLimit(Instant now) const {
    const ScalingRules& rules = options_.behavior.up;
    if (rules.select == SelectPolicy::kDisabled) return current_;
    Replicas result = rules.select == SelectPolicy::kMin ? INT_MAX : INT_MIN;
    for (const ScalingPolicy& policy : rules.policies) {
      const Replicas start = PeriodStart(policy, now);
      const Replicas proposed =
          policy.type == PolicyType::kPods
              ? start + policy.value
              : static_cast<Replicas>(std::ceil(static_cast<double>(start) *
                                                (1 + static_cast<double>(policy.value) / 100)));
      result = rules.select == SelectPolicy::kMin ? std::min(result, proposed)
                                                  : std::max(result, proposed);
    }
    return result;
  }

  Replicas DownLimit(Instant now) const {
    const ScalingRules& rules = options_.behavior.down;
    if (rules.select == SelectPolicy::kDisabled) return current_;
    Replicas result = rules.select == SelectPolicy::kMin ? INT_MIN : INT_MAX;
    for (const ScalingPolicy& policy : rules.policies) {
      const Replicas start = PeriodStart(policy, now);
      const Replicas proposed =
          policy.type == PolicyType::kPods
              ? start - policy.value
              : static_cast<Replicas>(static_cast<double>(start) *
                                      (1 - static_cast<double>(policy.value) / 100));
      result = rules.select == SelectPolicy::kMin ? std::max(result, proposed)
                                                  : std::min(result, proposed);
    }
    return result;
  }

  Replicas Limit(Replicas desired, Instant now) const {
    if (desired > current_) {
      return std::min({desired, options_.max, std::max(UpLimit(now), current_)});
    }
    if (desired < current_) {
      return std::max({desired, options_.min, std::min(DownLimit(now), current_)});
    }
    return desired;
  }

  Options options_;
  Replicas current_;
  std::vector<Recommendation> recommendations_;
  std::vector<ScaleEvent> events_;
};

// What the HPA's metrics step makes of the proposals: the largest valid one, or an error.
std::optional<Replicas> HpaMetrics(const std::vector<sizing::Proposal>& proposals,
                                   Replicas current) {
  std::optional<Replicas> largest;
  bool all_ok = true;
  for (const sizing::Proposal& proposal : proposals) {
    if (proposal.replicas) largest = std::max(largest.value_or(0), *proposal.replicas);
    all_ok = all_ok && proposal.quality == Quality::kOk;
  }
  if (largest && *largest < current && !all_ok) return std::nullopt;
  return largest;
}

constexpr Instant kStart = FromUnixMillis(1'000'000'000);

RC_GTEST_PROP(GuardsProperty, EqualsTheNaiveHpa, ()) {
  Options options = *AnyOptions();
  options.fallback.reset();
  Replicas current = *rc::gen::inRange(0, 250);
  Memory memory;
  Instant now = kStart;
  NaiveHpa oracle(options, current, now);
  for (const Moment& moment : *AnyHistory()) {
    const Applied applied = Apply(moment.proposals, current, options, memory, now);
    RC_ASSERT(applied.desired.replicas == oracle.Tick(HpaMetrics(moment.proposals, current), now));
    current = applied.desired.replicas;
    memory = applied.memory;
    now += Duration(1000LL * moment.wait_s);
  }
}

RC_GTEST_PROP(GuardsProperty, StaysWithinMinAndMax, ()) {
  const Options options = *AnyOptions();
  Replicas current = *rc::gen::inRange(0, 250);
  Memory memory;
  Instant now = kStart;
  for (const Moment& moment : *AnyHistory()) {
    const Applied applied = Apply(moment.proposals, current, options, memory, now);
    RC_ASSERT(applied.desired.replicas >= options.min);
    RC_ASSERT(applied.desired.replicas <= options.max);
    current = applied.desired.replicas;
    memory = applied.memory;
    now += Duration(1000LL * moment.wait_s);
  }
}

RC_GTEST_PROP(GuardsProperty, MoreDemandNeverGivesFewerReplicas, ()) {
  const Options options = *AnyOptions();
  Replicas current = *rc::gen::inRange(0, 250);
  Memory memory;
  Instant now = kStart;
  for (const Moment& moment : *AnyHistory()) {
    std::vector<sizing::Proposal> more = moment.proposals;
    for (sizing::Proposal& proposal : more) {
      if (proposal.replicas) *proposal.replicas += *rc::gen::inRange(0, 40);
    }
    const Applied applied = Apply(moment.proposals, current, options, memory, now);
    RC_ASSERT(Apply(more, current, options, memory, now).desired.replicas >=
              applied.desired.replicas);
    current = applied.desired.replicas;
    memory = applied.memory;
    now += Duration(1000LL * moment.wait_s);
  }
}

RC_GTEST_PROP(GuardsProperty, AnotherSignalNeverLowersTheSize, ()) {
  const Options options = *AnyOptions();
  const Replicas current = *rc::gen::inRange(0, 250);
  const Replicas wanted = *rc::gen::inRange(0, 300);
  std::vector<sizing::Proposal> two{Good(wanted), *AnyProposal()};
  const Replicas one = Apply({Good(wanted)}, current, options, Memory{}, kStart).desired.replicas;
  RC_ASSERT(Apply(two, current, options, Memory{}, kStart).desired.replicas >= one);
}

RC_GTEST_PROP(GuardsProperty, BadReadingsNeverShrinkWithoutFallback, ()) {
  Options options = *AnyOptions();
  options.fallback.reset();
  const Replicas current = *rc::gen::inRange(options.min, options.max + 1);
  std::vector<sizing::Proposal> proposals{Good(*rc::gen::inRange(0, 300)), *AnyProposal()};
  proposals[1].quality = *rc::gen::element(Quality::kPartial, Quality::kStale, Quality::kError);
  if (proposals[1].quality != Quality::kPartial) proposals[1].replicas.reset();
  Memory memory;
  memory.desired = current;
  RC_ASSERT(Apply(proposals, current, options, memory, kStart).desired.replicas >= current);
}

RC_GTEST_PROP(GuardsProperty, LimitsTellTheWholeWay, ()) {
  const Options options = *AnyOptions();
  Replicas current = *rc::gen::inRange(0, 250);
  Memory memory;
  Instant now = kStart;
  for (const Moment& moment : *AnyHistory()) {
    const Applied applied = Apply(moment.proposals, current, options, memory, now);
    const Desired& desired = applied.desired;
    for (std::size_t i = 1; i < desired.limits.size(); ++i) {
      RC_ASSERT(desired.limits[i].before == desired.limits[i - 1].after);
    }
    if (desired.limits.empty()) {
      RC_ASSERT(desired.replicas == desired.proposed);
      RC_ASSERT(desired.reason == Reason::kDesiredWithinRange);
    } else {
      RC_ASSERT(desired.limits.back().after == desired.replicas);
      RC_ASSERT(desired.limits.back().reason == desired.reason);
    }
    current = desired.replicas;
    memory = applied.memory;
    now += Duration(1000LL * moment.wait_s);
  }
}

RC_GTEST_PROP(GuardsProperty, MemoryIsBoundedByItsWindows, ()) {
  const Options options = *AnyOptions();
  Replicas current = *rc::gen::inRange(0, 250);
  Memory memory;
  Instant now = kStart;
  const Duration longest = std::max(options.behavior.up.stabilization_window,
                                    options.behavior.down.stabilization_window);
  for (const Moment& moment : *AnyHistory()) {
    const Applied applied = Apply({Good(moment.wait_s)}, current, options, memory, now);
    for (const Recommendation& recommendation : applied.memory.recommendations) {
      // The size at first sight stays until a tick comes through the windows.
      RC_ASSERT(recommendation.at > now - longest || recommendation.at == kStart);
    }
    for (const ScaleEvent& event : applied.memory.events) {
      RC_ASSERT(event.at > now - Duration(200'000));
    }
    current = applied.desired.replicas;
    memory = applied.memory;
    now += Duration(1000LL * moment.wait_s);
  }
}

}  // namespace
}  // namespace tidegate::guards
