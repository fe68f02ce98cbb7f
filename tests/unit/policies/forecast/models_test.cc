#include "policies/forecast/models.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "policies/forecast/period.h"
#include "policies/forecast/slots.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::forecast {
namespace {

using signals::History;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::HistoryOf;
using testing::kMonday;
using testing::SyntheticLoad;

constexpr std::int64_t kDay = 1440;
constexpr double kUnit = 50;

Instant Minute(std::int64_t minute) { return FromUnixMillis(minute * 60'000); }

// The history with each mean changed.
template <class Change>
History Changed(const History& history, Change change) {
  std::vector<float> means;
  for (std::int64_t bin = history.begin(); bin < history.end(); ++bin) {
    means.push_back(static_cast<float>(change(bin, static_cast<double>(history.At(bin)))));
  }
  History changed;
  changed.Refill(history.begin(), means);
  return changed;
}

Slots SlotsOf(const History& history, int bins) {
  return MakeSlots(history, kUnit, history.end(), bins);
}

// What the day makes of the logarithm from one minute of Monday to another.
double TrueChange(std::int64_t from, std::int64_t to) {
  const SyntheticLoad load{.noise = 0};
  return ToLog(load.At(kMonday + to), kUnit) - ToLog(load.At(kMonday + from), kUnit);
}

// The largest error of a season's changes over half hours of a day.
template <class Season>
double WorstError(const Season& season, double shift_h = 0) {
  double worst = 0;
  const auto shift = static_cast<std::int64_t>(shift_h * 60);
  for (std::int64_t m = 0; m < kDay; m += 30) {
    const double change = At(season, Minute(kMonday + m + 30)) - At(season, Minute(kMonday + m));
    worst = std::max(worst, std::abs(change - TrueChange(m - shift, m + 30 - shift)));
  }
  return worst;
}

const History& TwoWeeks() {
  static const History history = HistoryOf({}, kMonday, kMonday + 14 * kDay);
  return history;
}

TEST(SlotsTest, AreMediansThatASpikeDoesNotTouch) {
  History history;
  for (int m = 0; m < 21; ++m) history.Append(Minute(m), m == 4 ? 5000 : 100);
  const Slots slots = MakeSlots(history, 100, history.end(), 10);
  ASSERT_EQ(slots.logs.size(), 2u);
  EXPECT_NEAR(slots.logs[0], std::log(2), 1e-6);
  EXPECT_EQ(slots.Center(1), Minute(15));
}

TEST(SlotsTest, KnowNothingWhereTwoThirdsAreMissing) {
  History history;
  for (const int m : {0, 3, 6, 9, 12, 15, 25}) history.Append(Minute(m), 100);
  const Slots slots = MakeSlots(history, 100, 20, 10);
  EXPECT_TRUE(std::isfinite(slots.logs[0]));
  EXPECT_FALSE(std::isfinite(slots.logs[1]));
  EXPECT_EQ(Known(slots), 1u);
}

TEST(HarmonicsTest, FindTheDay) {
  const Harmonics fitted = FitHarmonics(SlotsOf(TwoWeeks(), 10));
  EXPECT_TRUE(fitted.has_day);
  EXPECT_TRUE(fitted.has_week);
  EXPECT_LT(WorstError(fitted), 0.03) << "of changes up to " << TrueChange(360, 390);
}

TEST(HarmonicsTest, SurviveAChangeOfLevelAGapAndOutliers) {
  const auto spoil = [](std::int64_t bin, double mean) {
    const std::int64_t day = (bin - kMonday) / kDay;
    if (day == 7 || day == 8) return std::nan("");
    if (bin % 5003 < 20) return 50 * mean;
    return day >= 4 ? 5 * mean : mean;
  };
  EXPECT_LT(WorstError(FitHarmonics(SlotsOf(Changed(TwoWeeks(), spoil), 10))), 0.06);
}

TEST(HarmonicsTest, FollowASeasonThatMoved) {
  const SyntheticLoad before, after{.shift_h = 6};
  const History moved = Changed(TwoWeeks(), [&](std::int64_t bin, double) {
    return bin < kMonday + 7 * kDay ? before.At(bin) : after.At(bin);
  });
  const Harmonics fitted = FitHarmonics(SlotsOf(moved, 10));
  EXPECT_LT(WorstError(fitted, 6), WorstError(fitted, 0) / 2);
}

TEST(HarmonicsTest, FindTheWeek) {
  const History week = Changed(TwoWeeks(), [](std::int64_t bin, double mean) {
    return (bin - kMonday) / kDay % 7 >= 5 ? mean / 2 : mean;
  });
  const Harmonics fitted = FitHarmonics(SlotsOf(week, 10));
  const auto middle = [&](int day) { return At(fitted, Minute(kMonday + day * kDay + kDay / 2)); };
  EXPECT_GT(middle(2) - middle(6), 0.2);
}

TEST(HarmonicsTest, SayNothingBeforeADayWasSeenTwice) {
  const History day = HistoryOf({}, kMonday, kMonday + kDay);
  EXPECT_EQ(FitHarmonics(SlotsOf(day, 10)), Harmonics{});
  EXPECT_EQ(At(Harmonics{}, Minute(5)), 0);
}

TEST(HoltWintersTest, LearnsTheDay) {
  const DayProfile profile = LearnDay(SlotsOf(TwoWeeks(), 30));
  EXPECT_TRUE(profile.known);
  EXPECT_LT(WorstError(profile), 0.08);
}

TEST(HoltWintersTest, FollowsASeasonThatMovedWithinAWeek) {
  const SyntheticLoad before, after{.shift_h = 6};
  const History moved = Changed(TwoWeeks(), [&](std::int64_t bin, double) {
    return bin < kMonday + 7 * kDay ? before.At(bin) : after.At(bin);
  });
  const DayProfile profile = LearnDay(SlotsOf(moved, 30));
  EXPECT_LT(WorstError(profile, 6), WorstError(profile, 0) / 2);
}

TEST(HoltWintersTest, IsNotKnownFromLessThanTwoDays) {
  EXPECT_FALSE(LearnDay(SlotsOf(HistoryOf({}, kMonday, kMonday + 2 * kDay - 60), 30)).known);
  EXPECT_TRUE(LearnDay(SlotsOf(HistoryOf({}, kMonday, kMonday + 2 * kDay), 30)).known);
}

TEST(HoltWintersTest, RunsOnALineBetweenHalfHours) {
  DayProfile profile;
  profile.known = true;
  profile.season[0] = 1;
  profile.season[1] = 3;
  EXPECT_NEAR(At(profile, Minute(15)), 1, 1e-6);
  EXPECT_NEAR(At(profile, Minute(30)), 2, 1e-6);
  EXPECT_NEAR(At(profile, Minute(0)), 0.5, 1e-6) << "halfway from the last half-hour of the day";
}

TEST(PeriodTest, FindsAJobThatRunsAtEachHour) {
  std::vector<float> values;
  for (std::uint64_t m = 0; m < 2880; ++m) {
    values.push_back(static_cast<float>(5 + 0.1 * testing::Draw(m) + (m % 60 < 3 ? 1 : 0)));
  }
  EXPECT_EQ(FindPeriod(values), 60);
  for (std::size_t gap = 700; gap < 1000; ++gap) values[gap] = NAN;
  values[1234] = 50;
  EXPECT_EQ(FindPeriod(values), 60);
}

TEST(PeriodTest, FindsNoneInNoiseAWaveOrNothing) {
  std::vector<float> noise, wave;
  for (std::uint64_t m = 0; m < 2880; ++m) {
    noise.push_back(static_cast<float>(testing::Draw(m)));
    wave.push_back(static_cast<float>(
        std::sin(static_cast<double>(m) / 1440 * 2 * std::numbers::pi) + 0.1 * testing::Draw(m)));
  }
  EXPECT_EQ(FindPeriod(noise), 0);
  EXPECT_EQ(FindPeriod(wave), 0);
  EXPECT_EQ(FindPeriod(std::vector<float>(2880, 4.0F)), 0);
  EXPECT_EQ(FindPeriod({}), 0);
}

TEST(LookAheadTest, EachModelSeesTheMorningRiseButTheLastValue) {
  const History& history = TwoWeeks();
  const std::int64_t seven = kMonday + 13 * kDay + 7 * 60;
  const Model model = Fit(history, {.unit = kUnit, .end = seven, .ahead = 30});
  const Present present = Settle(model, history, kUnit, seven);
  const SyntheticLoad load{.noise = 0};
  const double log = ToLog(load.At(seven), kUnit);
  const double truth = ToLog(load.At(seven + 30), kUnit) - log;
  ASSERT_GT(truth, 0.05);
  const Outlooks outlooks =
      LookAhead(model, present, history, kUnit, {history.Center(seven), log}, minutes(30));
  EXPECT_FLOAT_EQ(outlooks[kLast], static_cast<float>(log));
  for (const Member member : {kTrend, kHoltWinters, kHarmonic, kDayBefore, kWeekBefore}) {
    EXPECT_NEAR(static_cast<double>(outlooks[member]) - log, truth, 0.6 * truth) << member;
  }
  EXPECT_EQ(outlooks[kPeriodBefore], kSilent) << "no shorter period is in this load";
}

TEST(LookAheadTest, OneOddDayIsOutvoted) {
  const History& history = TwoWeeks();
  const History odd = Changed(history, [](std::int64_t bin, double mean) {
    return bin >= kMonday + 13 * kDay && bin < kMonday + 13 * kDay + 60 ? 50 * mean : mean;
  });
  const Model model = Fit(history, {.unit = kUnit, .end = history.end(), .ahead = 1});
  const Present present = Settle(model, history, kUnit, history.end());
  const Origin origin{history.Center(history.end() + 30), 3};
  const auto before = [&](const History& past) {
    return LookAhead(model, present, past, kUnit, origin, hours(1))[kDayBefore];
  };
  EXPECT_NEAR(before(odd), before(history), 0.1);
}

TEST(FitTest, LooksAtNoBinPastItsEnd) {
  const History& history = TwoWeeks();
  const std::int64_t end = kMonday + 9 * kDay;
  const History spoilt = Changed(
      history, [&](std::int64_t bin, double mean) { return bin < end ? mean : mean * 3 + 70; });
  EXPECT_EQ(Fit(history, {.unit = kUnit, .end = end, .ahead = 5}),
            Fit(spoilt, {.unit = kUnit, .end = end, .ahead = 5}));
}

TEST(FitTest, IsAFewHundredBytes) { EXPECT_LE(sizeof(Model), 512u); }

}  // namespace
}  // namespace tidegate::forecast
