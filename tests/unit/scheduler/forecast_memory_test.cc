// What a forecaster remembers survives the journal's text, and garbage in it does no harm.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/catalog.h"
#include "policies/forecast/forecaster.h"
#include "scheduler/journal/policy_json.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::journal {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNow = testing::kMonday + 3 * 1440;
const forecast::Request kRequest{.horizon = std::chrono::minutes(5), .quantile = 0.9, .unit = 20};

// A state that has seen three days and an hour.
forecast::State Lived() {
  const testing::SyntheticLoad load;
  signals::History history = testing::HistoryOf(load, testing::kMonday, kNow);
  forecast::State state;
  for (std::int64_t m = kNow; m < kNow + 60; ++m) {
    const Instant now = history.Center(m);
    history.Append(now, load.At(m));
    forecast::Look(now, load.At(m), history, kRequest, state);
  }
  return state;
}

PolicyMemory Forecast(forecast::State state) {
  PolicyMemory memory = FindPolicy("forecast")->memory;
  std::get<forecast::State>(memory) = std::move(state);
  return memory;
}

TEST(ForecastMemoryTest, IsTheSameAfterTheJournal) {
  const PolicyMemory memory = Forecast(Lived());
  const std::string text = PolicyMemoryText(memory);
  EXPECT_LT(text.size(), 8192u);
  const auto parsed = ParsePolicyMemory("forecast", text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, memory);
}

TEST(ForecastMemoryTest, HoldsWhatAWildLoadLeaves) {
  signals::History history;
  forecast::State state;
  for (std::int64_t m = kNow; m < kNow + 200; ++m) {
    const double value = m % 7 == 0 ? 0 : m % 11 == 0 ? 1e300 : m % 13 == 0 ? 1e-300 : 5;
    const Instant now = history.Center(m);
    history.Append(now, value);
    forecast::Look(now, value, history, kRequest, state);
  }
  const PolicyMemory memory = Forecast(state);
  const auto parsed = ParsePolicyMemory("forecast", PolicyMemoryText(memory));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, memory);
}

TEST(ForecastMemoryTest, BeginsAsNothing) {
  const auto parsed = ParsePolicyMemory("forecast", PolicyMemoryText(Forecast({})));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, Forecast({}));
}

TEST(ForecastMemoryTest, TakesNoListOfAnotherLength) {
  const auto parsed = ParsePolicyMemory(
      "forecast", R"({"unit":20,"losses":[1,2],"model":{"fitted":true,"smoothing":[],)"
                  R"("harmonics":{"day":[5],"hasDay":true},"profile":{"season":[1,2,3]}}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  forecast::State state = std::get<forecast::State>(*parsed);
  EXPECT_EQ(state.losses, forecast::State{}.losses);
  EXPECT_EQ(state.model.harmonics.day, forecast::Harmonics{}.day);
  // And goes on from there.
  const signals::History history = testing::HistoryOf({}, testing::kMonday, kNow);
  const auto ahead = forecast::Look(history.Center(kNow), 1000, history, kRequest, state);
  EXPECT_TRUE(ahead.upper >= 0 && ahead.upper <= 3 * 2000);
}

TEST(ForecastMemoryTest, RefusesNumbersThatCannotBe) {
  const auto parsed = ParsePolicyMemory("forecast", R"({"model":{"period":1e6}})");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("period"));
}

}  // namespace
}  // namespace tidegate::journal
