// What holds for every policy whatever its pool sees. Those that learn from the past are held to it
// by forecast_property_test.cc. (The HPA's types Value, Pods and Resource are monotone only where
// as many replicas are ready, or are missing, as are declared: their size is a ratio times a count,
// so that a load outside tolerance may ask for fewer than one within.)
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/catalog.h"
#include "policies/guards/apply.h"
#include "policies/sizing/hpa.h"

namespace tidegate {
namespace {

using signals::Quality;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }

sizing::Capacity Stated() {
  sizing::Capacity capacity;
  capacity.service_time = Duration(50);
  capacity.workers = 8;
  capacity.latency_objective = Duration(250);
  return capacity;
}

struct Pool {
  const PolicyEntry* policy = nullptr;
  guards::Options options;
  std::vector<sizing::SignalTarget> targets;
  Replicas current = 0;
  guards::Memory guards;
  PolicyMemory memory;

  Replicas Decide(int second, const std::vector<signals::Reading>& readings, Replicas surge) {
    std::vector<signals::ReplicaView> views(static_cast<std::size_t>(current + surge));
    for (auto& view : views) view.phase = signals::Phase::kReady;
    sizing::Input input;
    input.now = At(second);
    input.current = current;
    input.min = options.min;
    input.max = options.max;
    input.targets = targets;
    input.readings = readings;
    input.replicas = views;
    input.capacity = Stated();
    input.behavior = options.behavior_written;
    input.tolerances = {options.behavior.up.tolerance, options.behavior.down.tolerance};
    const sizing::Sizing sizing = policy->size(input, policy->options, memory);
    std::optional<guards::AtOnce> at_once;
    if (sizing.at_once) at_once = guards::AtOnce{*sizing.at_once, sizing.why};
    auto applied = guards::Apply(sizing.proposals, current, options, guards, At(second), at_once,
                                 sizing.leave_alone);
    guards = std::move(applied.memory);
    current = applied.desired.replicas;
    return current;
  }
};

rc::Gen<Pool> AnyPool() {
  return rc::gen::exec([] {
    Pool pool;
    std::vector<const PolicyEntry*> policies;
    for (const PolicyEntry& policy : Policies()) {
      if (!policy.history) policies.push_back(&policy);
    }
    pool.policy = *rc::gen::elementOf(policies);
    pool.memory = pool.policy->memory;
    pool.options.min = *rc::gen::inRange(0, 4);
    pool.options.max = *rc::gen::inRange(4, 200);
    pool.options.behavior_written = *rc::gen::arbitrary<bool>();
    pool.options.guarding =
        pool.options.behavior_written ? pool.policy->with_behavior : pool.policy->guarding;
    pool.options.behavior.up.tolerance = *rc::gen::element(0.0, 0.1, 0.5);
    pool.options.behavior.down.stabilization_window =
        std::chrono::seconds(*rc::gen::element(0, 60, 300));
    pool.targets = {{"rps", 10, signals::Measure::kRequests}, {"queue", 7}};
    pool.current = *rc::gen::inRange(0, 120);
    return pool;
  });
}

signals::Reading AnyReading(const std::string& signal) {
  signals::Reading reading;
  reading.signal = signal;
  reading.quality = *rc::gen::element(Quality::kOk, Quality::kOk, Quality::kOk, Quality::kPartial,
                                      Quality::kStale, Quality::kEmpty, Quality::kError);
  if (signals::MayGrow(reading.quality)) reading.value = *rc::gen::inRange(0, 2'000'000) / 1000.0;
  return reading;
}

// A pool with a past, and the second of its next decision.
int Live(Pool& pool) {
  const int ticks = *rc::gen::inRange(0, 12);
  int second = 0;
  for (int i = 0; i < ticks; ++i, second += *rc::gen::element(1, 15, 40)) {
    (void)pool.Decide(second, {AnyReading("rps"), AnyReading("queue")}, *rc::gen::inRange(0, 3));
  }
  return second;
}

RC_GTEST_PROP(PolicyProperty, MoreDemandNeverGivesFewerReplicas, ()) {
  Pool pool = *AnyPool();
  const int second = Live(pool);
  std::vector<signals::Reading> readings{AnyReading("rps"), AnyReading("queue")};
  readings[0].quality = Quality::kOk;
  const Replicas surge = *rc::gen::inRange(0, 10);
  Pool other = pool;
  const Replicas less = pool.Decide(second, readings, surge);
  readings[0].value += *rc::gen::inRange(1, 500'000) / 1000.0;
  RC_ASSERT(other.Decide(second, readings, surge) >= less);
}

RC_GTEST_PROP(PolicyProperty, AFurtherSignalNeverLowersTheSize, ()) {
  Pool pool = *AnyPool();
  const int second = Live(pool);
  std::vector<signals::Reading> readings{AnyReading("rps"), AnyReading("queue")};
  Pool other = pool;
  other.targets.pop_back();
  const Replicas with = pool.Decide(second, readings, 0);
  // Where the first one is not usable a pool knows nothing without the second, and is held.
  RC_PRE(readings[0].quality == Quality::kOk);
  // The HPA without a `behavior` grows on what an earlier recommendation left to do, unless a
  // metric fails.
  RC_PRE(!pool.options.guarding.classic || readings[1].quality == Quality::kOk);
  RC_ASSERT(with >= other.Decide(second, readings, 0));
}

RC_GTEST_PROP(PolicyProperty, BoundsAlwaysHold, ()) {
  Pool pool = *AnyPool();
  for (int second = 0; second < 600; second += *rc::gen::element(15, 30, 120)) {
    const bool left_alone = pool.policy->name == "hpa" && pool.current == 0 && pool.options.min > 0;
    const Replicas size =
        pool.Decide(second, {AnyReading("rps"), AnyReading("queue")}, *rc::gen::inRange(0, 3));
    RC_ASSERT(size <= pool.options.max);
    RC_ASSERT((left_alone ? size == 0 : size >= pool.options.min));
  }
}

RC_GTEST_PROP(PolicyProperty, EqualPoolsDecideEqually, ()) {
  Pool pool = *AnyPool();
  const int second = Live(pool);
  const std::vector<signals::Reading> readings{AnyReading("rps"), AnyReading("queue")};
  Pool other = pool;
  RC_ASSERT(pool.Decide(second, readings, 1) == other.Decide(second, readings, 1));
  RC_ASSERT(pool.guards == other.guards);
  RC_ASSERT(pool.memory == other.memory);
}

RC_GTEST_PROP(HpaPodsProperty, MoreLoadOnTheReplicasNeverAsksForFewer, ()) {
  sizing::HpaPods pods;
  pods.samples = pods.ready = *rc::gen::inRange(1, 50);
  pods.missing = *rc::gen::inRange(0, 10);
  pods.unready = *rc::gen::inRange(0, 10);
  const Replicas current = pods.ready + pods.missing + pods.unready;
  const auto request =
      *rc::gen::element(std::optional<std::int64_t>{}, std::optional<std::int64_t>{1'000});
  const std::int64_t target = request ? *rc::gen::inRange(1, 250) : *rc::gen::inRange(1, 20'000);
  const sizing::Tolerances tolerances{*rc::gen::element(0.0, 0.1), *rc::gen::element(0.0, 0.1)};
  pods.sum = std::int64_t{pods.ready} * *rc::gen::inRange(0, 40'000);
  const auto less = sizing::ByPods(pods, target, request, current, tolerances);
  pods.sum += *rc::gen::inRange(1, 1'000'000);
  const auto more = sizing::ByPods(pods, target, request, current, tolerances);
  RC_ASSERT(*more.replicas >= *less.replicas);
}

}  // namespace
}  // namespace tidegate
