#include "sim/report/time_line.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Moment At(int second, Rate demand = 0) {
  return {.at = Duration(1'000) * second, .demand = demand};
}

TEST(TimeLineTest, KeepsEveryLookWhileTheyFit) {
  TimeLine line(4);
  for (int i = 0; i < 4; ++i) line.Add(At(i, i));
  ASSERT_EQ(line.moments().size(), 4u);
  EXPECT_EQ(line.moments()[3].at, Duration(3'000));
  EXPECT_EQ(line.moments()[3].demand, 3);
  EXPECT_EQ(line.best()[3].demand, 3);
}

TEST(TimeLineTest, LongRunsStayBounded) {
  TimeLine line(100);
  for (int i = 0; i < 100'000; ++i) line.Add(At(i));
  EXPECT_LE(line.moments().size(), 100u);
  EXPECT_GE(line.moments().size(), 50u);
  EXPECT_EQ(line.moments().size(), line.best().size());
  EXPECT_TRUE(std::ranges::is_sorted(line.moments(), {}, &Moment::at));
}

TEST(TimeLineTest, OneLookOfManyIsKeptAtBothEnds) {
  // One second of a peak and one of a lull somewhere in a day.
  TimeLine line(100);
  for (int i = 0; i < 86'400; ++i) line.Add(At(i, i == 12'345 ? 900 : i == 54'321 ? 1 : 50));
  EXPECT_EQ(std::ranges::max(line.moments(), {}, &Moment::demand).demand, 900);
  EXPECT_EQ(std::ranges::min(line.best(), {}, &Moment::demand).demand, 1);
  const TimeLine thinned = line.Thinned(10);
  EXPECT_LE(thinned.moments().size(), 10u);
  EXPECT_EQ(std::ranges::max(thinned.moments(), {}, &Moment::demand).demand, 900);
  EXPECT_EQ(std::ranges::min(thinned.best(), {}, &Moment::demand).demand, 1);
}

TEST(TimeLineTest, WorstOfCapacityAndReadyIsTheLeast) {
  TimeLine line(2);
  for (int i = 0; i < 3; ++i) {
    Moment moment = At(i);
    moment.ready = 5 - i;
    moment.capacity = 100 - i;
    moment.starting = i;
    line.Add(moment);
  }
  EXPECT_EQ(line.moments()[0].ready, 4);
  EXPECT_EQ(line.best()[0].ready, 5);
  EXPECT_EQ(line.moments()[0].capacity, 99);
  EXPECT_EQ(line.moments()[0].starting, 1);
  EXPECT_EQ(line.best()[0].starting, 0);
}

TEST(TimeLineTest, AViewSurvivesANeighbourWithout) {
  TimeLine line(2);
  for (const double view : {kNaN, 70.0, kNaN, kNaN}) {
    Moment moment = At(static_cast<int>(line.moments().size()));
    moment.view = view;
    moment.blind = std::isnan(view);
    line.Add(moment);
  }
  EXPECT_EQ(line.moments()[0].view, 70);
  EXPECT_EQ(line.best()[0].view, 70);
  EXPECT_TRUE(line.moments()[0].blind);
  EXPECT_FALSE(line.best()[0].blind);
  EXPECT_TRUE(std::isnan(line.moments()[1].view));
}

TEST(TimeLineTest, LatencySurvivesANeighbourWithout) {
  TimeLine line(2);
  for (int i = 0; i < 4; ++i) {
    Moment moment = At(i);
    if (i == 1) moment.latency = {0.1, 0.2, 0.3};
    if (i == 3) moment.latency = {0.1, 0.5, 0.9};
    line.Add(moment);
  }
  ASSERT_TRUE(line.moments()[0].latency);
  EXPECT_EQ(line.moments()[0].latency->p99, 0.3);
  EXPECT_EQ(line.Thinned(2).moments()[1].latency->p99, 0.9);
}

}  // namespace
}  // namespace tidegate::sim
