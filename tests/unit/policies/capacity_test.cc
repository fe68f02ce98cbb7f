#include "policies/sizing/capacity.h"

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

// The share of late requests that `replicas` have at `rate`.
double LateAt(const QueueModel& model, Replicas replicas, Rate rate) {
  const double utilization = rate / (Ceiling(model) * replicas);
  if (utilization >= 1) return 1;
  return LateShare(model.service, WaitingAt(model, replicas, utilization), model.objective.seconds);
}

TEST(CapacityTest, FindsTheUtilizationThatTheObjectiveJustAllows) {
  for (const Balancing balancing :
       {Balancing::kLeastOfTwo, Balancing::kRoundRobin, Balancing::kRandom}) {
    QueueModel model;
    model.balancing = balancing;
    for (const Replicas replicas : {1, 2, 5}) {
      const double utilization = UtilizationWithin(model, replicas);
      const Rate rate = utilization * replicas * Ceiling(model);
      EXPECT_LE(LateAt(model, replicas, rate), 0.001);
      EXPECT_GT(LateAt(model, replicas, rate * 1.0001), 0.001);
    }
  }
}

TEST(CapacityTest, LargerPoolsMayBeBusier) {
  QueueModel model;
  EXPECT_NEAR(UtilizationWithin(model, 1), 0.856, 0.001);  // the figures of queue_model.h
  EXPECT_NEAR(UtilizationWithin(model, 5), 0.967, 0.002);
  EXPECT_EQ(UtilizationWithin(model, 60), kMostUtilization);
  model.balancing = Balancing::kRoundRobin;
  EXPECT_NEAR(UtilizationWithin(model, 60), 0.967, 0.002);
  model.balancing = Balancing::kRandom;
  EXPECT_NEAR(UtilizationWithin(model, 60), UtilizationWithin(model, 1), 1e-6);
}

TEST(CapacityTest, FewestReplicasAreEnoughAndOneLessIsNot) {
  const QueueModel model;
  CapacityTable table(model);
  for (const Rate rate : {1.0, 137.0, 300.0, 770.0, 1'000.0}) {
    const Replicas fewest = table.FewestReplicas(rate);
    EXPECT_LE(LateAt(model, fewest, rate), 0.001) << rate;
    if (fewest > 1) {
      EXPECT_GT(LateAt(model, fewest - 1, rate), 0.001) << rate;
    }
  }
}

TEST(CapacityTest, IsTheInverseOfWhatSoManyCarry) {
  CapacityTable table{QueueModel{}};
  for (Replicas replicas = 1; replicas <= kMaxReplicas; replicas += 1 + replicas / 50) {
    const Rate rate = table.RateOf(replicas);
    EXPECT_EQ(table.FewestReplicas(rate), replicas);
    if (replicas < kMaxReplicas) {
      EXPECT_EQ(table.FewestReplicas(rate * (1 + 1e-7)), replicas + 1);
    }
  }
}

TEST(CapacityTest, SizesBetweenNodesAreOnTheSafeSide) {
  QueueModel model;
  model.balancing = Balancing::kRoundRobin;
  CapacityTable table(model);
  for (const Replicas replicas : {9, 11, 23, 59, 700, 54'321}) {
    const double exact = UtilizationWithin(model, replicas);
    EXPECT_LE(table.UtilizationOf(replicas), exact + 1e-6) << replicas;
    EXPECT_GE(table.UtilizationOf(replicas), exact - 0.002) << replicas;
  }
}

TEST(CapacityTest, NothingNeedsNothingAndTooMuchNeedsAll) {
  CapacityTable table{QueueModel{}};
  EXPECT_EQ(table.FewestReplicas(0), 0);
  EXPECT_EQ(table.FewestReplicas(1e-300), 1);
  EXPECT_EQ(table.FewestReplicas(1e300), kMaxReplicas);
}

TEST(CapacityTest, OrderOfQuestionsDoesNotMatter) {
  CapacityTable up{QueueModel{}}, down{QueueModel{}};
  for (Rate rate = 100; rate < 5'000; rate += 100) (void)up.FewestReplicas(rate);
  for (Rate rate = 5'000; rate > 0; rate -= 100) (void)down.FewestReplicas(rate);
  for (Replicas replicas = 1; replicas < 50; ++replicas) {
    EXPECT_EQ(up.RateOf(replicas), down.RateOf(replicas));
  }
}

TEST(CapacityTest, AnObjectiveOutOfReachDoesNotAskForAllThereIs) {
  QueueModel model;
  model.objective = {0.1, 0.999};  // one service in fifteen takes longer
  EXPECT_TRUE(OutOfReach(model));
  EXPECT_DOUBLE_EQ(LateShareAllowed(model), 1.1 * SlowServices(model.service, 0.1));
  CapacityTable table(model);
  EXPECT_GT(table.UtilizationOf(1), 0.3);
  EXPECT_LT(table.UtilizationOf(1), 0.8);
  model.objective = {0.25, 0.999};
  EXPECT_FALSE(OutOfReach(model));
  EXPECT_EQ(LateShareAllowed(model), 1 - 0.999);
}

TEST(CapacityTest, AnObjectiveThatNothingIsLateForAllowsTheMost) {
  QueueModel model;
  model.objective.seconds = 3'600;
  EXPECT_EQ(UtilizationWithin(model, 1), kMostUtilization);
  model.service.seconds = 1e-6;
  EXPECT_EQ(UtilizationWithin(model, 1), kMostUtilization);
}

}  // namespace
}  // namespace tidegate::sizing
