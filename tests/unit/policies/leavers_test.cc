#include "policies/signals/leavers.h"

#include <gtest/gtest.h>

#include "policies/signals/estimator.h"

namespace tidegate::signals {
namespace {

using std::chrono::seconds;

Instant At(int second) { return FromUnixMillis(1'800'000'000'000) + seconds(second); }

ReplicaView View(const std::string& name, Phase phase, int since) {
  ReplicaView view;
  view.name = name;
  view.phase = phase;
  view.since = At(since);
  view.started = view.ready_at.emplace(At(-1'000));
  return view;
}

TEST(LeaversTest, KeepsWhoLeftUntilItIsLongAgo) {
  Leavers leavers;
  const ReplicaView stays = View("a", Phase::kReady, 0);
  const ReplicaView drains = View("b", Phase::kDraining, 10);
  const ReplicaView failed = View("c", Phase::kFailed, 12);
  const std::vector<ReplicaView> all{stays, drains, failed};
  EXPECT_EQ(leavers.With(At(15), all, seconds(60)), all) << "nobody twice";
  EXPECT_EQ(leavers.With(At(20), std::vector{stays}, seconds(60)), all);
  EXPECT_EQ(leavers.With(At(70), std::vector{stays}, seconds(60)), all);
  EXPECT_EQ(leavers.With(At(71), std::vector{stays}, seconds(60)), (std::vector{stays, failed}));
  EXPECT_EQ(leavers.With(At(73), std::vector{stays}, seconds(60)), std::vector{stays});
}

TEST(LeaversTest, ForgetsAFailureThatPassed) {
  Leavers leavers;
  leavers.With(At(15), std::vector{View("a", Phase::kFailed, 12)}, seconds(60));
  const std::vector<ReplicaView> back{View("a", Phase::kReady, 16)};
  EXPECT_EQ(leavers.With(At(20), back, seconds(60)), back);
  EXPECT_TRUE(leavers.With(At(25), {}, seconds(60)).empty());
}

// Four replicas did 100/s each until second 40, when one drained and the load fell by half: the
// others did 66.7/s each from then on, which their samples of second 65 show.
TEST(LeaversTest, KeepTheLoadOfOneThatIsGoneFromBeingCountedTwice) {
  std::vector<SampleSeries> series;
  std::vector<ReplicaView> replicas;
  for (const char* name : {"a", "b", "c"}) {
    series.push_back({name, {{At(5), 0}, {At(35), 3'000}, {At(65), 3'000 + 500 + 25 * 200 / 3.0}}});
    replicas.push_back(View(name, Phase::kReady, -1'000));
  }
  series.push_back({"d", {{At(9), 0}, {At(39), 3'000}}});
  const EstimateOptions options{seconds(120), seconds(30), seconds(90)};
  Leavers leavers;
  std::vector<ReplicaView> draining = replicas;
  draining.push_back(View("d", Phase::kDraining, 40));
  leavers.With(At(49), draining, options.window);
  const Reading told =
      EstimateRate(At(66), series, leavers.With(At(66), replicas, options.window), options);
  EXPECT_EQ(told.quality, Quality::kOk);
  EXPECT_NEAR(told.value, (5 * 400 + 25 * 200) / 30.0, 1e-6) << "the mean since second 35";
  EXPECT_GT(EstimateRate(At(66), series, replicas, options).value, 1.3 * told.value);
}

}  // namespace
}  // namespace tidegate::signals
