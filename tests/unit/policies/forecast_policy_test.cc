#include "policies/sizing/forecast_policy.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/signals/history.h"
#include "policies/sizing/target.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::sizing {
namespace {

using signals::History;
using signals::Quality;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::int64_t kDay = 1440;
constexpr std::int64_t kNow = testing::kMonday + 14 * kDay;

// A pool of 20 under a load that doubles each morning, with two weeks of history.
class ForecastPolicyTest : public ::testing::Test {
 protected:
  // Lives through a minute in which `value` is read.
  Sizing Live(std::int64_t minute, double value, Quality quality = Quality::kOk) {
    const Instant now = history_.Center(minute);
    if (quality == Quality::kOk) history_.Append(now, value);
    readings_[0] = {"rps", quality, quality == Quality::kOk ? value : 0.0, seconds(3), 4, 4, ""};
    return Forecast::Size(InputAt(now), options_, memory_);
  }
  Input InputAt(Instant now) const {
    return {.now = now,
            .current = 20,
            .targets = targets_,
            .readings = readings_,
            .replicas = replicas_,
            .history = with_history_ ? &history_ : nullptr};
  }

  testing::SyntheticLoad load_{.noise = 0.01};
  History history_ = testing::HistoryOf(load_, testing::kMonday, kNow);
  bool with_history_ = true;
  std::vector<SignalTarget> targets_{{"rps", 50.0, signals::Measure::kRequests}};
  std::vector<signals::Reading> readings_{{}};
  std::vector<signals::ReplicaView> replicas_;
  ForecastOptions options_{.quantile = 0.9, .horizon = minutes(10)};
  forecast::State memory_;
};

TEST_F(ForecastPolicyTest, AddsAFloorThatExplainsItself) {
  const std::int64_t seven = kNow + 7 * 60;
  for (std::int64_t m = kNow; m < seven; ++m) Live(m, load_.At(m));
  const Sizing sizing = Live(seven, load_.At(seven));
  ASSERT_EQ(sizing.proposals.size(), 2u);
  const Proposal& reactive = sizing.proposals[0];
  const Proposal& floor = sizing.proposals[1];
  EXPECT_EQ(reactive.replicas, ReplicasFor(load_.At(seven), 50));
  EXPECT_EQ(floor.source, "forecast");
  EXPECT_EQ(floor.quality, Quality::kOk);
  EXPECT_EQ(floor.age, seconds(3));
  EXPECT_GT(*floor.replicas, *reactive.replicas) << "the morning is coming";
  const auto later = ReplicasFor(load_.At(seven + 10), 50);
  EXPECT_GE(*floor.replicas, later);
  EXPECT_LE(*floor.replicas, later + 1);
  EXPECT_THAT(floor.note,
              MatchesRegex("forecast p90 in 10m: [0-9.]+ rps -> [0-9]+; coverage 0\\.[0-9]+, "
                           "pinball 0\\.[0-9]+ of naive"));
  EXPECT_FALSE(sizing.at_once.has_value());
}

TEST_F(ForecastPolicyTest, AsksForNothingWhileItLearnsAndSaysSo) {
  history_ = History();
  const Sizing sizing = Live(kNow, 500);
  EXPECT_EQ(sizing.proposals[0].replicas, 10);
  EXPECT_EQ(sizing.proposals[1].replicas, 0);
  EXPECT_EQ(sizing.proposals[1].note, "learning: 0 of 30 forecasts have come due");
}

TEST_F(ForecastPolicyTest, AsksForNothingWhileItIsWorseAndSaysSo) {
  Live(kNow, load_.At(kNow));
  memory_.score.late_loss = 2 * memory_.score.late_naive;
  const Sizing sizing = Live(kNow + 1, load_.At(kNow + 1));
  EXPECT_EQ(sizing.proposals[1].replicas, 0);
  EXPECT_THAT(sizing.proposals[1].note, HasSubstr("off: worse than the last value: pinball loss "));
}

TEST_F(ForecastPolicyTest, StandsInForNoReadingThatIsMissing) {
  Live(kNow, load_.At(kNow));
  for (const Quality quality : {Quality::kStale, Quality::kEmpty, Quality::kNaN, Quality::kError}) {
    const Sizing sizing = Live(kNow + 1, 0, quality);
    EXPECT_EQ(sizing.proposals[1].replicas, std::nullopt);
    EXPECT_EQ(sizing.proposals[1].quality, quality);
    EXPECT_EQ(sizing.proposals[1].note, "rps is not usable");
  }
  readings_[0] = {"rps", Quality::kOk, std::nan(""), seconds(3), 4, 4, ""};
  const Sizing sizing = Forecast::Size(InputAt(history_.Center(kNow + 2)), options_, memory_);
  EXPECT_EQ(sizing.proposals[1].replicas, std::nullopt);
}

TEST_F(ForecastPolicyTest, TakesAPartialReadingForWhatIsThereAtLeast) {
  readings_[0] = {"rps", Quality::kPartial, 500, seconds(3), 3, 4, "3 of 4"};
  const Sizing sizing = Forecast::Size(InputAt(history_.Center(kNow)), options_, memory_);
  EXPECT_EQ(sizing.proposals[1].quality, Quality::kPartial) << "so that it cannot shrink a pool";
  EXPECT_TRUE(sizing.proposals[1].replicas.has_value());
}

TEST_F(ForecastPolicyTest, IsTargetWhereNoHistoryIsKept) {
  with_history_ = false;
  const Sizing sizing = Live(kNow, 500);
  EXPECT_EQ(sizing.proposals[0].replicas, 10);
  EXPECT_EQ(sizing.proposals[1].replicas, 0);
  EXPECT_EQ(sizing.proposals[1].note,
            "decide keeps no history of minutes: the forecast is not asked");
}

TEST_F(ForecastPolicyTest, ForecastsTheSignalThatCountsRequests) {
  const auto name = [](const std::vector<SignalTarget>& targets) {
    const SignalTarget* target = RequestsTarget(targets);
    return target == nullptr ? "none" : target->signal;
  };
  using signals::Measure;
  EXPECT_EQ(name({{"a", 1.0, Measure::kInflight}, {"b", 1.0, Measure::kRequests}}), "b");
  EXPECT_EQ(name({{"a", 1.0, Measure::kOther}, {"b", 1.0, Measure::kRequests}}), "b");
  EXPECT_EQ(name({{"a", 1.0, Measure::kOther}, {"b", {}, Measure::kRequests}}), "a");
  EXPECT_EQ(name({{"a", 1.0, Measure::kInflight}, {"b", 1.0, Measure::kLatency}}), "none");
  targets_ = {{"rps", 50.0, Measure::kInflight}};
  EXPECT_EQ(Live(kNow, 500).proposals.size(), 1u);
}

TEST_F(ForecastPolicyTest, LooksAsFarAsStartsAndWavesTake) {
  Input input = InputAt(history_.Center(kNow));
  EXPECT_EQ(LeadTime(input), seconds(60)) << "nothing was measured, one wave";
  const Instant started = input.now - minutes(10);
  replicas_ = {{"edge-1", "r", signals::Phase::kReady, started, started, started + seconds(38)}};
  input.replicas = replicas_;
  EXPECT_EQ(LeadTime(input), seconds(45)) << "38 s, in steps of 15 s";
  input.surge = {25, true};
  // 20 -> 25 -> 32: two waves to 30.
  EXPECT_EQ(LeadTime(input), seconds(90));
  input.rolling_up = false;
  EXPECT_EQ(LeadTime(input), seconds(45));
  replicas_[0].ready_at = started + std::chrono::hours(3);
  input.replicas = replicas_;
  EXPECT_EQ(LeadTime(input), forecast::kLongestHorizon);
}

}  // namespace
}  // namespace tidegate::sizing
