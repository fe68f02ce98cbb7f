#include "sim/world/station.h"

#include <algorithm>
#include <queue>
#include <vector>

#include <gtest/gtest.h>

#include "traces/generate/random.h"

namespace tidegate::sim {
namespace {

// The same by the plainest means: who is inside is a list of starts and ends.
class Oracle {
 public:
  explicit Oracle(std::size_t workers) : free_(workers, 0) {}
  double FreeAt() const { return *std::ranges::min_element(free_); }
  void Take(double start, double end) {
    *std::ranges::min_element(free_) = end;
    starts_.push_back(start);
    ends_.push_back(end);
  }
  std::size_t Inside(double now) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(ends_, [now](double end) { return end > now; }));
  }
  std::size_t Waiting(double now) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(starts_, [now](double start) { return start > now; }));
  }

 private:
  std::vector<double> free_, starts_, ends_;
};

class StationsTest : public testing::TestWithParam<std::size_t> {};

TEST_P(StationsTest, AgreeWithAListOfStartsAndEnds) {
  const std::size_t workers = GetParam();
  Stations stations(workers);
  const Stations::Slot other = stations.Add();
  const Stations::Slot slot = stations.Add();
  Oracle oracle(workers);
  traces::Random random(11, workers);
  double now = 0;
  for (int i = 0; i < 3'000; ++i) {
    // Phases of overload and of rest.
    now += random.Exponential() / static_cast<double>(workers) * (i % 600 < 300 ? 0.7 : 1.6);
    ASSERT_EQ(stations.FreeAt(slot), oracle.FreeAt());
    ASSERT_EQ(stations.Waiting(slot, now), oracle.Waiting(now));
    ASSERT_EQ(stations.Inside(slot, now), oracle.Inside(now));
    const double start = std::max(now, stations.FreeAt(slot));
    const double end = start + random.Exponential();
    stations.Take(slot, now, start, end);
    oracle.Take(start, end);
    const double later = now + 2 * random.Uniform();
    ASSERT_EQ(stations.Inside(slot, later), oracle.Inside(later));
    ASSERT_EQ(stations.Waiting(slot, later), oracle.Waiting(later));
  }
  EXPECT_EQ(stations.Inside(other, now), 0u);
}

INSTANTIATE_TEST_SUITE_P(Workers, StationsTest, testing::Values(1, 2, 3, 5, 8, 31, 32, 100));

TEST(StationsSlotTest, ARemovedSlotComesBackEmpty) {
  Stations stations(2);
  const Stations::Slot slot = stations.Add();
  for (int i = 0; i < 5; ++i) stations.Take(slot, 0, stations.FreeAt(slot), 100 + i);
  EXPECT_EQ(stations.Inside(slot, 1), 5u);
  stations.Remove(slot);
  EXPECT_EQ(stations.Add(), slot);
  EXPECT_EQ(stations.Inside(slot, 1), 0u);
  EXPECT_EQ(stations.FreeAt(slot), 0);
}

TEST(StationsSlotTest, WhoGivesUpWaitsUntilThenAndTakesNoWorker) {
  Stations stations(1);
  const Stations::Slot slot = stations.Add();
  stations.Take(slot, 0, 0, 100);
  stations.GiveUp(slot, 1, 11);
  EXPECT_EQ(stations.FreeAt(slot), 100);
  EXPECT_EQ(stations.Waiting(slot, 10.9), 1u);
  EXPECT_EQ(stations.Quitting(slot, 10.9), 1u);
  EXPECT_EQ(stations.Waiting(slot, 11), 0u);
  EXPECT_EQ(stations.Quitting(slot, 11), 0u);
  EXPECT_EQ(stations.Inside(slot, 11), 1u);
}

}  // namespace
}  // namespace tidegate::sim
