#include "scheduler/loop/control_loop.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/catalog.h"
#include "tests/testing/fake_ports.h"

namespace tidegate::loop {
namespace {

using decision::PoolSpec;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Instant kStart = FromUnixMillis(1'800'000'000'000);

PoolSpec Spec(const std::string& name) {
  PoolSpec spec;
  spec.id = {"shop", name};
  spec.revision = "aaaa0001";
  spec.declared = 2;
  spec.scaled = true;
  spec.targets = {{"requests", 50.0}};
  spec.guards.min = 1;
  spec.guards.max = 20;
  return spec;
}

// `ready` replicas that have been serving for an hour, under a load in requests per second.
signals::PoolSnapshot Pool(const std::string& name, int ready, double load) {
  signals::PoolSnapshot pool;
  pool.id = {"shop", name};
  pool.declared = 2;
  for (int i = 1; i <= ready; ++i) {
    const Instant long_ago = kStart - seconds(3600);
    pool.replicas.push_back({name + "-aaaa0001-" + std::to_string(i), "aaaa0001",
                             signals::Phase::kReady, long_ago, long_ago, long_ago});
  }
  pool.readings = {{.signal = "requests",
                    .quality = signals::Quality::kOk,
                    .value = load,
                    .series = ready,
                    .expected = ready,
                    .detail = ""}};
  return pool;
}

class ControlLoopTest : public ::testing::Test {
 protected:
  ControlLoopTest() {
    source_.LogTo(&calls_);
    actuator_.LogTo(&calls_);
    journal_.LogTo(&calls_);
  }

  // A tick at the clock's time that sees these pools; the clock then moves on by the period.
  const Tick& TickWith(ControlLoop& loop, std::vector<signals::PoolSnapshot> pools) {
    source_.Add({clock_.Now(), std::move(pools)});
    clock_.Set(loop.Step());
    return *loop.last();
  }
  ControlLoop Loop(Options options = {}) {
    return ControlLoop(clock_, source_, actuator_, journal_, options);
  }

  testing::CallLog calls_;
  testing::FakeClock clock_{kStart};
  testing::ReplayingSource source_;
  testing::RecordingActuator actuator_;
  testing::RecordingJournal journal_;
};

TEST_F(ControlLoopTest, WritesTheRecordAheadOfTheRequests) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_GE(calls_.size(), 3U);
  EXPECT_EQ(calls_[0], "observe");
  EXPECT_EQ(calls_[1], "journal 1");
  EXPECT_THAT(calls_[2], ::testing::StartsWith("start edge-"));
}

TEST_F(ControlLoopTest, WrittenStateHoldsTheStepsAsPending) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_EQ(journal_.ticks().size(), 1U);
  ASSERT_EQ(journal_.ticks()[0].states.size(), 1U);
  EXPECT_EQ(journal_.ticks()[0].states[0].second.rollout.pending.size(), actuator_.steps().size());
  EXPECT_FALSE(actuator_.steps().empty());
}

TEST_F(ControlLoopTest, ReturnsWhenTheNextTickIsDue) {
  ControlLoop loop = Loop({.period = seconds(7)});
  EXPECT_EQ(loop.Step(), kStart + seconds(7));
}

TEST_F(ControlLoopTest, HoldsEveryPoolWhenNothingCanBeObserved) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 190)});
  const auto state = decision::Digest(loop.state());
  calls_.clear();
  clock_.Set(loop.Step());  // the source has no more snapshots: an error
  EXPECT_EQ(loop.last()->observe_error, "no more snapshots");
  EXPECT_THAT(loop.last()->decisions, IsEmpty());
  EXPECT_THAT(calls_, ElementsAre("observe"));
  EXPECT_EQ(decision::Digest(loop.state()), state);
}

