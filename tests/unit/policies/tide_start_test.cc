// The first minutes of tide with a pool that is scraped for the first time: its replicas are known
// one after the other, and their sum grows though the load does not. Taken for a rise that made the
// pool ask for up to eight times what it needs.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "policies/sizing/tide.h"
#include "tests/testing/scraped_pool.h"

namespace tidegate::sizing {
namespace {

using std::chrono::seconds;
using testing::ScrapedPool;

constexpr double kLoad = 4'500;  // needs 29 replicas

Input InputAt(Instant now, const std::vector<SignalTarget>& targets,
              const std::vector<signals::Reading>& readings,
              const std::vector<signals::ReplicaView>& replicas) {
  Input input;
  input.now = now;
  input.current = 30;
  input.min = 1;
  input.max = 1'000;
  input.targets = targets;
  input.readings = readings;
  input.replicas = replicas;
  input.capacity.workers = 8;
  input.capacity.service_time = Duration(50);
  input.capacity.latency_objective = Duration(250);
  input.capacity.latency_share = 0.999;
  return input;
}

class TideStartTest : public ::testing::TestWithParam<int> {};

TEST_P(TideStartTest, ASteadyLoadIsNoRiseWhileReplicasAreScrapedForTheFirstTime) {
  const Duration interval = seconds(GetParam());
  ScrapedPool pool(interval, Duration(0), 7);
  for (int i = 0; i < 30; ++i) pool.Join();
  const std::vector<SignalTarget> targets{{"rps", std::nullopt, signals::Measure::kRequests}};
  TideMemory memory;
  Replicas most = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    pool.Run(seconds(5), [](Duration) { return kLoad; });
    const std::vector<signals::ReplicaView> replicas = pool.Fleet();
    signals::Reading reading = signals::EstimateRate(pool.Now(), pool.Query(interval * 4), replicas,
                                                     {.window = interval * 4,
                                                      .scrape_interval = interval,
                                                      .stale_after = interval * 3,
                                                      .each_replica = true});
    reading.signal = "rps";
    const std::vector<signals::Reading> readings{reading};
    const Sizing sizing =
        Tide::Size(InputAt(pool.Now(), targets, readings, replicas), TideOptions{}, memory);
    last = sizing.proposals.at(0).replicas.value_or(0);
    most = std::max(most, last);
  }
  EXPECT_GE(last, 29);
  // The last of them may be young enough not to be missed, so that their part looks like a rise.
  EXPECT_LE(most, 1.3 * 30);
}

INSTANTIATE_TEST_SUITE_P(ScrapedEverySoManySeconds, TideStartTest, ::testing::Values(5, 15, 30, 60),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace tidegate::sizing
