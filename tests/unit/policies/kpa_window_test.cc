// Knative's windows: buckets of one second, their mean, and the delay of shrinks.
#include "policies/sizing/kpa_window.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant At(int second) { return FromUnixMillis(1'800'000'000'000 + 1000LL * second); }
constexpr KpaLengths kLengths{};  // 60 s and 6 s
constexpr KpaLengths kFour{seconds(4), seconds(1)};

double Stable(const KpaWindow& window, int second, const KpaLengths& lengths = kLengths) {
  return Mean(window, lengths, lengths.stable, KpaAggregation::kLinear, At(second));
}
double Panic(const KpaWindow& window, int second) {
  return Mean(window, kLengths, kLengths.panic, KpaAggregation::kLinear, At(second));
}

// The value of each second from 0 on; negative: none.
KpaWindow Filled(const std::vector<double>& values, const KpaLengths& lengths = kLengths) {
  KpaWindow window;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0) Record(window, lengths, At(static_cast<int>(i)), values[i]);
  }
  return window;
}

TEST(KpaWindowTest, NothingWrittenIsEmptyAndZero) {
  const KpaWindow window;
  EXPECT_TRUE(IsEmpty(window, kLengths.stable, At(0)));
  EXPECT_EQ(Stable(window, 0), 0);
}

TEST(KpaWindowTest, AYoungWindowIsAveragedOverItsValidBuckets) {
  const KpaWindow window = Filled({10, 20, 30});
  EXPECT_EQ(Stable(window, 2), 20);
  EXPECT_EQ(Panic(window, 2), 20);
}

TEST(KpaWindowTest, AFullWindowIsAveragedOverItsLengthAndForgetsTheOldest) {
  std::vector<double> values(60, 6.0);
  values.push_back(66);  // second 60: second 0 has left
  const KpaWindow window = Filled(values);
  EXPECT_EQ(window.values.size(), 60u);
  EXPECT_EQ(Stable(window, 60), 7);
  EXPECT_EQ(Panic(window, 60), 16);
}

TEST(KpaWindowTest, GapsInsideTheWindowCountAsZero) {
  EXPECT_EQ(Stable(Filled({30, -1, -1, 30}), 3), 15);
}

TEST(KpaWindowTest, SecondsSinceTheLastWriteDoNotCount) {
  // Twelve seconds: in the window of six are 2 buckets at second 15, and 1 at 16.
  const KpaWindow window = Filled({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 18});
  EXPECT_EQ(Stable(window, 15), 2);
  EXPECT_EQ(Panic(window, 15), 12);
  EXPECT_EQ(Panic(window, 16), 18);
}

TEST(KpaWindowTest, AWholeWindowWithoutAWriteIsZeroAndAfterItEmpty) {
  const KpaWindow window = Filled({60});
  EXPECT_EQ(Stable(window, 59), 60);
  EXPECT_EQ(Stable(window, 60), 0);
  EXPECT_FALSE(IsEmpty(window, kLengths.stable, At(60)));
  EXPECT_TRUE(IsEmpty(window, kLengths.stable, At(61)));
}

TEST(KpaWindowTest, AWriteAfterAWholeWindowBeginsItAnew) {
  KpaWindow window = Filled({60, 60});
  Record(window, kLengths, At(61), 3);
  EXPECT_EQ(window.values, std::vector<double>{3});
  Record(window, kLengths, At(62), 5);
  EXPECT_EQ(Stable(window, 62), 4);
}

TEST(KpaWindowTest, AWriteJustBeforeAWholeWindowKeepsIt) {
  KpaWindow window = Filled({60, 60});
  Record(window, kLengths, At(60), 60);
  EXPECT_EQ(Stable(window, 60), 2);  // second 0 has left: 120 in 60 buckets
}

TEST(KpaWindowTest, ThePanicWindowBeginsAnewForItself) {
  KpaWindow window = Filled({12});
  Record(window, kLengths, At(6), 12);  // a whole panic window later
  EXPECT_EQ(Panic(window, 6), 12);
  Record(window, kLengths, At(7), 6);
  EXPECT_EQ(Panic(window, 7), 9);
  KpaWindow sooner = Filled({12});
  Record(sooner, kLengths, At(5), 12);
  EXPECT_EQ(Panic(sooner, 5), 4);  // 24 in 6 buckets
}

TEST(KpaWindowTest, MeansAreRoundedToSixDigits) {
  EXPECT_EQ(Stable(Filled({1, 0, 0}), 2), 0.333333);
  EXPECT_EQ(Stable(Filled({1, 1, 0}), 2), 0.666667);
}

TEST(KpaWindowTest, ValuesOfOneSecondAddUp) {
  KpaWindow window;
  Record(window, kLengths, At(0), 2);
  Record(window, kLengths, At(0) + milliseconds(999), 3);
  EXPECT_EQ(window.values, std::vector<double>{5});
}