TEST_F(ControlLoopTest, ForgetsTheStepThatTheFleetRefused) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  std::string refused;
  actuator_.refuse = [&](const rollout::Step& step) {
    if (refused.empty()) refused = step.replica;
    return step.replica == refused;
  };
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_EQ(tick.failures.size(), 1U);
  EXPECT_EQ(tick.failures[0].step.replica, refused);
  EXPECT_EQ(tick.failures[0].error.message, "refused");
  EXPECT_EQ(tick.steps + 1, static_cast<int>(actuator_.steps().size()));
  const auto& pending = loop.state().pools.at({"shop", "edge"}).rollout.pending;
  EXPECT_EQ(pending.size() + 1, actuator_.steps().size());
  EXPECT_EQ(std::ranges::count(pending, refused, &rollout::Pending::replica), 0);
}

// The record was written ahead: without a second one, a restart would find the step as pending.
TEST_F(ControlLoopTest, WritesTheStateAgainAfterARefusal) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  actuator_.refuse = [](const rollout::Step&) { return true; };
  TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_EQ(journal_.ticks().size(), 2U);
  EXPECT_FALSE(journal_.ticks()[0].states.at(0).second.rollout.pending.empty());
  EXPECT_THAT(journal_.ticks()[1].decisions, IsEmpty());
  const decision::PoolState& written = journal_.ticks()[1].states.at(0).second;
  EXPECT_THAT(written.rollout.pending, IsEmpty());
  EXPECT_EQ(written.rollout.size, 2);
}

// The first request may have been taken though its repeat is not.
TEST_F(ControlLoopTest, KeepsTheStepWhoseRepeatIsRefused) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 190)});
  const auto pending = loop.state().pools.at({"shop", "edge"}).rollout.pending;
  ASSERT_FALSE(pending.empty());
  actuator_.refuse = [](const rollout::Step&) { return true; };
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_EQ(tick.failures.size(), pending.size());
  EXPECT_EQ(tick.failures[0].step.reason, rollout::StepReason::kRepeat);
  EXPECT_EQ(loop.state().pools.at({"shop", "edge"}).rollout.pending, pending);
}

TEST_F(ControlLoopTest, AsksAgainAfterARefusal) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  actuator_.refuse = [](const rollout::Step&) { return true; };
  TickWith(loop, {Pool("edge", 2, 190)});
  const std::size_t refused = actuator_.steps().size();
  actuator_.refuse = nullptr;
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  EXPECT_EQ(tick.steps, static_cast<int>(refused));
}

TEST_F(ControlLoopTest, DryRunDecidesAndRecordsButTakesNoStep) {
  ControlLoop loop = Loop();
  PoolSpec spec = Spec("edge");
  spec.dry_run = true;
  loop.Configure({spec});
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  EXPECT_GT(tick.decisions.at(0).desired.replicas, 2);
  EXPECT_FALSE(tick.decisions.at(0).plan.steps.empty());
  EXPECT_EQ(tick.steps, 0);
  EXPECT_THAT(actuator_.steps(), IsEmpty());
  EXPECT_THAT(loop.state().pools.at({"shop", "edge"}).rollout.pending, IsEmpty());
  ASSERT_EQ(journal_.ticks().size(), 1U);
  EXPECT_EQ(journal_.ticks()[0].decisions.size(), 1U);
}

TEST_F(ControlLoopTest, TakesStepsThoughTheJournalFails) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  journal_.fails = true;
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  EXPECT_EQ(tick.journal_error, "the disk is full");
  EXPECT_GT(tick.steps, 0);
}

TEST_F(ControlLoopTest, RecordsARepeatedDecisionOnlyAtTheInterval) {
  ControlLoop loop =
      Loop({.period = seconds(5), .checkpoint_every = seconds(3600), .record_every = seconds(20)});
  loop.Configure({Spec("edge")});
  for (int i = 0; i < 9; ++i) TickWith(loop, {Pool("edge", 2, 100)});  // 0 s .. 40 s, all the same
  std::vector<Duration> at;
  for (const auto& tick : journal_.ticks()) {
    if (!tick.decisions.empty()) at.push_back(tick.at - kStart);
  }
  EXPECT_THAT(at, ElementsAre(seconds(0), seconds(20), seconds(40)));
}

