// Every pool of up to four replicas, through every state that it can reach: see rollout_states.h.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/property/rollout_states.h"

namespace tidegate {
namespace {

using rollout::Pace;
using testing::Exploration;
using testing::Explore;
using testing::Mutation;
using testing::SmallPool;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr Replicas kLargest = 4;
#else
constexpr Replicas kLargest = 2;  // the same in a tenth of the time
#endif

constexpr Replicas kLargestWithLag = 2;

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
    total_.states += all_.states;
    total_.transitions += all_.transitions;
  }

  static void TearDownTestSuite() {
    std::cout << "[ COUNTED  ] in all " << total_.states << " states, " << total_.transitions
              << " transitions\n";
  }

  Exploration all_;
  static inline Exploration total_;
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

// Ticks that see the past, in the smallest pools.
TEST_P(RolloutExhaustive, KeepsItsBudgetsWhereObservationsLag) {
  SmallPool pool = PoolOf(Budgets());
  pool.lag = true;
  for (pool.from = 0; pool.from <= kLargestWithLag; ++pool.from) {
    for (pool.desired = 0; pool.desired <= kLargestWithLag; ++pool.desired) {
      for (const bool renew : {false, true}) {
        pool.new_revision = renew;
        pool.faults = std::max(pool.from, pool.desired) <= 1 ? 1 : 0;
        Visit(pool);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Budgets, RolloutExhaustive, ::testing::Range(0, 16));

struct Planted {
  Mutation mutation;
  const char* rule;
};

class RolloutExhaustiveControl : public ::testing::TestWithParam<Planted> {};

// The same walk finds each planner that is off by one, in most pools that give it an occasion.
TEST_P(RolloutExhaustiveControl, IsCaught) {
  int caught = 0;
  for (int index = 0; index < 16; ++index) {
    SmallPool pool = PoolOf({kBudgets[static_cast<std::size_t>(index / 4)],
                             kBudgets[static_cast<std::size_t>(index % 4)]});
    pool.mutation = GetParam().mutation;
    pool.faults = 0;
    for (const auto& [from, desired] : {std::pair{1, 4}, {4, 1}, {4, 0}, {2, 2}, {3, 3}}) {
      pool.from = from;
      pool.desired = desired;
      pool.new_revision = from == desired;
      if (pool.mutation == Mutation::kQuotaPlusOne) pool.options.quota = std::max(from, desired);
      const std::string breach = Explore(pool).breach;
      caught += breach.find(std::string(": ") + GetParam().rule) != std::string::npos ? 1 : 0;
    }
  }
  RecordProperty("caught", caught);
  EXPECT_GT(caught, 3);
}

INSTANTIATE_TEST_SUITE_P(Mutations, RolloutExhaustiveControl,
                         ::testing::Values(Planted{Mutation::kSurgePlusOne, "B1"},
                                           Planted{Mutation::kUnavailablePlusOne, "B2"},
                                           Planted{Mutation::kGrowsAtOnce, "B3"},
                                           Planted{Mutation::kShrinksAtOnce, "B3"},
                                           Planted{Mutation::kQuotaPlusOne, "B4"},
                                           Planted{Mutation::kForgetsPending, "B1"}));

}  // namespace
}  // namespace tidegate
