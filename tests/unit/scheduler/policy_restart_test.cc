// A restart loses nothing: decisions with the policies' memory written down and read again after
// every tick are those without.
#include <algorithm>

#include <gtest/gtest.h>

#include "scheduler/decision/decision.h"
#include "scheduler/journal/decision_record.h"

namespace tidegate::decision {
namespace {

constexpr Instant At(int seconds) { return FromUnixMillis(1'795'651'200'000 + 1000LL * seconds); }

PoolSpec Spec() {
  PoolSpec spec;
  spec.id = {"istio-system", "edge"};
  spec.revision = "aaaa0001";
  spec.scaled = true;
  spec.policies = {FindPolicy("kpa")->options};
  auto& options = std::get<sizing::KpaOptions>(spec.policies[0]);
  options.stable_window = std::chrono::seconds(30);
  options.scale_down_delay = std::chrono::seconds(8);
  options.target_utilization_percentage = 100;
  spec.targets = {{"inflight", 10, signals::Measure::kInflight}};
  spec.guards.min = 0;
  spec.guards.max = 100;
  spec.guards.guarding = GuardingOf(spec.policies, false);
  return spec;
}

// A calm, a burst, a failing source, a calm, and nothing: panic, hold, end, delay, zero.
signals::Reading Load(int second) {
  signals::Reading reading;
  reading.signal = "inflight";
  reading.quality = second >= 50 && second < 53 ? signals::Quality::kError : signals::Quality::kOk;
  const double value = second < 40 ? 20.0 / 3 : second < 60 ? 177.7 : second < 120 ? 31.1 : 0;
  if (reading.quality == signals::Quality::kOk) reading.value = value;
  return reading;
}

PoolState Restarted(const PoolState& state) {
  const auto read = journal::DecodeState(journal::EncodeState(state));
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read.value_or(PoolState{});
}

TEST(PolicyRestartTest, InMidPanicAndInMidWindowChangesNoDecision) {
  const PoolSpec spec = Spec();
  PoolState steady;
  PoolState restarted;
  bool panicked = false;
  Replicas ready = 1;
  for (int second = 0; second < 260; ++second) {
    signals::PoolSnapshot pool;
    pool.id = spec.id;
    pool.declared = 1;
    signals::ReplicaView view;
    view.revision = spec.revision;
    view.phase = signals::Phase::kReady;
    view.ready_at = view.started;
    for (Replicas i = 0; i < ready; ++i) {
      view.name = "edge-" + std::to_string(100 + i);
      pool.replicas.push_back(view);
    }
    pool.readings = {Load(second)};
    const Outcome one = Decide(spec, pool, At(second), steady);
    const Outcome two = Decide(spec, pool, At(second), restarted);
    ASSERT_EQ(ToText(one.decision), ToText(two.decision)) << second;
    ASSERT_EQ(one.state, two.state) << second;
    steady = one.state;
    restarted = Restarted(two.state);
    const auto& memory = std::get<sizing::KpaMemory>(steady.policies.at(0));
    panicked = panicked || memory.signals.at(0).state.panic_since;
    if (second % 3 == 0) ready = one.decision.desired.replicas;
  }
  EXPECT_TRUE(panicked);
  EXPECT_EQ(steady.guards.desired, 0);
}

// keda between its failures and in its cooldown, hpa in its window: one pool each, 15 s apart.
TEST(PolicyRestartTest, InMidFailureAndInMidCooldownChangesNoDecision) {
  for (const char* policy : {"keda", "hpa"}) {
    PoolSpec spec = Spec();
    spec.policies = {FindPolicy(policy)->options};
    if (auto* keda = std::get_if<sizing::KedaOptions>(&spec.policies[0])) {
      keda->cooldown_period = std::chrono::seconds(100);
      keda->fallback = sizing::KedaFallback{2, 7, sizing::KedaFallbackBehavior::kStatic};
    }
    spec.guards.guarding = GuardingOf(spec.policies, false);
    PoolState steady;
    PoolState restarted;
    std::vector<Replicas> sizes;
    for (int second = 0; second < 1'500; second += 15) {
      signals::PoolSnapshot pool;
      pool.id = spec.id;
      pool.declared = 3;
      pool.readings = {Load(second / 10)};
      if (second / 15 % 20 > 15) pool.readings[0].quality = signals::Quality::kError;
      const Outcome one = Decide(spec, pool, At(second), steady);
      const Outcome two = Decide(spec, pool, At(second), restarted);
      ASSERT_EQ(ToText(one.decision), ToText(two.decision)) << policy << " " << second;
      ASSERT_EQ(one.state, two.state) << policy << " " << second;
      steady = one.state;
      restarted = Restarted(two.state);
      sizes.push_back(one.decision.desired.replicas);
    }
    EXPECT_GT(*std::ranges::max_element(sizes), 10) << policy;
    EXPECT_LT(sizes.back(), 8) << policy;
  }
}

}  // namespace
}  // namespace tidegate::decision