TEST_F(ControlLoopTest, RecordsADecisionThatDiffersAtOnce) {
  ControlLoop loop = Loop({.record_every = seconds(3600)});
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 100)});
  TickWith(loop, {Pool("edge", 2, 100)});
  TickWith(loop, {Pool("edge", 2, 190)});
  ASSERT_FALSE(journal_.ticks().empty());
  EXPECT_EQ(journal_.ticks().back().at, kStart + seconds(10));
  EXPECT_EQ(journal_.ticks().back().decisions.size(), 1U);
}

TEST_F(ControlLoopTest, RecordsAChangeOfAReadingsQualityAtOnce) {
  ControlLoop loop = Loop({.record_every = seconds(3600)});
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 100)});
  signals::PoolSnapshot blind = Pool("edge", 2, 0);
  blind.readings[0] = {
      .signal = "requests", .quality = signals::Quality::kEmpty, .detail = "no series"};
  TickWith(loop, {blind});
  EXPECT_EQ(journal_.ticks().back().at, kStart + seconds(5));
}

TEST_F(ControlLoopTest, WritesAQuietPoolsStateAtTheCheckpointInterval) {
  ControlLoop loop =
      Loop({.period = seconds(5), .checkpoint_every = seconds(15), .record_every = seconds(3600)});
  loop.Configure({Spec("edge")});
  for (int i = 0; i < 7; ++i) TickWith(loop, {Pool("edge", 2, 100)});  // 0 s .. 30 s
  std::vector<Duration> at;
  for (const auto& tick : journal_.ticks()) {
    if (!tick.states.empty()) at.push_back(tick.at - kStart);
  }
  EXPECT_THAT(at, ElementsAre(seconds(0), seconds(15), seconds(30)));
}

TEST_F(ControlLoopTest, CheckpointWritesAllState) {
  ControlLoop loop = Loop({.checkpoint_every = seconds(3600), .record_every = seconds(3600)});
  loop.Configure({Spec("edge"), Spec("inner")});
  TickWith(loop, {Pool("edge", 2, 100), Pool("inner", 2, 100)});
  ASSERT_TRUE(loop.Checkpoint());
  const auto& written = journal_.ticks().back();
  EXPECT_THAT(written.decisions, IsEmpty());
  ASSERT_EQ(written.states.size(), 2U);
  EXPECT_EQ(written.states[0].second, loop.state().pools.at({"shop", "edge"}));
  EXPECT_EQ(written.states[1].second, loop.state().pools.at({"shop", "inner"}));
}

TEST_F(ControlLoopTest, CheckpointTellsThatTheJournalFailed) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 100)});
  journal_.fails = true;
  EXPECT_FALSE(loop.Checkpoint());
}

TEST_F(ControlLoopTest, ConfigureDropsTheStateOfPoolsThatAreGone) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge"), Spec("inner")});
  TickWith(loop, {Pool("edge", 2, 100), Pool("inner", 2, 100)});
  loop.Configure({Spec("inner")});
  EXPECT_EQ(loop.state().pools.size(), 1U);
  EXPECT_TRUE(loop.state().pools.contains({"shop", "inner"}));
}

TEST_F(ControlLoopTest, ConfigureKeepsTheSizeOfPoolsThatStay) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 190)});
  PoolSpec changed = Spec("edge");
  changed.guards.max = 30;
  loop.Configure({changed});
  const Tick& tick = TickWith(loop, {Pool("edge", 2, 190)});
  EXPECT_EQ(tick.decisions.at(0).current, 4);
}

TEST_F(ControlLoopTest, RestoredWindowsGoOn) {
  ControlLoop before = Loop();
  before.Configure({Spec("edge")});
  TickWith(before, {Pool("edge", 2, 190)});  // recommends 4
  ControlLoop after = Loop();
  after.Restore(before.state());
  after.Configure({Spec("edge")});
  // The load is gone, but the default window of 300 s still holds the 4 of the earlier run.
  const Tick& tick = TickWith(after, {Pool("edge", 4, 50)});
  EXPECT_EQ(tick.decisions.at(0).current, 4);
  EXPECT_EQ(tick.decisions.at(0).desired.replicas, 4);
  EXPECT_EQ(tick.decisions.at(0).desired.reason, guards::Reason::kScaleDownStabilized);
}

