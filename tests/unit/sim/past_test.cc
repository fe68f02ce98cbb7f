#include "sim/runner/past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/signals/history.h"
#include "sim/ports/world_ports.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::FloatEq;

TEST(MinuteMeansTest, AddFineBinsUpAndSpreadWideOnesOut) {
  EXPECT_THAT(MinuteMeans({seconds(20), {20, 40, 60, 0, 0, 12}}, 1),
              ElementsAre(FloatEq(2), FloatEq(0.2F)));
  EXPECT_THAT(MinuteMeans({seconds(150), {150, 300}}, 10),
              ElementsAre(FloatEq(10), FloatEq(10), FloatEq(15), FloatEq(20), FloatEq(20)));
}

TEST(MinuteMeansTest, DropWhatIsBeforeAWholeMinuteAndTwoWeeks) {
  EXPECT_THAT(MinuteMeans({seconds(30), {1'000, 60, 30}}, 1), ElementsAre(FloatEq(1.5F)));
  EXPECT_TRUE(MinuteMeans({seconds(1), {5, 5}}, 1).empty());
  EXPECT_EQ(MinuteMeans({minutes(60), std::vector<double>(24 * 15, 60)}, 1).size(),
            static_cast<std::size_t>(signals::History::kMostBins));
}

TEST(WorldSourceTest, RemembersWhatPrecedesTheRun) {
  World world;
  WorldSource source(world, {});
  const Instant start = FromUnixMillis(6'000'000);
  source.Precede(start, std::vector<float>{1, 2, 3});
  const PoolId pool{"shop", "edge"};
  const std::string signal = "rps";
  const ports::SignalSource::PastWanted wanted{&pool, &signal};
  const auto pasts = source.TakePasts(start, std::span(&wanted, 1));
  ASSERT_EQ(pasts.size(), 1u);
  EXPECT_EQ(pasts[0].pool, pool);
  EXPECT_EQ(pasts[0].first, 97);
  EXPECT_THAT(pasts[0].means, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace tidegate::sim
