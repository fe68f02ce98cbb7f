#include "policies/forecast/forecaster.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testing/synthetic_load.h"

namespace tidegate::forecast {
namespace {

using signals::History;
using std::chrono::minutes;
using testing::HistoryOf;
using testing::kMonday;
using testing::SyntheticLoad;

constexpr std::int64_t kDay = 1440;
const Request kRequest{.horizon = minutes(5), .quantile = 0.9, .unit = 20};

using Load = std::function<double(std::int64_t minute)>;  // NaN: nothing is read

// A forecaster that lives through a load, minute by minute.
class Life {
 public:
  explicit Life(History history) : history_(std::move(history)) {}

  struct Minute {
    double value = 0;
    double peak = 0;  // of the last hour
    Forecast forecast;
  };

  std::vector<Minute> Through(std::int64_t begin, std::int64_t end, const Load& load) {
    std::vector<Minute> life;
    for (std::int64_t m = begin; m < end; ++m) {
      const double value = load(m);
      if (!std::isfinite(value)) continue;
      const Instant now = history_.Center(m);
      history_.Append(now, value);
      const double peak = std::max(value, history_.Peak(m - 60));
      life.push_back({value, peak, Look(now, value, history_, kRequest, state_)});
    }
    return life;
  }

  void Restart(History history) { history_ = std::move(history); }
  void Refill(const History& past) {
    std::vector<float> means;
    for (std::int64_t bin = past.begin(); bin < past.end(); ++bin) means.push_back(past.At(bin));
    history_.Refill(past.begin(), means);
  }
  const State& state() const { return state_; }

