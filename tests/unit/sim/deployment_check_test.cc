#include "sim/checks/deployment_check.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sim {
namespace {

using signals::Phase;
using signals::ReplicaView;
using std::chrono::seconds;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr Instant At(int second) { return kStart + seconds(second); }

// One letter a pod: s(tarting), r(eady since the start), d(raining since `at`, ready before),
// f(ailed).
std::vector<ReplicaView> Pods(const std::string& phases, Instant at) {
  std::vector<ReplicaView> pods;
  for (const char letter : phases) {
    ReplicaView pod;
    pod.name = "p" + std::to_string(pods.size());
    pod.started = kStart;
    pod.since = letter == 'd' ? at : kStart;
    if (letter == 'r' || letter == 'd') pod.ready_at = kStart;
    pod.phase = letter == 's'   ? Phase::kStarting
                : letter == 'r' ? Phase::kReady
                : letter == 'd' ? Phase::kDraining
                                : Phase::kFailed;
    pods.push_back(pod);
  }
  return pods;
}

struct Watched {
  explicit Watched(DeploymentPromise promise = {{25, true}, {25, true}, Duration(0), {}, {}})
      : check(promise) {}
  void See(int second, Replicas replicas, const std::string& phases) {
    check.See(At(second), replicas, Pods(phases, At(second)));
  }
  std::string rules() const {
    std::string text;
    for (const BudgetBreach& breach : check.breaches()) text += breach.rule + " " + breach.what;
    return text;
  }
  DeploymentCheck check;
};

TEST(DeploymentCheckTest, ARolloutWithinBothFencepostsIsFine) {
  Watched watched;
  watched.See(0, 4, "rrrr");
  watched.See(10, 4, "rrrds");
  watched.See(11, 4, "rrrdss");
  watched.See(20, 4, "rrrsr");
  EXPECT_EQ(watched.rules(), "");
}

TEST(DeploymentCheckTest, OnePodTooManyIsTold) {
  Watched watched;
  watched.See(0, 4, "rrrr");
  watched.See(1, 4, "rrrrss");
  EXPECT_EQ(watched.rules(), "D1 6 pods of at most 5");
}

TEST(DeploymentCheckTest, PodsThatAreTooManyAfterAShrinkMayGoOneByOne) {
  Watched watched;
  watched.See(0, 8, "rrrrrrrr");
  watched.See(1, 2, "rrrrrrdd");
  watched.See(2, 2, "rrrrdddd");
  EXPECT_EQ(watched.rules(), "");
}

TEST(DeploymentCheckTest, OneAvailablePodTooFewIsTold) {
  Watched watched;
  watched.See(0, 4, "rrrr");
  watched.See(1, 4, "rrdds");
  EXPECT_EQ(watched.rules(), "D2 2 available of at least 3 after 2 were deleted");
}

TEST(DeploymentCheckTest, PodsThatFailAreNobodysFault) {
  Watched watched;
  watched.See(0, 4, "rrrr");
  watched.See(1, 4, "rrff");
  EXPECT_EQ(watched.rules(), "");
  watched.See(2, 4, "rdff");  // but taking another one is
  EXPECT_EQ(watched.rules(), "D2 1 available of at least 3 after 1 were deleted");
}

TEST(DeploymentCheckTest, WhatIsReadyButNotForLongIsNotAvailable) {
  Watched watched({{25, true}, {25, true}, seconds(10), {}, {}});
  watched.See(20, 4, "rrrr");
  auto pods = Pods("rrrdr", At(21));
  pods[4].since = At(15);
  watched.check.See(At(21), 4, pods);
  EXPECT_EQ(watched.rules(), "");
  pods = Pods("rrddr", At(22));
  pods[4].since = At(15);
  pods[3].since = At(21);
  watched.check.See(At(22), 4, pods);
  EXPECT_EQ(watched.rules(), "D2 2 available of at least 3 after 1 were deleted");
}

TEST(DeploymentCheckTest, AChangeOfSizeMayTakeAvailablePods) {
  Watched watched;
  watched.See(0, 8, "rrrrrrss");
  watched.See(1, 4, "rrddddss");
  EXPECT_EQ(watched.rules(), "");
}

TEST(DeploymentCheckTest, MoreThanTheQuotaIsTold) {
  Watched watched({{100, true}, {25, true}, Duration(0), 5, {}});
  watched.See(0, 4, "rrrr");
  watched.See(1, 4, "rrrds");
  EXPECT_EQ(watched.rules(), "");
  watched.See(2, 4, "rrrdss");
  EXPECT_EQ(watched.rules(), "B4 6 exist of at most 5");
}

TEST(DeploymentCheckTest, DrainingTooLongAndServingAgainAreTold) {
  Watched watched({{100, true}, {25, true}, Duration(0), {}, seconds(5)});
  watched.See(0, 4, "rrrr");
  auto pods = Pods("rrrd", At(1));
  watched.check.See(At(1), 4, pods);
  watched.check.See(At(7), 4, pods);
  watched.check.See(At(8), 4, pods);
  EXPECT_EQ(watched.rules(), "B5 p3 drains past its deadline");
  watched.See(9, 4, "rrrr");
  EXPECT_EQ(watched.check.breaches().back().what, "p3 serves again after draining");
}

}  // namespace
}  // namespace tidegate::sim
