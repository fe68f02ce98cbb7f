#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/property/rollout_history.h"

namespace tidegate {
namespace {

using testing::HistoryOptions;
using testing::HistoryResult;
using testing::Mutation;
using testing::RolloutFaults;
using testing::RunHistory;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kDefaultHistories = 100'000;
#else
constexpr int kDefaultHistories = 5'000;
#endif

// TIDEGATE_HISTORIES overrides the number of histories that each property runs in all.
int HistoriesPerCase() {
  const char* const text = std::getenv("TIDEGATE_HISTORIES");
  const int wanted = text == nullptr ? kDefaultHistories : std::atoi(text);
  return std::max(1, wanted / 100);  // rapidcheck runs 100 cases
}

struct Tally {
  long histories = 0;
  long ticks = 0;
  long steps = 0;
};

void Print(const char* name, const Tally& tally) {
  std::cout << "[ COUNTED  ] " << name << ": " << tally.histories << " histories, " << tally.ticks
            << " ticks, " << tally.steps << " steps\n";
}

// Each case draws how bad things are; each of its histories is one life under that.
HistoryOptions DrawOptions() {
  const auto percent = [](int most) { return *rc::gen::inRange(0, most + 1); };
  HistoryOptions options;
  options.faulty_ticks = *rc::gen::inRange(5, 60);
  options.largest = *rc::gen::inRange(1, 12);
  options.observation_lag = *rc::gen::inRange(0, 5);
  options.crashes = percent(10);
  options.refusals = percent(60);
  options.changes = percent(25);
  options.faults = RolloutFaults{percent(30), percent(15), percent(4),  percent(3),
                                 percent(30), percent(40), percent(30), Duration(8'000)};
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  return options;
}

std::string Describe(const HistoryOptions& options, const HistoryResult& result) {
  std::string text = "seed " + std::to_string(options.seed) + ": ";
  if (!result.breaches.empty()) text += result.breaches[0].rule + " " + result.breaches[0].what;
  return text + " | " + result.how_it_ended;
}

Tally kept;

RC_GTEST_PROP(RolloutProperty, KeepsEveryBudgetAndSettlesInRandomHistories, ()) {
  HistoryOptions options = DrawOptions();
  for (int i = 0; i < HistoriesPerCase(); ++i, ++options.seed) {
    const HistoryResult result = RunHistory(options, Mutation::kNone);
    ++kept.histories;
    kept.ticks += result.ticks;
    kept.steps += result.steps;
    if (!result.breaches.empty() || !result.settled) RC_FAIL(Describe(options, result));
  }
}

TEST(RolloutProperty, RanTheNumberOfHistoriesThatIsClaimed) {
  Print("random histories", kept);
  EXPECT_TRUE(kept.histories == 0 || kept.histories >= 100 * HistoriesPerCase());
}

struct Control {
  Mutation mutation;
  const char* rule;
};

class RolloutControl : public ::testing::TestWithParam<Control> {};

// The checker must see a planner that is off by one.
TEST_P(RolloutControl, IsCaught) {
  HistoryOptions options;
  options.faults = {10, 5, 1, 1, 10, 20, 10, Duration(6'000)};
  options.changes = 15;
  int caught = 0;
  for (options.seed = 0; options.seed < 300; ++options.seed) {
    const HistoryResult result = RunHistory(options, GetParam().mutation);
    for (const sim::BudgetBreach& breach : result.breaches) {
      if (breach.rule == GetParam().rule) {
        ++caught;
        break;
      }
    }
  }
  EXPECT_GT(caught, 3);
}

INSTANTIATE_TEST_SUITE_P(Mutations, RolloutControl,
                         ::testing::Values(Control{Mutation::kSurgePlusOne, "B1"},
                                           Control{Mutation::kUnavailablePlusOne, "B2"},
                                           Control{Mutation::kGrowsAtOnce, "B3"},
                                           Control{Mutation::kShrinksAtOnce, "B3"},
                                           Control{Mutation::kQuotaPlusOne, "B4"},
                                           Control{Mutation::kForgetsPending, "B1"}));

}  // namespace
}  // namespace tidegate
