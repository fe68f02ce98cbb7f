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
#include "policies/sizing/hpa.h"
#include "tests/testing/ready_pool.h"

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

struct Pool : testing::ReadyPool {
  const PolicyEntry* policy = nullptr;
  PolicyMemory memory;

  Replicas Decide(int second, std::vector<signals::Reading> seen, Replicas surge) {
    readings = std::move(seen);
    const auto size = [&](const sizing::Input& input) {
      return policy->size(input, policy->options, memory);
    };
    return Take(Propose(At(second), size, surge), At(second)).replicas;
  }
};

rc::Gen<Pool> AnyPool() {
  return rc::gen::exec([] {
    Pool pool;
    std::vector<const PolicyEntry*> policies;
    for (const PolicyEntry& policy : Policies()) {
      if (!policy.history) policies.push_back(&policy);
    }
    pool.capacity = Stated();
    pool.policy = *rc::gen::elementOf(policies);
    pool.memory = pool.policy->memory;
    pool.guards.min = *rc::gen::inRange(0, 4);
    pool.guards.max = *rc::gen::inRange(4, 200);
    pool.guards.behavior_written = *rc::gen::arbitrary<bool>();
    pool.guards.guarding =
        pool.guards.behavior_written ? pool.policy->with_behavior : pool.policy->guarding;
    pool.guards.behavior.up.tolerance = *rc::gen::element(0.0, 0.1, 0.5);
    pool.guards.behavior.down.stabilization_window =
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
  RC_PRE(!pool.guards.guarding.classic || readings[1].quality == Quality::kOk);
  RC_ASSERT(with >= other.Decide(second, readings, 0));
}

RC_GTEST_PROP(PolicyProperty, BoundsAlwaysHold, ()) {
  Pool pool = *AnyPool();
  for (int second = 0; second < 600; second += *rc::gen::element(15, 30, 120)) {
    const bool left_alone = pool.policy->name == "hpa" && pool.current == 0 && pool.guards.min > 0;
    const Replicas size =
        pool.Decide(second, {AnyReading("rps"), AnyReading("queue")}, *rc::gen::inRange(0, 3));
    RC_ASSERT(size <= pool.guards.max);
    RC_ASSERT((left_alone ? size == 0 : size >= pool.guards.min));
  }
}

RC_GTEST_PROP(PolicyProperty, EqualPoolsDecideEqually, ()) {
  Pool pool = *AnyPool();
  const int second = Live(pool);
  const std::vector<signals::Reading> readings{AnyReading("rps"), AnyReading("queue")};
  Pool other = pool;
  RC_ASSERT(pool.Decide(second, readings, 1) == other.Decide(second, readings, 1));
  RC_ASSERT(pool.guard_memory == other.guard_memory);
  RC_ASSERT(pool.memory == other.memory);
}

RC_GTEST_PROP(HpaPodsProperty, MoreLoadOnTheReplicasNeverAsksForFewer, ()) {
  sizing::HpaPods pods;
  pods.ready = *rc::gen::inRange(1, 50);
  pods.missing = *rc::gen::inRange(0, 10);
  pods.unready = *rc::gen::inRange(0, 10);
  const Replicas current = pods.known = pods.ready + pods.missing + pods.unready;
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