TEST_F(ControlLoopTest, RestoredPendingStepsAreRepeatedUnderTheirNames) {
  ControlLoop before = Loop();
  before.Configure({Spec("edge")});
  TickWith(before, {Pool("edge", 2, 190)});
  std::vector<std::string> asked;
  for (const rollout::Step& step : actuator_.steps()) asked.push_back(step.replica);
  ControlLoop after = Loop();
  after.Restore(before.state());
  after.Configure({Spec("edge")});
  const Tick& tick = TickWith(after, {Pool("edge", 2, 190)});  // the fleet never heard of them
  std::vector<std::string> again;
  for (const rollout::Step& step : tick.decisions.at(0).plan.steps) again.push_back(step.replica);
  EXPECT_EQ(again, asked);
}

TEST_F(ControlLoopTest, RestoredStateOfAnUnknownPoolIsDropped) {
  ControlLoop loop = Loop();
  decision::DecisionState state;
  state.pools[{"shop", "old"}] = {};
  loop.Restore(std::move(state));
  loop.Configure({Spec("edge")});
  EXPECT_FALSE(loop.state().pools.contains({"shop", "old"}));
}

TEST_F(ControlLoopTest, APoolThatCannotBeSeenIsLeftAloneAndTheOthersGoOn) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge"), Spec("inner")});
  signals::PoolSnapshot hidden = Pool("edge", 0, 190);
  hidden.fleet_error = "no answer";
  const Tick& tick = TickWith(loop, {hidden, Pool("inner", 2, 190)});
  EXPECT_FALSE(tick.decisions.at(0).error.empty());
  EXPECT_THAT(tick.decisions.at(0).plan.steps, IsEmpty());
  EXPECT_EQ(tick.decisions.at(1).desired.replicas, 4);
}

TEST_F(ControlLoopTest, AHandedOutTickIsNotChangedByTheNext) {
  ControlLoop loop = Loop();
  loop.Configure({Spec("edge")});
  TickWith(loop, {Pool("edge", 2, 100)});
  const auto first = loop.last();
  const Tick copy = *first;
  TickWith(loop, {Pool("edge", 2, 190)});
  EXPECT_EQ(first->decisions, copy.decisions);
  EXPECT_NE(loop.last(), first);
}

TEST(ControlLoopDeathTest, RefusesPoolsThatAreNotSorted) {
  testing::FakeClock clock(kStart);
  testing::ReplayingSource source;
  testing::RecordingActuator actuator;
  testing::RecordingJournal journal;
  ControlLoop loop(clock, source, actuator, journal, {});
  EXPECT_DEATH(loop.Configure({Spec("inner"), Spec("edge")}), "sorted");
}

// A source with a past of one pool, once it is there.
class SourceWithPast : public testing::ReplayingSource {
 public:
  std::vector<ports::Past> there;                // handed over at the next call
  std::vector<std::vector<std::string>> wanted;  // "pool/signal" of each call
  std::vector<ports::Past> TakePasts(Instant /*now*/, std::span<const PastWanted> asked) override {
    wanted.emplace_back();
    for (const PastWanted& one : asked) {
      wanted.back().push_back(one.pool->name + "/" + *one.signal);
    }
    return std::exchange(there, {});
  }
};

class PastsOfPoolsTest : public ::testing::Test {
 protected:
  PastsOfPoolsTest() {
    PoolSpec learner = Spec("learner");
    learner.policies = {FindPolicy("forecast")->options};
    loop_.Configure({Spec("edge"), learner});
  }
  const Tick& TickAt(Instant now, double load) {
    clock_.Set(now);
    source_.Add({now, {Pool("edge", 2, load), Pool("learner", 2, load)}});
    loop_.Step();
    return *loop_.last();
  }
  const signals::History& history() { return *loop_.history({"shop", "learner"}); }
  std::int64_t Bin(Instant at) { return history().BinOf(at); }

