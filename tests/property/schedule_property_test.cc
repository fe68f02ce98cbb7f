// A scheduled load's floor over random schedules and pools.
#include <algorithm>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "policies/sizing/schedule.h"

namespace tidegate::sizing {
namespace {

constexpr Instant kBegin = FromUnixMillis(1'795'708'800'000);

Schedule Event(Rate rate, Duration duration, Duration ramp) {
  ScheduleEntry entry;
  entry.name = "event";
  entry.at = kBegin;
  entry.duration = duration;
  entry.requests_per_second = rate;
  entry.ramp = ramp;
  return {{Zone{}}, {entry}};
}

const std::vector<ScalingPolicy> kPolicies{{ScalingPolicyType::kPods, 4, Duration(15'000)},
                                           {ScalingPolicyType::kPercent, 20, Duration(60'000)}};

struct Case {
  Schedule schedule;
  Growth growth;
  Instant now;
};
Case AnyCase(Rate rate) {
  const Duration ramp = std::chrono::seconds(*rc::gen::element(0, 0, 1, 60, 600, 3'600));
  const Duration duration = std::chrono::seconds(*rc::gen::inRange(1, 7'200));
  const IntOrPercent surge{*rc::gen::element(0, 1, 3, 10, 25, 100), *rc::gen::arbitrary<bool>()};
  return {Event(rate, duration, ramp),
          {.serving = *rc::gen::inRange(0, 200),
           .surge = surge,
           .rolling = *rc::gen::inRange(0, 5) != 0,
           .wave = Duration(*rc::gen::inRange(1, 200'000)),
           .limits = {std::span(kPolicies).first(*rc::gen::inRange<std::size_t>(0, 3)),
                      *rc::gen::element(SelectPolicy::kMax, SelectPolicy::kMin)}},
          kBegin -
              std::chrono::seconds(*rc::gen::inRange(-3'600, 7'200) - *rc::gen::inRange(0, 3'600))};
}

Replicas Floors(const Case& one) {
  return FloorOf(one.schedule.entries[0], one.schedule, one.growth, 100, one.now).replicas;
}

RC_GTEST_PROP(SchedulePropertyTest, MoreLoadNeverGivesFewerReplicas, ()) {
  Case one = AnyCase(*rc::gen::inRange(1, 40'000));
  const Replicas fewer = Floors(one);
  *one.schedule.entries[0].requests_per_second += *rc::gen::inRange(0, 20'000);
  RC_ASSERT(Floors(one) >= fewer);
}

RC_GTEST_PROP(SchedulePropertyTest, ASlowerPoolNeverGivesFewerReplicas, ()) {
  Case one = AnyCase(*rc::gen::inRange(1, 40'000));
  const Replicas fewer = Floors(one);
  one.growth.wave += Duration(*rc::gen::inRange(0, 100'000));
  RC_ASSERT(Floors(one) >= fewer);
}

// Every instant's need is due by then: whatever the waves, nothing is late.
RC_GTEST_PROP(SchedulePropertyTest, WhatIsNeededWithinItsLeadIsDue, ()) {
  const Case one = AnyCase(*rc::gen::inRange(1, 40'000));
  const ScheduleEntry& entry = one.schedule.entries[0];
  const Duration ahead(*rc::gen::element(1, 10, 1'000) * *rc::gen::inRange(0, 3'600));
  const Instant then = one.now + ahead;
  // The need at `then` is the floor of a pool without any lead.
  const Growth none{.serving = kMaxReplicas, .wave = Duration(0)};
  const Replicas need = FloorOf(entry, one.schedule, none, 100, then).replicas;
  if (then <= kBegin && LeadTo(one.growth, need) >= ahead) RC_ASSERT(Floors(one) >= need);
}

// And nothing is early: some instant within its lead needs it.
RC_GTEST_PROP(SchedulePropertyTest, NothingIsDueThatNoInstantWithinItsLeadNeeds, ()) {
  const Case one = AnyCase(*rc::gen::inRange(1, 40'000));
  const ScheduleEntry& entry = one.schedule.entries[0];
  const Replicas floor = Floors(one);
  RC_CLASSIFY(floor > 0);
  if (floor == 0 || one.now >= kBegin) return;
  const Growth none{.serving = kMaxReplicas, .wave = Duration(0)};
  const Instant last = std::min(kBegin, one.now + LeadTo(one.growth, floor));
  RC_ASSERT(FloorOf(entry, one.schedule, none, 100, last).replicas >= floor);
}

}  // namespace
}  // namespace tidegate::sizing
