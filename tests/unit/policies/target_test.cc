#include "policies/sizing/target.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "policies/catalog.h"

namespace tidegate::sizing {
namespace {

using signals::Quality;
using signals::Reading;

std::vector<Proposal> Propose(std::vector<SignalTarget> targets, std::vector<Reading> readings) {
  return TrackTarget({.current = 4, .targets = targets, .readings = readings});
}

Reading Read(const std::string& signal, Quality quality, double value) {
  Reading reading;
  reading.signal = signal;
  reading.quality = quality;
  reading.value = value;
  reading.age = Duration(3'000);
  return reading;
}

TEST(ReplicasForTest, RoundsUp) {
  EXPECT_EQ(ReplicasFor(700, 100), 7);
  EXPECT_EQ(ReplicasFor(700.5, 100), 8);
  EXPECT_EQ(ReplicasFor(1, 100), 1);
}

TEST(ReplicasForTest, NoDemandNeedsNoReplica) { EXPECT_EQ(ReplicasFor(0, 100), 0); }

TEST(ReplicasForTest, IgnoresRoundingDust) {
  EXPECT_EQ(ReplicasFor(0.1 + 0.2, 0.1), 3);
  double sum = 0;
  for (int i = 0; i < 383; ++i) sum += 0.7;
  EXPECT_EQ(ReplicasFor(sum, 0.7), 383);
}

TEST(ReplicasForTest, IsBounded) {
  EXPECT_EQ(ReplicasFor(1e300, 1e-300), kMaxReplicas);
  EXPECT_EQ(ReplicasFor(1e9, 1), kMaxReplicas);
}

TEST(TrackTargetTest, ProposesForEachTargetInOrder) {
  const auto proposals =
      Propose({{"rps", 100.0}, {"inflight", 8.0}},
              {Read("inflight", Quality::kOk, 33), Read("rps", Quality::kOk, 450)});
  ASSERT_EQ(proposals.size(), 2U);
  EXPECT_EQ(proposals[0].source, "rps");
  EXPECT_EQ(proposals[0].replicas, 5);
  EXPECT_EQ(proposals[0].age, Duration(3'000));
  EXPECT_EQ(proposals[1].replicas, 5);
}

TEST(TrackTargetTest, LeavesOutSignalsWithoutTarget) {
  EXPECT_TRUE(Propose({{"latency", std::nullopt}}, {Read("latency", Quality::kOk, 1)}).empty());
}

TEST(TrackTargetTest, PartialReadingProposes) {
  const auto proposals = Propose({{"rps", 100.0}}, {Read("rps", Quality::kPartial, 450)});
  EXPECT_EQ(proposals[0].replicas, 5);
  EXPECT_EQ(proposals[0].quality, Quality::kPartial);
}

TEST(TrackTargetTest, UnusableReadingsProposeNothing) {
  for (const Quality quality : {Quality::kStale, Quality::kEmpty, Quality::kNaN, Quality::kError}) {
    Reading reading = Read("rps", quality, 0);
    reading.detail = "why";
    const auto proposals = Propose({{"rps", 100.0}}, {reading});
    EXPECT_FALSE(proposals[0].replicas) << signals::Name(quality);
    EXPECT_EQ(proposals[0].note, "why");
  }
}

TEST(TrackTargetTest, ValuesThatAreNoNumbersAreNotBelieved) {
  for (const double value : {std::nan(""), -1.0, std::numeric_limits<double>::infinity()}) {
    const auto proposals = Propose({{"rps", 100.0}}, {Read("rps", Quality::kOk, value)});
    EXPECT_FALSE(proposals[0].replicas) << value;
    EXPECT_EQ(proposals[0].quality, Quality::kNaN);
  }
}

TEST(TrackTargetTest, MissingReadingProposesNothing) {
  const auto proposals = Propose({{"rps", 100.0}}, {});
  EXPECT_FALSE(proposals[0].replicas);
  EXPECT_EQ(proposals[0].quality, Quality::kError);
  EXPECT_FALSE(proposals[0].note.empty());
}

TEST(CatalogTest, FindsPoliciesByName) {
  ASSERT_NE(FindPolicy("target"), nullptr);
  EXPECT_EQ(PolicyOf(DefaultPolicies().front()).name, "target");
  EXPECT_EQ(FindPolicy("tarpet"), nullptr);
}

TEST(CatalogTest, IsSortedAndDescribed) {
  for (std::size_t i = 0; i < Policies().size(); ++i) {
    EXPECT_FALSE(Policies()[i].description.empty());
    EXPECT_TRUE(i == 0 || Policies()[i - 1].name < Policies()[i].name);
  }
}

}  // namespace
}  // namespace tidegate::sizing
