// The policy as the catalog has it: from readings to a proposal, and through what it remembers.
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/catalog.h"
#include "policies/sizing/queueing.h"

namespace tidegate::sizing {
namespace {

using signals::Measure;
using signals::Quality;
using testing::HasSubstr;

class QueueingPolicyTest : public testing::Test {
 protected:
  QueueingPolicyTest() {
    capacity_.workers = 8;
    capacity_.service_time = Duration(50);
    capacity_.latency_objective = Duration(250);
    capacity_.latency_share = 0.999;
    for (int i = 0; i < 10; ++i) Add("r" + std::to_string(i), signals::Phase::kReady);
    Add("s", signals::Phase::kStarting);
    Read("rps", 1'000);
    Read("inside", 50);
  }

  void Add(const std::string& name, signals::Phase phase) {
    signals::ReplicaView view;
    view.name = name;
    view.phase = phase;
    replicas_.push_back(view);
  }
  void Read(const std::string& signal, double value, Quality quality = Quality::kOk) {
    std::erase_if(readings_, [&](const auto& reading) { return reading.signal == signal; });
    signals::Reading reading;
    reading.signal = signal;
    reading.quality = quality;
    reading.value = value;
    reading.age = Duration(3'000);
    reading.detail = quality == Quality::kOk ? "" : "because";
    readings_.push_back(reading);
  }
  Proposal Size(QueueingMemory& memory) {
    Input input;
    input.now = now_;
    input.current = 10;
    input.targets = targets_;
    input.readings = readings_;
    input.replicas = replicas_;
    input.capacity = capacity_;
    now_ += Duration(5'000);
    const Sizing sizing = Queueing::Size(input, options_, memory);
    EXPECT_EQ(sizing.proposals.size(), 1u);
    EXPECT_FALSE(sizing.at_once);
    return sizing.proposals.at(0);
  }
  Proposal Size() { return Size(memory_); }

  Capacity capacity_;
  QueueingOptions options_;
  QueueingMemory memory_;
  std::vector<SignalTarget> targets_{{"rps", std::nullopt, Measure::kRequests},
                                     {"inside", std::nullopt, Measure::kInflight}};
  std::vector<signals::Reading> readings_;
  std::vector<signals::ReplicaView> replicas_;
  Instant now_ = FromUnixMillis(1'767'225'600'000);
};

TEST_F(QueueingPolicyTest, ProposesForTheRequestsSignal) {
  const Proposal proposal = Size();
  EXPECT_EQ(proposal.source, "rps");
  EXPECT_EQ(proposal.quality, Quality::kOk);
  EXPECT_EQ(proposal.value, 1'000);
  EXPECT_EQ(proposal.replicas, 10);
  EXPECT_EQ(proposal.age, Duration(3'000));
  EXPECT_GE(proposal.target * 10, 1'000);
  EXPECT_THAT(proposal.note, HasSubstr("99.9 % within 250 ms"));
}

TEST_F(QueueingPolicyTest, LearnsFromLiveSignals) {
  Read("inside", 30);  // of 80 workers, 30 ms each
  for (int i = 0; i < 12 * 30; ++i) Size();
  EXPECT_NEAR(memory_.service.seconds, 0.03, 1e-6);
  EXPECT_LT(*Size().replicas, 10);
}

TEST_F(QueueingPolicyTest, APartialRateSizesAndTeachesNothing) {
  Read("rps", 2'000, Quality::kPartial);
  Read("inside", 20);
  for (int i = 0; i < 12 * 30; ++i) Size();
  EXPECT_EQ(memory_.service.seconds, 0);
  const Proposal proposal = Size();
  EXPECT_EQ(proposal.quality, Quality::kPartial);
  EXPECT_GT(*proposal.replicas, 10);
}

TEST_F(QueueingPolicyTest, AbsenceOfDataIsNoProposal) {
  for (const Quality quality : {Quality::kStale, Quality::kEmpty, Quality::kNaN, Quality::kError}) {
    Read("rps", 0, quality);
    const Proposal proposal = Size();
    EXPECT_FALSE(proposal.replicas);
    EXPECT_EQ(proposal.note, "because");
  }
  readings_.clear();
  EXPECT_FALSE(Size().replicas);
  EXPECT_THAT(Size().note, HasSubstr("was not read"));
}

TEST_F(QueueingPolicyTest, DoesNotBelieveValuesThatCanNotBe) {
  for (const double value :
       {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    Read("rps", value);
    const Proposal proposal = Size();
    EXPECT_FALSE(proposal.replicas);
    EXPECT_EQ(proposal.quality, Quality::kNaN);
  }
  Read("rps", 1e300);
  EXPECT_EQ(Size().replicas, kMaxReplicas);
}

TEST_F(QueueingPolicyTest, SaysWhatItMisses) {
  capacity_.workers.reset();
  EXPECT_FALSE(Size().replicas);
  EXPECT_THAT(Size().note, HasSubstr("workers"));
  targets_.erase(targets_.begin());
  EXPECT_THAT(Size().note, HasSubstr("a signal that measures requests"));
}

// A memory that went through a checkpoint: its described fields, and nothing else.
QueueingMemory Restored(const QueueingMemory& memory) {
  QueueingMemory restored;
  restored.service = memory.service;
  restored.bottleneck = memory.bottleneck;
  return restored;
}

TEST_F(QueueingPolicyTest, ARestartChangesNothing) {
  for (int i = 0; i < 200; ++i) {
    Read("inside", 50 + i % 17);
    Read("rps", 900 + 3 * (i % 61));
    QueueingMemory restored = Restored(memory_);
    const Instant now = now_;
    const Proposal fresh = Size(restored);
    now_ = now;
    EXPECT_EQ(Size(), fresh);
    EXPECT_EQ(memory_, restored);
  }
}

TEST_F(QueueingPolicyTest, IsInTheCatalog) {
  const PolicyEntry* entry = FindPolicy("queueing");
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(entry->remembers);
  EXPECT_FALSE(entry->history);
  EXPECT_TRUE(entry->guarding.stabilization);
}

}  // namespace
}  // namespace tidegate::sizing