 private:
  History history_;
  State state_;
};

// How much a forecast that is on asks for above what the next five minutes need: the mean of
// (upper - need) / need where that is positive, over the minutes from `begin` on.
double Excess(const std::vector<Life::Minute>& life, std::size_t begin) {
  double sum = 0;
  for (std::size_t i = begin; i + 5 < life.size(); ++i) {
    if (life[i].forecast.standing != Standing::kOn) continue;
    double need = 0;
    for (std::size_t k = 0; k <= 5; ++k) need = std::max(need, life[i + k].value);
    sum += std::max(0.0, life[i].forecast.upper / need - 1);
  }
  return sum / static_cast<double>(life.size() - 5 - begin);
}

void ExpectWithinThreePeaks(const std::vector<Life::Minute>& life) {
  for (const Life::Minute& minute : life) {
    ASSERT_LE(minute.forecast.upper, 3 * minute.peak * (1 + 1e-6));
    ASSERT_GE(minute.forecast.upper, 0);
  }
}

// Two weeks are known; what happens next, day by day.
class ForecastAfterTwoWeeks : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = kMonday + 14 * kDay;
  SyntheticLoad load_;
  Life life_{HistoryOf(load_, kMonday, kNow)};
};

TEST_F(ForecastAfterTwoWeeks, IsOnAtOnceAndBeatsTheLastValueOnAnOrdinaryDay) {
  const auto day = life_.Through(kNow, kNow + kDay, [&](auto m) { return load_.At(m); });
  EXPECT_EQ(day.front().forecast.standing, Standing::kOn) << day.front().forecast.reason;
  EXPECT_EQ(day.back().forecast.standing, Standing::kOn);
  EXPECT_LT(Ratio(life_.state().score), 0.85);
  EXPECT_NEAR(life_.state().score.coverage, 0.9, 0.03);
  EXPECT_LT(std::abs(life_.state().score.bias), 10) << "of a mean of 1000";
  EXPECT_LT(Excess(day, 0), 0.04);
  ExpectWithinThreePeaks(day);
}

TEST_F(ForecastAfterTwoWeeks, ALevelFiveTimesAsHighIsHarmlessWithinADay) {
  for (const double factor : {5.0, 0.2}) {
    Life life = life_;
    const auto days =
        life.Through(kNow, kNow + 2 * kDay, [&](auto m) { return factor * load_.At(m); });
    ExpectWithinThreePeaks(days);
    EXPECT_LT(Excess(days, 10), 0.10) << "ten minutes later, at factor " << factor;
    EXPECT_LT(Excess(days, kDay), 0.05) << "a day later, at factor " << factor;
  }
}

TEST_F(ForecastAfterTwoWeeks, AWeekWithoutDataIsHarmless) {
  const auto load = [&](std::int64_t m) {
    return m >= kNow + 60 && m < kNow + 60 + 7 * kDay ? std::nan("") : load_.At(m);
  };
  const auto days = life_.Through(kNow, kNow + 9 * kDay, load);
  ExpectWithinThreePeaks(days);
  EXPECT_LT(Excess(days, 60), 0.10);
  EXPECT_LT(Excess(days, 60 + kDay), 0.06);
}

TEST_F(ForecastAfterTwoWeeks, AnOutlierOfFiftyTimesIsOverWhenItIsOver) {
  const auto load = [&](std::int64_t m) {
    return m == kNow + 100 ? 50 * load_.At(m) : load_.At(m);
  };
  const auto day = life_.Through(kNow, kNow + kDay, load);
  ExpectWithinThreePeaks(day);
  for (std::size_t i = 101; i < day.size(); ++i) {
    ASSERT_LT(day[i].forecast.upper, 1.5 * day[i].value) << i - 100 << " minutes later";
  }
  // And a day later, when it is what happened at this time on the day before.
  const auto next =
      life_.Through(kNow + kDay, kNow + kDay + 200, [&](auto m) { return load_.At(m); });
  for (const Life::Minute& minute : next) ASSERT_LT(minute.forecast.upper, 1.5 * minute.value);
}

TEST_F(ForecastAfterTwoWeeks, ASeasonThatMovesIsOffOrHarmlessWithinADay) {
  const SyntheticLoad moved{.shift_h = 6};
  const auto days = life_.Through(kNow, kNow + 2 * kDay, [&](auto m) { return moved.At(m); });
  ExpectWithinThreePeaks(days);
  EXPECT_LT(Excess(days, 0), 0.10);
  EXPECT_LT(Excess(days, kDay), 0.06);
}

// The same four events inside the window that is trained on.
TEST(ForecastTrainedOnTrouble, IsOffOrHarmless) {
  const SyntheticLoad load, moved{.shift_h = 6};
  constexpr std::int64_t kNow = kMonday + 14 * kDay;
  constexpr std::int64_t kEvent = kMonday + 9 * kDay;
  const std::vector<Load> windows = {
      [&](auto m) { return m < kEvent ? load.At(m) : 5 * load.At(m); },
      [&](auto m) { return m > kEvent - 7 * kDay && m < kEvent ? std::nan("") : load.At(m); },
      [&](auto m) { return m == kNow - kDay + 200 ? 50 * load.At(m) : load.At(m); },
      [&](auto m) { return m < kEvent ? load.At(m) : moved.At(m); },
      // Spikes of ten minutes, eight times a day, never twice at one time of day.
      [&](auto m) { return m % 187 < 10 && m < kNow ? 4 * load.At(m) : load.At(m); },
  };
  for (std::size_t i = 0; i < windows.size(); ++i) {
    std::vector<float> means;
    for (std::int64_t m = kMonday; m < kNow; ++m)
      means.push_back(static_cast<float>(windows[i](m)));
    History history;
    history.Refill(kMonday, means);
    const auto day = Life(std::move(history)).Through(kNow, kNow + kDay, windows[i]);
    ExpectWithinThreePeaks(day);
    EXPECT_LT(Excess(day, 0), 0.08) << "window " << i;
    for (const Life::Minute& minute : day) {
      ASSERT_LT(minute.forecast.upper, 2 * minute.value) << "window " << i;
    }
  }
}

TEST(ForecasterTest, LearnsFromNothing) {
  const SyntheticLoad load;
  Life life{History()};
  const auto day = life.Through(kMonday, kMonday + kDay, [&](auto m) { return load.At(m); });
  EXPECT_EQ(day.front().forecast.standing, Standing::kLearning);
  EXPECT_EQ(day.front().forecast.reason, "learning: 0 of 30 forecasts have come due");
  EXPECT_NE(day[200].forecast.standing, Standing::kLearning);
  EXPECT_NEAR(life.state().score.coverage, 0.9, 0.03);
  ExpectWithinThreePeaks(day);
}

TEST(ForecasterTest, IsSwitchedOffWithAReasonWhereItIsWorse) {
  // For three days the load jumps at the same minutes of each hour.
  const auto jump = [](std::int64_t m) { return m % 60 >= 20 && m % 60 < 40 ? 2000.0 : 1000.0; };
  std::vector<float> means;
  for (std::int64_t m = 0; m < 3 * kDay; ++m) means.push_back(static_cast<float>(jump(m)));
  History history;
  history.Refill(kMonday, means);
  Life life(std::move(history));
  const std::int64_t now = kMonday + 3 * kDay;
  auto lived = life.Through(now, now + 180, [&](auto m) { return jump(m - kMonday); });
  EXPECT_EQ(lived.back().forecast.standing, Standing::kOn) << lived.back().forecast.reason;
  EXPECT_LT(Ratio(life.state().score), 0.6);
  // Then every 41 minutes, of which what was learnt knows nothing.
  lived = life.Through(now + 180, now + 180 + kDay,
                       [](std::int64_t m) { return m % 41 >= 20 ? 2000.0 : 1000.0; });
  const auto off = std::ranges::find(lived, Standing::kOff,
                                     [](const Life::Minute& m) { return m.forecast.standing; });
  ASSERT_NE(off, lived.end());
  EXPECT_LT(off - lived.begin(), kDay / 2);
  EXPECT_TRUE(off->forecast.reason.starts_with("worse than the last value: pinball loss 1."))
      << off->forecast.reason;
}

TEST(ForecasterTest, SeesAnHourlyJobComing) {
  const auto job = [](std::int64_t m) {
    return 1000.0 + 20 * testing::Draw(static_cast<std::uint64_t>(m)) + (m % 60 < 6 ? 800 : 0);
  };
  std::vector<float> means;
  for (std::int64_t m = 0; m < 2 * kDay; ++m) means.push_back(static_cast<float>(job(m)));
  History history;
  history.Refill(0, means);
  const auto hour = Life(std::move(history)).Through(2 * kDay, 2 * kDay + 60, job);
  EXPECT_LT(hour[30].forecast.upper, 1200);
  EXPECT_GT(hour[56].forecast.upper, 1600) << "four minutes before the hour, five ahead";
}

TEST(ForecasterTest, IsDeterministicAndAValue) {
  const SyntheticLoad load;
  constexpr std::int64_t kNow = kMonday + 3 * kDay;
  const History history = HistoryOf(load, kMonday, kNow);
  Life a(history), b(history);
  const auto at = [&](std::int64_t m) { return load.At(m); };
  a.Through(kNow, kNow + 100, at);
  b.Through(kNow, kNow + 100, at);
  EXPECT_EQ(a.state(), b.state());
  Life c = a;  // a copy goes on as the original does
  a.Through(kNow + 100, kNow + 200, at);
  c.Through(kNow + 100, kNow + 200, at);
  EXPECT_EQ(a.state(), c.state());
}

TEST(ForecasterTest, KeepsItsModelThroughARestartThatLostTheHistory) {
  const SyntheticLoad load;
  constexpr std::int64_t kNow = kMonday + 4 * kDay;
  const auto at = [&](std::int64_t m) { return load.At(m); };
  Life life(HistoryOf(load, kMonday, kNow));
  life.Through(kNow, kNow + 20, at);
  const Model model = life.state().model;
  life.Restart(History());
  const auto lived = life.Through(kNow + 23, kNow + 100, at);
  EXPECT_EQ(life.state().model, model);
  EXPECT_EQ(lived.front().forecast.standing, Standing::kOn) << lived.front().forecast.reason;
  EXPECT_LT(Excess(lived, 0), 0.06);
  // The past arrives, and is learnt from.
  life.Refill(HistoryOf(load, kMonday, kNow + 100));
  life.Through(kNow + 100, kNow + 101, at);
  EXPECT_EQ(life.state().model.fitted_at, kNow + 100);
}

TEST(ForecasterTest, LearnsAtOnceFromAPastThatArrivesLate) {
  const SyntheticLoad load;
  constexpr std::int64_t kNow = kMonday + 4 * kDay;
  const auto at = [&](std::int64_t m) { return load.At(m); };
  Life life{History()};
  EXPECT_EQ(life.Through(kNow, kNow + 25, at).back().forecast.standing, Standing::kLearning);
  life.Refill(HistoryOf(load, kMonday, kNow + 10));
  EXPECT_EQ(life.Through(kNow + 25, kNow + 26, at).back().forecast.standing, Standing::kOn);
  EXPECT_TRUE(life.state().model.harmonics.has_day);
}

TEST(ForecasterTest, RescalesWhatItKnowsOfErrorsToAnotherHorizon) {
  const SyntheticLoad load;
  constexpr std::int64_t kNow = kMonday + 3 * kDay;
  History history = HistoryOf(load, kMonday, kNow);
  State state;
  const Instant now = history.Center(kNow);
  Request request = kRequest;
  Look(now, load.At(kNow), history, request, state);
  const double margin = Margin(state.ours);
  request.horizon = 4 * kRequest.horizon;
  Look(now, load.At(kNow), history, request, state);
  EXPECT_NEAR(Margin(state.ours), 2 * margin, 1e-3 * margin);
  request.unit = 2 * kRequest.unit;
  Look(now, load.At(kNow), history, request, state);
  EXPECT_EQ(state.unit, request.unit);
  EXPECT_TRUE(state.model.fitted) << "anew, from the history";
}

TEST(ForecasterTest, StaysSmall) {
  EXPECT_LE(sizeof(State) + 8 * sizeof(Pending), 2048u);
  Life life{History()};
  life.Through(kMonday, kMonday + 100, [](auto) { return 100.0; });
  EXPECT_LE(life.state().pending.size(), 8u);
}

TEST(ForecasterTest, BearsZerosAndHugeValues) {
  Life life{History()};
  const auto wild = [](std::int64_t m) {
    return m % 7 == 0 ? 0.0 : m % 11 == 0 ? 1e300 : m % 13 == 0 ? 1e-300 : 5.0;
  };
  for (const auto& minute : life.Through(kMonday, kMonday + 400, wild)) {
    ASSERT_TRUE(std::isfinite(minute.forecast.upper));
    ASSERT_TRUE(std::isfinite(minute.forecast.median));
  }
}

}  // namespace
}  // namespace tidegate::forecast
