#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/calendar.h"
#include "sim/faults/faulty_answer.h"
#include "sim/faults/faulty_pool.h"
#include "sim/world/fluid_pool.h"

namespace tidegate::sim {
namespace {

using signals::Phase;

const Instant kStart = FromUnixMillis(1'000'000);
const Instant kEver = FromUnixMillis(2'000'000'000);

TEST(ChanceTest, HitsAsOftenAsItSaysAndAlwaysTheSame) {
  const Chance chance(7);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += chance.Hits(250, "x", "y", i) ? 1 : 0;
  EXPECT_NEAR(hits, 25'000, 5 * std::sqrt(100'000 * 0.25 * 0.75));
  EXPECT_EQ(chance.Roll("x", "y", 3), Chance(7).Roll("x", "y", 3));
  EXPECT_NE(chance.Roll("x", "y", 3), Chance(8).Roll("x", "y", 3));
  EXPECT_NE(chance.Roll("ab", "c"), chance.Roll("a", "bc"));
  EXPECT_FALSE(chance.Hits(0, "x"));
}

TEST(FaultPlanTest, EachKindExistsInSomeLivesOnly) {
  int without_crash = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const FaultPlan plan = DrawFaults(Chance(seed), kEver);
    without_crash += plan.crash == 0 ? 1 : 0;
    EXPECT_TRUE(plan.daemon_dies == 0 || plan.journal_fails == 0);
  }
  EXPECT_NEAR(without_crash, 600, 80);
  EXPECT_EQ(ToText(FaultPlan{}), "none");
}

class FaultyPoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<FaultyPool> Make(const FaultPlan& plan) {
    plan_ = plan;
    plan_.until = kEver;
    ServiceModel model;
    model.startup = Duration(1'000);
    model.drain = Duration(2'000);
    return std::make_unique<FaultyPool>(
        calendar_, std::make_unique<FluidPool>(calendar_, trace_, kStart, model), plan_, Chance(1));
  }
  static Phase PhaseOf(const FaultyPool& pool) { return pool.Views()[0].phase; }

  FaultPlan plan_;
  Calendar calendar_{kStart};
  traces::Trace trace_{.requests = std::vector<double>(600, 10.0)};
};

TEST_F(FaultyPoolTest, WithoutFaultsIsTheInnerPool) {
  const auto pool = Make({});
  pool->Start("a", "r");
  calendar_.RunUntil(kStart + Duration(1'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kReady);
}

TEST_F(FaultyPoolTest, HangingStartIsNeverReadyAndLeavesWhenDrained) {
  const auto pool = Make({.start_hangs = 1'000});
  pool->Start("a", "r");
  calendar_.RunUntil(kStart + Duration(500'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kStarting);
  EXPECT_EQ(pool->Served("a"), 0);  // it can be scraped all the same
  pool->Drain("a");
  EXPECT_FALSE(pool->Knows("a"));
}

TEST_F(FaultyPoolTest, FailingStartStaysToBeSeen) {
  const auto pool = Make({.start_fails = 1'000, .slow_max = Duration(3'000)});
  pool->Start("a", "r");
  calendar_.RunUntil(kStart + Duration(3'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kFailed);
  EXPECT_EQ(pool->Served("a"), std::nullopt);
}

TEST_F(FaultyPoolTest, OneThatDiesBeforeItsSlowStartIsOverNeverStarts) {
  const auto pool = Make({.start_slow = 1'000, .slow_max = Duration(30'000)});
  pool->Start("a", "r");
  pool->Crash("a");
  EXPECT_EQ(PhaseOf(*pool), Phase::kFailed);
  calendar_.RunUntil(kStart + Duration(40'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kFailed);
  pool->Drain("a");
  EXPECT_FALSE(pool->Knows("a"));
}

TEST_F(FaultyPoolTest, SlowStartIsReadyInTheEnd) {
  const auto pool = Make({.start_slow = 1'000, .slow_max = Duration(30'000)});
  pool->Start("a", "r");
  calendar_.RunUntil(kStart + Duration(1'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kStarting);
  calendar_.RunUntil(kStart + Duration(31'000));
  EXPECT_EQ(PhaseOf(*pool), Phase::kReady);
}

TEST_F(FaultyPoolTest, CrashedReplicaServesNothingMoreAndIsSeenOnce) {
  const auto pool = Make({.crash = 1'000});
  pool->Start("a", "r");
  calendar_.RunUntil(kStart + Duration(5'000));
  pool->AdvanceTo(kStart + Duration(5'000));
  const double served = pool->total().served;
  EXPECT_GT(served, 0);
  pool->Crashes();
  ASSERT_EQ(pool->Views().size(), 1U);
  EXPECT_EQ(PhaseOf(*pool), Phase::kFailed);
  calendar_.RunUntil(kStart + Duration(10'000));
  pool->AdvanceTo(kStart + Duration(10'000));
  EXPECT_EQ(pool->total().served, served);
  EXPECT_EQ(pool->Views().size(), 1U);
  pool->Drain("a");
  EXPECT_TRUE(pool->Views().empty());
}

TEST_F(FaultyPoolTest, LostZoneTakesItsReplicasAndNoOthers) {
  const auto pool = Make({.zone_loss = 1'000});
  for (int i = 0; i < 60; ++i) pool->Start("r" + std::to_string(i), "r");
  calendar_.RunUntil(kStart + Duration(1'000));
  pool->Crashes();
  const auto counts = signals::Count(pool->Views());
  EXPECT_GT(counts.failed, 5);
  EXPECT_GT(counts.ready, 20);
  EXPECT_EQ(counts.failed + counts.ready, 60);
}

TEST(FaultyAnswersTest, LostSampleStaysLostAndFrozenAnswersThaw) {
  FaultPlan plan{.until = kStart + Duration(100'000), .scrape_lost = 500};
  signals::SampleSeries series{"a", {}};
  for (int i = 0; i < 100; ++i) series.samples.push_back({kStart + Duration(i * 1'000), 1.0 * i});
  FaultyAnswers answers(plan, Chance(3));
  const auto first = answers.Answer(kStart + Duration(100'000), {&series, 1});
  const auto second = answers.Answer(kStart + Duration(101'000), {&series, 1});
  ASSERT_EQ(first.size(), 1U);
  EXPECT_GT(first[0].samples.size(), 25U);
  EXPECT_LT(first[0].samples.size(), 75U);
  ASSERT_EQ(second[0].samples.size(), first[0].samples.size());
  plan = {.until = kStart + Duration(90'000), .query_frozen = 1'000, .frozen_max = Duration(1)};
  plan.frozen_max = Duration(80'000);
  FaultyAnswers frozen(plan, Chance(3));
  EXPECT_EQ(frozen.Answer(kStart, {}).size(), 0U);
  EXPECT_EQ(frozen.Answer(kStart + Duration(1), {&series, 1}).size(), 0U);
  EXPECT_EQ(frozen.Answer(kStart + Duration(90'000), {&series, 1}).size(), 1U);
}

}  // namespace
}  // namespace tidegate::sim
