#include "sim/report/oracle.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "sim/report/layers.h"

namespace tidegate::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Two replicas' worth from 100 s to 200 s and again from `again` on, one's all the time.
traces::Trace TwoPeaks(int again) {
  traces::Trace trace{seconds(1), std::vector<double>(1'000, 100.0)};
  std::fill_n(trace.requests.begin() + 100, 100, 200.0);
  std::fill_n(trace.requests.begin() + again, 100, 200.0);
  return trace;
}

OracleInput Pool() {
  OracleInput input;
  input.capacity = 100;
  input.startup = seconds(30);
  input.drain = seconds(20);
  input.initial = 1;
  input.least = 1;
  input.most = 10;
  input.end = seconds(1'000);
  input.counted_from = seconds(30);
  return input;
}

TEST(OracleTest, AShortGapIsBridged) {
  // The second replica: 30 s to start, 240 s through both peaks, 20 s to drain.
  EXPECT_NEAR(LeastReplicaSeconds(TwoPeaks(240), Pool()).replica_seconds, 1'000 + 290, 1e-6);
}

TEST(OracleTest, ALongGapIsNot) {
  EXPECT_NEAR(LeastReplicaSeconds(TwoPeaks(251), Pool()).replica_seconds, 1'000 + 2 * 150, 1e-6);
}

TEST(OracleTest, TheEndSparesTheDrain) {
  EXPECT_NEAR(LeastReplicaSeconds(TwoPeaks(900), Pool()).replica_seconds, 1'000 + 150 + 130, 1e-6);
}

TEST(OracleTest, WhatAFewBadRequestsSpareIsSpared) {
  OracleInput input = Pool();
  const traces::Trace trace = TwoPeaks(900);
  // 97,000 + 20,000 count. A peak's 10,000 may be bad: the dearer one is dropped, all of it.
  input.bad_fraction = 10'000.0 / 117'000;
  EXPECT_NEAR(LeastReplicaSeconds(trace, input).replica_seconds, 1'000 + 130, 1e-6);
}

TEST(OracleTest, SaysWhatNobodyReaches) {
  OracleInput input = Pool();
  input.most = 1;
  const OracleBound bound = LeastReplicaSeconds(TwoPeaks(900), input);
  EXPECT_FALSE(bound.reachable);
  EXPECT_NEAR(bound.least_bad_fraction, 20'000.0 / 117'000, 1e-9);
  EXPECT_NEAR(bound.replica_seconds, 1'000, 1e-6);
}

TEST(OracleTest, AShortWaitMakesLittleDifference) {
  OracleInput input = Pool();
  const traces::Trace trace = TwoPeaks(500);
  const double strict = LeastReplicaSeconds(trace, input).replica_seconds;
  double before = strict;
  for (const Duration wait : {Duration(100), Duration(1'000), Duration(5'000), Duration(20'000)}) {
    input.wait = wait;
    const double cost = LeastReplicaSeconds(trace, input).replica_seconds;
    EXPECT_LE(cost, before + 1e-6) << wait.count();
    EXPECT_GE(cost, 1'000);
    before = cost;
  }
  input.wait = Duration(100);
  EXPECT_GT(LeastReplicaSeconds(trace, input).replica_seconds, 0.97 * strict);
}

TEST(OracleTest, BinsAndTheirHalvesGiveTheSame) {
  OracleInput input = Pool();
  const traces::Trace whole = TwoPeaks(500);
  traces::Trace halves{Duration(500), {}};
  for (const double requests : whole.requests)
    halves.requests.insert(halves.requests.end(), 2, requests / 2);
  for (const Duration wait : {Duration(0), Duration(3'000)}) {
    input.wait = wait;
    input.bad_fraction = 0.01;
    const double coarse = LeastReplicaSeconds(whole, input).replica_seconds;
    EXPECT_NEAR(LeastReplicaSeconds(halves, input).replica_seconds, coarse, 0.01 * coarse);
  }
}

TEST(OracleTest, ThousandsOfReplicasAreGroupedAndStayBelow) {
  // Up and down again, without start-up and drain: the area.
  traces::Trace trace{seconds(1), {}};
  double area = 0;
  for (int i = 0; i < 1'000; ++i) {
    const double replicas = 10.0 * std::min(i, 1'000 - i);
    trace.requests.push_back(replicas * 100);
    area += replicas;
  }
  OracleInput input = Pool();
  input.startup = input.drain = input.counted_from = Duration(0);
  input.initial = input.least = 0;
  input.most = 100'000;
  const double cost = LeastReplicaSeconds(trace, input).replica_seconds;
  EXPECT_LE(cost, area + 1e-6);
  EXPECT_GE(cost, 0.995 * area);
}

TEST(LayersTest, TakesFewEvaluationsHoweverLongTheTrace) {
  LayerProblem problem;
  for (int i = 0; i < 50'000; ++i) problem.needs.push_back({1, 5.0 + i * 7'919 % 1'000 / 250.0});
  problem.startup = 20;
  problem.drain = 10;
  problem.most = 20;
  problem.allowed = 300;
  const LayerCost cost = LeastLayerCost(problem);
  EXPECT_GT(cost.cost, 0);
  EXPECT_LT(cost.evaluations, 40);
}

}  // namespace
}  // namespace tidegate::sim
