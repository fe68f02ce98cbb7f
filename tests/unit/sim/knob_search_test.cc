#include "sim/runner/knob_search.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

constexpr double kObjective = 0.001;

// Costs 100 / knob and fails a share 0.001 (knob / 0.3)^4, at least 1e-6.
struct Pool {
  int runs = 0;
  double least_bad = 1e-6;
  double quantum = 0;  // of the knob; 0: none

  KnobSearch Search() {
    return {.least = 0.02,
            .most = 1,
            .by_default = 0.8,
            .more_is_cheaper = true,
            .run = [this](double knob) -> Expected<LeagueRun> {
              ++runs;
              if (quantum > 0) knob = std::ceil(knob / quantum - 1e-9) * quantum;
              LeagueRun run;
              run.knob = knob;
              run.bad = std::max(least_bad, 0.001 * std::pow(knob / 0.3, 4));
              run.replica_seconds = 100 / knob;
              return run;
            }};
  }
};

TEST(KnobSearch, FindsTheCheapestSettingToHalfAPercent) {
  Pool pool;
  auto curve = PlayDefault(pool.Search(), kObjective);
  ASSERT_TRUE(curve);
  EXPECT_EQ(curve->runs.size(), 1u);
  EXPECT_FALSE(curve->best);
  ASSERT_TRUE(Approach(pool.Search(), kObjective, kObjective, *curve));
  ASSERT_TRUE(curve->best);
  EXPECT_NEAR(curve->runs[*curve->best].knob, 0.3, 0.3 * 0.005);
  EXPECT_LE(pool.runs, 10);
  EXPECT_EQ(curve->runs[curve->at_default].knob, 0.8);
  const int runs = pool.runs;
  ASSERT_TRUE(Approach(pool.Search(), kObjective, kObjective, *curve));
  EXPECT_EQ(pool.runs, runs) << "nothing is left to find";
}

TEST(KnobSearch, TellsWhatASmallerShareCosts) {
  Pool pool;
  auto curve = PlayDefault(pool.Search(), kObjective);
  ASSERT_TRUE(Approach(pool.Search(), kObjective, kObjective, *curve));
  ASSERT_TRUE(Approach(pool.Search(), 1e-5, kObjective, *curve));
  EXPECT_NEAR(*CostAt(*curve, 1e-5), 100 / 0.3 * std::sqrt(std::sqrt(100.0)), 6);
  EXPECT_NEAR(curve->runs[*curve->best].knob, 0.3, 0.3 * 0.005) << "the objective's is still known";
}

TEST(KnobSearch, GivesUpWhereTheMostGenerousSettingHasTooMany) {
  Pool pool{.least_bad = 0.01};
  auto curve = PlayDefault(pool.Search(), kObjective);
  ASSERT_TRUE(Approach(pool.Search(), kObjective, kObjective, *curve));
  EXPECT_EQ(pool.runs, 2);
  EXPECT_FALSE(curve->best);
}

TEST(KnobSearch, StopsWhereNoSettingIsLeftBetween) {
  Pool pool{.quantum = 0.2};
  auto curve = PlayDefault(pool.Search(), kObjective);
  ASSERT_TRUE(Approach(pool.Search(), kObjective, kObjective, *curve));
  ASSERT_TRUE(curve->best);
  EXPECT_NEAR(curve->runs[*curve->best].knob, 0.2, 1e-9);
  EXPECT_LE(curve->runs.size(), 4u);
}

TEST(KnobSearch, GoesTheOtherWayWhereMoreIsDearer) {
  KnobSearch search{.least = 1,
                    .most = 240,
                    .by_default = 60,
                    .more_is_cheaper = false,
                    .run = [](double knob) -> Expected<LeagueRun> {
                      LeagueRun run;
                      run.knob = std::round(knob);
                      run.bad = run.knob < 43 ? 0.5 : 0;
                      run.replica_seconds = run.knob;
                      return run;
                    }};
  auto curve = PlayDefault(search, kObjective);
  ASSERT_TRUE(Approach(search, kObjective, kObjective, *curve));
  EXPECT_EQ(curve->runs[*curve->best].knob, 43);
}

}  // namespace
}  // namespace tidegate::sim
