#include "sim/report/time_means.h"

#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using Values = std::vector<double>;

constexpr Instant kStart = FromUnixMillis(1'000'000);

TEST(TimeMeansTest, AveragesWithinEachStretch) {
  TimeMeans means(kStart, seconds(10), 2);
  means.Add(kStart, 1);
  means.Add(kStart + seconds(4), 3);
  means.Add(kStart + seconds(5), 10);
  EXPECT_EQ(means.Values(), (Values{2, 10}));
}

TEST(TimeMeansTest, LeavesOutWhatLiesOutside) {
  TimeMeans means(kStart, seconds(10), 1);
  means.Add(kStart - seconds(1), 100);
  means.Add(kStart + seconds(10), 100);
  EXPECT_TRUE(means.Values().empty());
  means.Add(kStart + seconds(9), 7);
  EXPECT_EQ(means.Values(), (Values{7}));
}

TEST(TimeMeansTest, FillsStretchesThatHoldNothing) {
  TimeMeans means(kStart, seconds(50), 5);
  means.Add(kStart + seconds(15), 4);
  means.Add(kStart + seconds(45), 9);
  EXPECT_EQ(means.Values(), (Values{4, 4, 4, 4, 9}));
}

}  // namespace
}  // namespace tidegate::sim
