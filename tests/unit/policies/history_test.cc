#include "policies/signals/history.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::signals {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Instant Second(std::int64_t s) { return FromUnixMillis(s * 1000); }

TEST(HistoryTest, AveragesTheReadingsOfABinAndClosesItWithTheNext) {
  History history;
  history.Append(Second(600), 10);
  history.Append(Second(630), 30);
  EXPECT_TRUE(history.empty());
  history.Append(Second(660), 99);
  EXPECT_EQ(history.begin(), 10);
  EXPECT_EQ(history.end(), 11);
  EXPECT_FLOAT_EQ(history.At(10), 20);
  EXPECT_TRUE(std::isnan(history.At(9)));
  EXPECT_TRUE(std::isnan(history.At(11)));
  EXPECT_EQ(history.Center(10), Second(630));
}

TEST(HistoryTest, KeepsGapsAsGaps) {
  History history;
  history.Append(Second(0), 1);
  history.Append(Second(240), 5);
  history.Append(Second(300), 6);
  EXPECT_EQ(history.end() - history.begin(), 5);
  EXPECT_FLOAT_EQ(history.At(0), 1);
  for (int bin = 1; bin < 4; ++bin) EXPECT_TRUE(std::isnan(history.At(bin))) << bin;
  EXPECT_FLOAT_EQ(history.At(4), 5);
}

TEST(HistoryTest, LeavesOutWhatIsNoRateAndWhatIsLate) {
  History history;
  history.Append(Second(120), 4);
  history.Append(Second(121), -1);
  history.Append(Second(122), std::nan(""));
  history.Append(Second(123), std::numeric_limits<double>::infinity());
  history.Append(Second(180), 8);
  history.Append(Second(150), 1000);
  history.Append(Second(240), 0);
  EXPECT_FLOAT_EQ(history.At(2), 4);
  EXPECT_FLOAT_EQ(history.At(3), 8);
}

TEST(HistoryTest, IsBounded) {
  History history(seconds(1), seconds(10));
  for (int s = 0; s < 100; ++s) history.Append(Second(s), s);
  EXPECT_EQ(history.begin(), 89);
  EXPECT_EQ(history.end(), 99);
  EXPECT_FLOAT_EQ(history.At(89), 89);
  EXPECT_EQ(history.Peak(95), 98);
  EXPECT_EQ(history.Peak(99), 0);
}

TEST(HistoryTest, ForgetsEverythingInAPauseLongerThanItself) {
  History history(seconds(1), seconds(10));
  history.Append(Second(0), 1);
  history.Append(Second(1), 2);
  history.Append(Second(1'000'000'000), 3);
  EXPECT_TRUE(history.empty());
  EXPECT_EQ(history.end(), 1'000'000'000);
  history.Append(Second(1'000'000'001), 4);
  EXPECT_FLOAT_EQ(history.At(1'000'000'000), 3);
}

TEST(HistoryTest, RefillsWhatIsMissingAndNothingElse) {
  History history;
  history.Append(Second(600), 7);
  history.Append(Second(720), 9);  // bin 11 is a gap
  const std::vector<float> past = {1, 2, NAN, -4, 50, 60, 70};
  history.Refill(7, past);  // bins 7 .. 13, of which 12 is still open here
  EXPECT_EQ(history.begin(), 7);
  EXPECT_EQ(history.end(), 12);
  EXPECT_FLOAT_EQ(history.At(7), 1);
  EXPECT_FLOAT_EQ(history.At(8), 2);
  EXPECT_TRUE(std::isnan(history.At(9)));
  EXPECT_FLOAT_EQ(history.At(10), 7) << "what was read here stays";
  EXPECT_FLOAT_EQ(history.At(11), 50);
}

TEST(HistoryTest, RefillsNoMoreThanItsSpan) {
  History history(seconds(1), seconds(5));
  history.Refill(0, std::vector<float>(100, 3.0F));
  EXPECT_EQ(history.begin(), 95);
  EXPECT_EQ(history.end(), 100);
  history.Refill(0, std::vector<float>(50, 3.0F));
  EXPECT_EQ(history.begin(), 95);
}

TEST(HistoryTest, GoesOnAfterARestartAsIfThereHadBeenNone) {
  History whole, restarted;
  for (int s = 0; s < 3600; s += 15) whole.Append(Second(s), s % 97);
  std::vector<float> means;
  for (std::int64_t bin = 0; bin < 30; ++bin) means.push_back(whole.At(bin));
  restarted.Refill(0, means);
  for (int s = 1800; s < 3600; s += 15) restarted.Append(Second(s), s % 97);
  ASSERT_EQ(restarted.begin(), whole.begin());
  ASSERT_EQ(restarted.end(), whole.end());
  for (std::int64_t bin = 0; bin < whole.end(); ++bin) EXPECT_EQ(restarted.At(bin), whole.At(bin));
}

TEST(HistoryTest, NumbersBinsBefore1970Downwards) {
  const History history;
  EXPECT_EQ(history.BinOf(FromUnixMillis(-1)), -1);
  EXPECT_EQ(history.BinOf(FromUnixMillis(-60'000)), -1);
  EXPECT_EQ(history.BinOf(FromUnixMillis(-60'001)), -2);
  EXPECT_EQ(history.BinOf(FromUnixMillis(0)), 0);
}

}  // namespace
}  // namespace tidegate::signals
