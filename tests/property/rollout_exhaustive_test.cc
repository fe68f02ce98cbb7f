// Every pool of up to four replicas, through every state that it can reach: see rollout_states.h.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/property/rollout_states.h"

namespace tidegate {
namespace {

using rollout::Pace;
using testing::Exploration;
using testing::Explore;
using ::testing::HasSubstr;
using testing::SmallPool;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr Replicas kLargest = 4;
#else
constexpr Replicas kLargest = 2;  // the same in a tenth of the time
#endif

constexpr std::array<IntOrPercent, 4> kBudgets{{{0, false}, {1, false}, {25, true}, {100, true}}};

SmallPool PoolOf(const rollout::Budget& budget) {
  SmallPool pool;
  pool.options.budget = budget;
  pool.options.progress_deadline = Duration(24'000);
  pool.options.min_ready = Duration(0);
  pool.options.backoff_max = pool.options.backoff_min;
  return pool;
}

// Pools up to this size meet a fault, too: each of the larger ones then has millions of states.
// TIDEGATE_LONG=1 takes a quarter of an hour.
Replicas LargestWithFaults() { return std::getenv("TIDEGATE_LONG") != nullptr ? 3 : 2; }

// Calls `visit` for every size before and after, with and without a new revision.
template <class Visit>
void ForEachChange(SmallPool pool, const Visit& visit) {
  for (pool.from = 0; pool.from <= kLargest; ++pool.from) {
    for (pool.desired = 0; pool.desired <= kLargest; ++pool.desired) {
      for (const bool renew : {false, true}) {
        pool.new_revision = renew;
        pool.faults = std::max(pool.from, pool.desired) <= LargestWithFaults() ? 1 : 0;
        visit(pool);
      }
    }
  }
}

class RolloutExhaustive : public ::testing::TestWithParam<int> {
 protected:
  static rollout::Budget Budgets() {
    const auto index = static_cast<std::size_t>(GetParam());
    return {kBudgets[index / 4], kBudgets[index % 4]};
  }

  void Visit(const SmallPool& pool) {
    const Exploration one = Explore(pool);
    EXPECT_EQ(one.breach, "");
    EXPECT_EQ(one.settled, one.states);
    all_.states += one.states;
    all_.transitions += one.transitions;
  }

  void TearDown() override {
    RecordProperty("states", std::to_string(all_.states));
    std::cout << "[ COUNTED  ] " << all_.states << " states, " << all_.transitions
              << " transitions\n";
  }

  Exploration all_;
};

TEST_P(RolloutExhaustive, KeepsItsBudgetsInEveryStateAndSettlesFromEach) {
  for (const Pace pace : {Pace::kRolling, Pace::kImmediate}) {
    SmallPool pool = PoolOf(Budgets());
    pool.options.up = pool.options.down = pace;
    ForEachChange(pool, [&](const SmallPool& each) { Visit(each); });
  }
}

TEST_P(RolloutExhaustive, KeepsAQuotaToo) {
  for (const Replicas spare : {0, 1}) {
    ForEachChange(PoolOf(Budgets()), [&](SmallPool pool) {
      pool.options.quota = std::max(pool.from, pool.desired) + spare;
      Visit(pool);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Budgets, RolloutExhaustive, ::testing::Range(0, 16));

// The same walk finds a planner that is off by one.
TEST(RolloutExhaustiveControl, FindsAPlannerThatTakesOneTooMany) {
  SmallPool pool = PoolOf({{2, false}, {0, false}});
  pool.from = pool.desired = 2;
  pool.new_revision = true;
  pool.promised = rollout::Budget{{1, false}, {0, false}};
  EXPECT_THAT(Explore(pool).breach, HasSubstr("B1"));

  pool.options.budget = {{0, false}, {2, false}};
  pool.promised = rollout::Budget{{0, false}, {1, false}};
  EXPECT_THAT(Explore(pool).breach, HasSubstr("B2"));

  pool.options.budget = {{1, false}, {1, false}};
  pool.promised = pool.options.budget;
  pool.options.up = Pace::kImmediate;
  pool.promised_pace = Pace::kRolling;
  pool.from = 0;
  EXPECT_THAT(Explore(pool).breach, HasSubstr("B3"));

  pool.promised_pace = Pace::kImmediate;
  pool.options.quota = 3;
  pool.promised_quota = 2;
  pool.from = 1;
  EXPECT_THAT(Explore(pool).breach, HasSubstr("B4"));
}

}  // namespace
}  // namespace tidegate
