// What a scaler sees of a step while the pool grows for it: load moves to replicas that PromQL's
// rate() can't see yet. A load of 200 rps steps to 1000 at 200 s and back at 560 s; 2 replicas
// become 8 at 260 s and 3 at 620 s; scrapes are 30 s apart.

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "policies/signals/estimator.h"
#include "sim/engine/calendar.h"
#include "sim/world/fluid_pool.h"
#include "sim/world/promql_signal.h"
#include "sim/world/scraper.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr int kStep = 200;
constexpr int kGrown = 260;
constexpr int kStepDown = 560;
constexpr int kShrunk = 620;
constexpr int kEnd = 900;
constexpr int kBegin = -600;  // so that all windows are full
constexpr double kTrue = 1'000;
constexpr int kRuns = 8;
const signals::EstimateOptions kEstimate{
    .window = minutes(2), .scrape_interval = seconds(30), .stale_after = seconds(75)};

// What each way of asking gives, second by second from 0.
struct View {
  std::vector<double> rate_1m, rate_2m, rate_5m, irate_2m, estimate;
};

double LowestOf(const std::vector<double>& values, int from, int to) {
  return *std::min_element(values.begin() + from, values.begin() + to);
}

// The first second from which on the values stay at or above `level` until the step down.
int BackFor(const std::vector<double>& values, double level) {
  int at = kStepDown;
  while (at > kGrown && values[static_cast<std::size_t>(at) - 1] >= level) --at;
  return at;
}

// `run` gives the replicas other names and with them other scrape phases.
View Watch(int run) {
  Calendar calendar(kStart + seconds(kBegin));
  traces::Trace trace{.bin = seconds(1), .requests = {}};
  for (int second = kBegin; second < kEnd; ++second) {
    trace.requests.push_back(second >= kStep && second < kStepDown ? kTrue : 200);
  }
  ServiceModel model;
  model.workers = 100;  // two replicas can bear the step: only what is seen matters here
  FluidPool pool(calendar, trace, kStart + seconds(kBegin), model);
  Scraper scraper(pool, {.interval = seconds(30), .window = minutes(6)});
  calendar.Between([&](Instant at) { scraper.AdvanceTo(at); });
  const auto name = [&](int replica) { return fmt::format("run{}-edge-{}", run, replica); };
  const auto start = [&](int from, int to) {
    for (int replica = from; replica < to; ++replica) {
      pool.Start(name(replica), "aaaa0001");
      scraper.Discover(calendar.Now(), name(replica));
    }
  };
  start(0, 2);
  calendar.At(kStart + seconds(kGrown), [&] { start(2, 8); });
  calendar.At(kStart + seconds(kShrunk), [&] {
    for (int replica = 3; replica < 8; ++replica) pool.Drain(name(replica));
  });
  View view;
  const auto look = [&] {
    const Instant now = calendar.Now();
    const auto series = scraper.Query(now);
    const auto ask = [&](RangeFunction function, int range) {
      return ReadPromqlSignal({function, minutes(range)}, now, series, kPrometheus2).value;
    };
    view.rate_1m.push_back(ask(RangeFunction::kRate, 1));
    view.rate_2m.push_back(ask(RangeFunction::kRate, 2));
    view.rate_5m.push_back(ask(RangeFunction::kRate, 5));
    view.irate_2m.push_back(ask(RangeFunction::kIrate, 2));
    view.estimate.push_back(signals::EstimateRate(now, series, pool.Views(), kEstimate).value);
  };
  for (int second = 0; second < kEnd; ++second) {
    calendar.At(kStart + seconds(second), look);
  }
  calendar.RunUntil(kStart + seconds(kEnd - 1));
  return view;
}

class BlindScaleOutTest : public ::testing::TestWithParam<int> {
 protected:
  const View view_ = Watch(GetParam());
};

TEST_P(BlindScaleOutTest, AShortRateLosesMostOfTheLoadAsReplicasAppear) {
  for (const auto* values : {&view_.rate_1m, &view_.irate_2m}) {
    EXPECT_NEAR((*values)[kGrown - 1], kTrue, 0.1 * kTrue) << "before";
    const double lowest = LowestOf(*values, kGrown, kStepDown);
    EXPECT_LT(lowest, 0.65 * kTrue);
    EXPECT_GT(lowest, 0.2 * kTrue);
    const int back = BackFor(*values, 0.95 * kTrue) - kStep;
    EXPECT_GE(back, 80);
    EXPECT_LE(back, 140);
  }
}

TEST_P(BlindScaleOutTest, ALongerRateIsLateAndDipsLess) {
  EXPECT_NEAR(view_.rate_2m[kGrown - 1], 600, 150);
  const double lowest = LowestOf(view_.rate_2m, kGrown + 60, kStepDown);
  EXPECT_GT(lowest, 0.5 * kTrue);
  EXPECT_LT(LowestOf(view_.rate_2m, kGrown + 10, kStepDown), 0.85 * kTrue);
  const int back = BackFor(view_.rate_2m, 0.95 * kTrue) - kStep;
  EXPECT_GE(back, 120);
  EXPECT_LE(back, 190);
}

TEST_P(BlindScaleOutTest, AVeryLongRateHasNoDipAndIsVeryLate) {
  EXPECT_LT(view_.rate_5m[kGrown - 1], 0.5 * kTrue);
  EXPECT_GT(BackFor(view_.rate_5m, 0.95 * kTrue) - kStep, 250);
}

TEST_P(BlindScaleOutTest, TheEstimateDoesNotDip) {
  EXPECT_GT(LowestOf(view_.estimate, kGrown - 1, kStepDown), 0.95 * kTrue);
  EXPECT_LE(BackFor(view_.estimate, 0.95 * kTrue), kGrown);
  RecordProperty(
      "view", fmt::format("lowest: rate 1m {:.0f}, irate 2m {:.0f}, rate 2m {:.0f}, "
                          "estimate {:.0f}; rate 2m 60 s after the step {:.0f}",
                          LowestOf(view_.rate_1m, kGrown, kStepDown),
                          LowestOf(view_.irate_2m, kGrown, kStepDown),
                          LowestOf(view_.rate_2m, kGrown + 10, kStepDown),
                          LowestOf(view_.estimate, kGrown, kStepDown), view_.rate_2m[kGrown - 1]));
}

INSTANTIATE_TEST_SUITE_P(Phases, BlindScaleOutTest, ::testing::Range(0, kRuns));

// How deep the dip is depends on the scrape phases that the new replicas happen to get. A real
// Prometheus 2.42 was seen at 298 and 299 of 1000.
TEST(BlindScaleOutPhasesTest, TheDeepestDipComesNearTheOneThatWasMeasured) {
  double rate = kTrue;
  double irate = kTrue;
  for (int run = 0; run < kRuns; ++run) {
    const View view = Watch(run);
    rate = std::min(rate, LowestOf(view.rate_1m, kGrown, kStepDown));
    irate = std::min(irate, LowestOf(view.irate_2m, kGrown, kStepDown));
  }
  EXPECT_NEAR(rate, 300, 75);
  EXPECT_NEAR(irate, 300, 75);
}

}  // namespace
}  // namespace tidegate::sim