TEST(KpaWindowTest, OlderTimesAreIgnoredAndAClockSetFarBackBeginsAnew) {
  KpaWindow window = Filled({1, 2});
  Record(window, kLengths, At(0), 9);
  EXPECT_EQ(window, Filled({1, 2}));
  Record(window, kLengths, At(-59), 7);
  EXPECT_EQ(window.values, std::vector<double>{7});
}

TEST(KpaWindowTest, ALongerWindowAfterAChangeCountsWhatItHas) {
  const KpaWindow window = Filled({8, 8, 8, 8, 8, 4}, kFour);
  EXPECT_EQ(Stable(window, 5, kFour), 7);
  EXPECT_EQ(Stable(window, 5), 7);  // now 60 s: still those 4 buckets
}

// The worked numbers: [10, 10, 5, 5], newest last, at a = 0.6 is 5*0.6 + 5*0.24 + 10*0.096 +
// 10*0.0384 = 5.544, reversed 9.072. At 4 buckets Knative's own coefficient is 0.9.
TEST(KpaWindowTest, WeightsFallExponentiallyFromTheNewest) {
  const auto mean = [](const std::vector<double>& values, int second) {
    return Mean(Filled(values, kFour), kFour, kFour.stable, KpaAggregation::kWeightedExponential,
                At(second));
  };
  EXPECT_NEAR(mean({10, 10, 5, 5}, 3), 5 * 0.9 + 5 * 0.09 + 10 * 0.009 + 10 * 0.0009, 1e-12);
  EXPECT_NEAR(mean({5, 5, 10, 10}, 3), 10 * 0.9 + 10 * 0.09 + 5 * 0.009 + 5 * 0.0009, 1e-12);
  // One second later the weight of the missing second is lost, and the oldest has left.
  EXPECT_NEAR(mean({10, 10, 5, 5}, 4), 5 * 0.09 + 5 * 0.009 + 10 * 0.0009, 1e-12);
}

TEST(KpaWindowTest, TheCoefficientIsAtLeastAFifth) {
  // 1 - 0.0001^(1/60) is 0.142.
  EXPECT_NEAR(Mean(Filled({10, 100}), kLengths, kLengths.stable,
                   KpaAggregation::kWeightedExponential, At(1)),
              100 * 0.2 + 10 * 0.16, 1e-12);
}

// At 6 buckets the coefficient is 1 - 0.0001^(1/6).
TEST(KpaWindowTest, ThePanicWindowHasWeightsOfItsOwn) {
  const double a = 1 - std::pow(0.0001, 1.0 / 6);
  const KpaWindow window = Filled({70, 60, 50, 40, 30, 20, 10});
  double expected = 0;
  for (int age = 0; age < 6; ++age) expected += 10.0 * (age + 1) * a * std::pow(1 - a, age);
  EXPECT_NEAR(Mean(window, kLengths, kLengths.panic, KpaAggregation::kWeightedExponential, At(6)),
              expected, 1e-9);
}

TEST(KpaDelayTest, IsTheMaximumOfItsSlots) {
  std::vector<KpaDelayed> kept;
  const Duration delay = seconds(6);  // 3 slots
  EXPECT_EQ(RecordDelayed(kept, delay, At(0), 10), 10);
  EXPECT_EQ(RecordDelayed(kept, delay, At(2), 4), 10);
  EXPECT_EQ(RecordDelayed(kept, delay, At(4), 6), 10);
  EXPECT_EQ(RecordDelayed(kept, delay, At(6), 2), 6);
  EXPECT_EQ(RecordDelayed(kept, delay, At(8), 2), 6);
  EXPECT_EQ(RecordDelayed(kept, delay, At(10), 2), 2);
}

TEST(KpaDelayTest, SlotsAreTheDelayByTwoSecondsRoundedUp) {
  std::vector<KpaDelayed> kept;
  EXPECT_EQ(RecordDelayed(kept, seconds(5), At(0), 10), 10);
  EXPECT_EQ(RecordDelayed(kept, seconds(5), At(5), 1), 10);  // slot 2 of 3
  EXPECT_EQ(RecordDelayed(kept, seconds(5), At(6), 1), 1);
}

TEST(KpaDelayTest, TheLargestOfOneSlotCounts) {
  std::vector<KpaDelayed> kept;
  EXPECT_EQ(RecordDelayed(kept, seconds(2), At(0), 7), 7);
  EXPECT_EQ(RecordDelayed(kept, seconds(2), At(1), 3), 7);
  EXPECT_EQ(RecordDelayed(kept, seconds(2), At(2), 3), 3);
}

TEST(KpaDelayTest, KeepsOnlyWhatCanStillBeTheMaximum) {
  std::vector<KpaDelayed> kept;
  for (int i = 0; i < 100; ++i) RecordDelayed(kept, seconds(60), At(2 * i), i);
  EXPECT_EQ(kept.size(), 1u);
  for (int i = 0; i < 100; ++i) RecordDelayed(kept, seconds(60), At(200 + 2 * i), 100 - i);
  EXPECT_EQ(kept.size(), 30u);
}

}  // namespace
}  // namespace tidegate::sizing