  testing::FakeClock clock_{kStart};
  SourceWithPast source_;
  testing::RecordingActuator actuator_;
  testing::RecordingJournal journal_;
  ControlLoop loop_{clock_, source_, actuator_, journal_, {}};
};

TEST_F(PastsOfPoolsTest, AreKeptForPoliciesThatLearnFromThem) {
  EXPECT_EQ(loop_.history({"shop", "edge"}), nullptr);
  TickAt(kStart, 100);
  TickAt(kStart + seconds(5), 200);
  TickAt(kStart + seconds(60), 300);
  EXPECT_EQ(history().At(Bin(kStart)), 150);
  const Tick& tick = TickAt(kStart + seconds(65), 300);
  EXPECT_EQ(tick.decisions.at(0).proposals.size(), 1u);
  EXPECT_EQ(tick.decisions.at(1).proposals.size(), 2u);
}

TEST_F(PastsOfPoolsTest, AreRefilledOnceTheSourceHasThem) {
  TickAt(kStart, 100);
  source_.there = {{{"shop", "learner"}, Bin(kStart) - 3, {7, 8, 9}, ""}};
  TickAt(kStart + seconds(5), 100);
  TickAt(kStart + seconds(10), 100);
  EXPECT_THAT(source_.wanted,
              ElementsAre(ElementsAre("learner/requests"), ElementsAre("learner/requests")))
      << "and not asked for again";
  TickAt(kStart + seconds(60), 100);
  EXPECT_EQ(history().At(Bin(kStart) - 1), 9);
  EXPECT_EQ(history().At(Bin(kStart)), 100);
}

TEST_F(PastsOfPoolsTest, AreCutWhereTheyReachIntoTheFuture) {
  source_.there = {{{"shop", "learner"}, Bin(kStart) - 1, {7, 8, 9}, ""}};
  TickAt(kStart, 100);
  TickAt(kStart + seconds(60), 100);
  EXPECT_EQ(history().At(Bin(kStart) - 1), 7);
  EXPECT_EQ(history().At(Bin(kStart)), 100) << "what was read, not what was foretold";
}

TEST_F(PastsOfPoolsTest, AreAskedForAgainAfterAWhileWhereTheyCannotBeHad) {
  source_.there = {{{"shop", "learner"}, 0, {}, "no answer"}};
  const Tick& tick = TickAt(kStart, 100);
  ASSERT_EQ(tick.past_failures.size(), 1u);
  EXPECT_EQ(tick.past_failures[0].error, "no answer");
  TickAt(kStart + seconds(595), 100);
  EXPECT_EQ(source_.wanted.size(), 1u);
  TickAt(kStart + seconds(600), 100);
  EXPECT_EQ(source_.wanted.size(), 2u);
}

TEST_F(PastsOfPoolsTest, StayWithAPoolThatIsConfiguredAnew) {
  TickAt(kStart, 100);
  TickAt(kStart + seconds(60), 100);
  PoolSpec learner = Spec("learner");
  learner.policies = {FindPolicy("forecast")->options};
  learner.guards.max = 30;
  loop_.Configure({Spec("edge"), learner});
  EXPECT_EQ(history().At(Bin(kStart)), 100);
  loop_.Configure({Spec("edge"), Spec("learner")});
  EXPECT_EQ(loop_.history({"shop", "learner"}), nullptr);
}

TEST_F(PastsOfPoolsTest, LearnNothingFromReadingsThatAreNotOk) {
  TickAt(kStart, 100);
  clock_.Set(kStart + seconds(5));
  signals::PoolSnapshot partial = Pool("learner", 2, 10);
  partial.readings[0].quality = signals::Quality::kPartial;
  source_.Add({kStart + seconds(5), {Pool("edge", 2, 10), partial}});
  loop_.Step();
  TickAt(kStart + seconds(60), 100);
  EXPECT_EQ(history().At(Bin(kStart)), 100);
}

}  // namespace
}  // namespace tidegate::loop
