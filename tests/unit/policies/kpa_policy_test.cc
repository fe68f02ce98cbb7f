// The policy `kpa`: from a pool's readings to Knative's samples, tick by tick.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/guards/apply.h"
#include "policies/sizing/kpa.h"

namespace tidegate::sizing {
namespace {

using signals::Measure;
using signals::Quality;
using ::testing::HasSubstr;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }

struct Pool {
  KpaOptions options;
  KpaMemory memory;
  std::vector<SignalTarget> targets{{"inflight", 10, Measure::kInflight}};
  std::vector<signals::Reading> readings{{"inflight", Quality::kOk, 0, {}, 0, 0, ""}};
  std::vector<signals::ReplicaView> replicas;
  Replicas min = 1;
  Capacity capacity{};

  explicit Pool(Replicas ready) {
    options.target_utilization_percentage = 100;
    SetReady(ready);
  }
  void SetReady(Replicas ready) {
    signals::ReplicaView view;
    view.phase = signals::Phase::kReady;
    replicas.assign(static_cast<std::size_t>(ready), view);
  }
  Sizing Size(int second) {
    Input input;
    input.now = At(second);
    input.current = static_cast<Replicas>(replicas.size());
    input.min = min;
    input.max = 1'000;
    input.targets = targets;
    input.readings = readings;
    input.replicas = replicas;
    input.capacity = capacity;
    return Kpa::Size(input, options, memory);
  }
  Proposal Tick(int second, double value, Quality quality = Quality::kOk) {
    readings[0].value = value;
    readings[0].quality = quality;
    const Sizing sizing = Size(second);
    EXPECT_EQ(sizing.proposals.size(), 1u);
    EXPECT_FALSE(sizing.at_once);
    return sizing.proposals.at(0);
  }
  const KpaWindow& window() const { return memory.signals.at(0).window; }
};

TEST(KpaPolicyTest, FollowsTheStableWindow) {
  Pool pool(1);
  EXPECT_EQ(pool.Tick(0, 10).replicas, 1);
  const Proposal proposal = pool.Tick(1, 20);
  EXPECT_EQ(proposal.replicas, 2);  // 15 of 10, and a panic at 2 of 1
  EXPECT_EQ(proposal.value, 15);
  EXPECT_EQ(proposal.target, 10);
  EXPECT_THAT(proposal.note, HasSubstr("stable 15 over 1m gives 2, panic 15 over 6s gives 2"));
  EXPECT_THAT(proposal.note, HasSubstr("in panic since"));
}

TEST(KpaPolicyTest, NoDecisionGuardsOfOursAct) {
  EXPECT_EQ(Kpa::kGuarding, (Guarding{false, false, false, false, false}));
}

TEST(KpaPolicyTest, AReadingStandsForTheSecondsSinceTheDecisionBefore) {
  Pool pool(4);
  (void)pool.Tick(0, 30);
  (void)pool.Tick(5, 40);
  EXPECT_EQ(pool.window().values, (std::vector<double>{30, 40, 40, 40, 40, 40}));
  (void)pool.Tick(6, 50);
  EXPECT_EQ(pool.window().values.back(), 50);
  EXPECT_EQ(pool.window().values.size(), 7u);
}

TEST(KpaPolicyTest, AfterAWholeWindowWithoutADecisionItBeginsAnew) {
  Pool pool(4);
  (void)pool.Tick(0, 30);
  (void)pool.Tick(60, 90);
  EXPECT_EQ(pool.window().values, (std::vector<double>{90}));
  (void)pool.Tick(119, 10);  // one second less is still the same window
  EXPECT_EQ(pool.window().values.size(), 60u);
}

TEST(KpaPolicyTest, TwoDecisionsInOneSecondWriteItOnce) {
  Pool pool(4);
  (void)pool.Tick(0, 30);
  (void)pool.Tick(0, 90);
  EXPECT_EQ(pool.window().values, (std::vector<double>{30}));
}

TEST(KpaPolicyTest, AReadingThatCannotBeUsedIsAGap) {
  Pool pool(4);
  (void)pool.Tick(0, 40);
  (void)pool.Tick(1, 0, Quality::kError);
  (void)pool.Tick(2, 40);
  EXPECT_EQ(pool.window().values, (std::vector<double>{40, 0, 40}));
}

TEST(KpaPolicyTest, WhileReadingsFailTheWindowsGoOnButOnlyGrow) {
  Pool pool(4);
  (void)pool.Tick(0, 100);
  pool.readings[0].detail = "HTTP 503";
  const Proposal proposal = pool.Tick(3, 0, Quality::kError);
  EXPECT_EQ(proposal.replicas, 10);
  EXPECT_EQ(proposal.quality, Quality::kPartial);
  EXPECT_THAT(proposal.note, HasSubstr("HTTP 503"));
}

TEST(KpaPolicyTest, WithoutDataForLongerThanAWindowItProposesNothing) {
  Pool pool(4);
  (void)pool.Tick(0, 100);
  for (int second = 10; second <= 60; second += 10) {
    EXPECT_TRUE(pool.Tick(second, 0, Quality::kStale).replicas) << second;
  }
  const Proposal proposal = pool.Tick(61, 0, Quality::kStale);
  EXPECT_FALSE(proposal.replicas);
  EXPECT_EQ(proposal.quality, Quality::kStale);
  EXPECT_THAT(proposal.note, HasSubstr("no usable reading in the stable window"));
}

TEST(KpaPolicyTest, ASignalThatWasNeverReadProposesNothing) {
  Pool pool(4);
  pool.readings.clear();
  const Sizing sizing = pool.Size(0);
  ASSERT_EQ(sizing.proposals.size(), 1u);
  EXPECT_FALSE(sizing.proposals[0].replicas);
  EXPECT_EQ(sizing.proposals[0].quality, Quality::kError);
}

TEST(KpaPolicyTest, APartialReadingCountsWhereKnativesSampleWouldHaveBeenLargeEnough) {
  Pool pool(10);
  pool.readings[0].expected = 10;
  pool.readings[0].series = 7;  // of 10, Knative asks 7
  (void)pool.Tick(0, 70, Quality::kPartial);
  EXPECT_EQ(pool.window().values, (std::vector<double>{100}));
  pool.readings[0].series = 6;
  EXPECT_EQ(pool.Tick(1, 60, Quality::kPartial).quality, Quality::kPartial);
  EXPECT_EQ(pool.window().values, (std::vector<double>{100}));
}

TEST(KpaPolicyTest, StartsInPanicWithSeveralReadyReplicas) {
  Pool pool(7);
  EXPECT_EQ(pool.Tick(0, 10).replicas, 7);
  for (int second = 2; second <= 60; second += 2) EXPECT_EQ(pool.Tick(second, 10).replicas, 7);
  EXPECT_EQ(pool.Tick(62, 10).replicas, 3);
}

TEST(KpaPolicyTest, TheSmallerOfTargetAndConcurrencyCountsForRequestsInProgress) {
  Pool pool(1);
  pool.capacity.concurrency = 5;
  EXPECT_EQ(pool.Tick(0, 10).target, 5);
  pool.targets[0].measure = Measure::kRequests;
  EXPECT_EQ(pool.Tick(1, 10).target, 10);
}

TEST(KpaPolicyTest, KnativesDefaultsWhereNoSignalHasATarget) {
  Pool pool(1);
  pool.options.target_utilization_percentage = 70;
  pool.targets = {{"rps", std::nullopt, Measure::kRequests},
                  {"inflight", std::nullopt, Measure::kInflight}};
  const Sizing sizing = pool.Size(0);
  ASSERT_EQ(sizing.proposals.size(), 1u);
  EXPECT_EQ(sizing.proposals[0].source, "inflight");
  EXPECT_EQ(sizing.proposals[0].target, 70);
}

TEST(KpaPolicyTest, EachSignalHasItsOwnScaler) {
  Pool pool(1);
  pool.targets.push_back({"rps", 100, Measure::kRequests});
  pool.targets.push_back({"latency", 0.2, Measure::kLatency});  // sizes nothing
  pool.readings.push_back({"rps", Quality::kOk, 500, {}, 0, 0, ""});
  pool.readings[0].value = 10;
  const Sizing sizing = pool.Size(0);
  ASSERT_EQ(sizing.proposals.size(), 2u);
  EXPECT_EQ(sizing.proposals[0].replicas, 1);
  EXPECT_EQ(sizing.proposals[1].replicas, 5);
  EXPECT_FALSE(pool.memory.signals[0].state.panic_since);
  EXPECT_TRUE(pool.memory.signals[1].state.panic_since);
  pool.targets.erase(pool.targets.begin());
  EXPECT_EQ(pool.Size(1).proposals.size(), 1u);
  EXPECT_EQ(pool.memory.signals.size(), 1u);
}

TEST(KpaPolicyTest, GoesToZeroByItsSteps) {
  Pool pool(1);
  pool.min = 0;
  pool.options.target_burst_capacity = 0;
  EXPECT_EQ(pool.Tick(0, 1).replicas, 1);
  const auto at = [&](int second) {
    const Proposal proposal = pool.Tick(second, 0);
    return *proposal.replicas;
  };
  for (int second = 1; second < 60; ++second) (void)pool.Tick(second, 0);
  EXPECT_EQ(at(60), 1);  // its second with load has just left, and it was active for 60 s
  EXPECT_EQ(pool.memory.zero.activity, KpaActivity::kInactive);
  EXPECT_THAT(pool.Tick(61, 0).note, HasSubstr("inactive since"));
  EXPECT_EQ(at(89), 1);
  EXPECT_EQ(at(90), 0);
}

// Pools of no load after the first second, whose bursts never fit.
TEST(KpaPolicyTest, GoesToZeroOnceInactiveWhereABurstNeverFit) {
  for (const std::int32_t burst : {-1, 211}) {
    Pool pool(1);
    pool.min = 0;
    pool.options.target_burst_capacity = burst;
    (void)pool.Tick(0, 1);
    for (int second = 1; second < 60; ++second) (void)pool.Tick(second, 0);
    EXPECT_EQ(pool.Tick(60, 0).replicas, 1);
    EXPECT_EQ(pool.Tick(61, 0).replicas, 0) << burst;
  }
}

TEST(KpaPolicyTest, ActivatorsAreInThePathWhereTheBurstOfOneSignalDoesNotFit) {
  Pool pool(1);
  pool.options.target_burst_capacity = 50;
  pool.targets = {{"inflight", 100, Measure::kInflight}, {"rps", 20, Measure::kRequests}};
  pool.readings.push_back({"rps", Quality::kOk, 1, {}, 0, 0, ""});
  (void)pool.Size(0);
  EXPECT_EQ(pool.memory.zero.proxied_since, At(0));
}

// Knative would take it to 0: a minimum is of pools that can be reached. Here minReplicas holds for
// whatever a policy says.
TEST(KpaPolicyTest, AnUnreachablePoolShrinksAtOnceButNotBelowItsMinimum) {
  Pool pool(9);
  pool.min = 3;
  pool.options.reachable = false;
  pool.memory.signals = {{"inflight", {}, {}}};  // not in its first panic
  guards::Options options;
  options.min = 3;
  options.max = 1'000;
  options.guarding = Kpa::kGuarding;
  const guards::Applied applied =
      guards::Apply({pool.Tick(0, 0)}, 9, options, guards::Memory{}, At(0));
  EXPECT_EQ(applied.desired.replicas, 3);
  EXPECT_EQ(applied.desired.reason, guards::Reason::kTooFewReplicas);
}

TEST(KpaPolicyTest, MemoryIsBoundedByTheWindow) {
  Pool pool(1);
  pool.options.scale_down_delay = std::chrono::seconds(20);
  for (int second = 0; second < 1'000; ++second) (void)pool.Tick(second, 1'000 - second);
  EXPECT_EQ(pool.window().values.size(), 60u);
  EXPECT_LE(pool.memory.signals[0].state.delayed.size(), 10u);
}

TEST(KpaPolicyTest, AnAbsurdReadingIsBounded) {
  Pool pool(1);
  EXPECT_EQ(pool.Tick(0, 1e300).replicas, 1'000);  // max-scale-up-rate times one
  EXPECT_EQ(pool.window().values, (std::vector<double>{1e15}));
}

}  // namespace
}  // namespace tidegate::sizing
