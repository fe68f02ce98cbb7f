// Proposals that are floors: they raise what the readings come to, and nothing else.
#include <gtest/gtest.h>

#include "policies/guards/apply.h"
#include "policies/guards/hold.h"

namespace tidegate::guards {
namespace {

using signals::Quality;

constexpr Instant At(int seconds) { return FromUnixMillis(1'000'000 + 1000LL * seconds); }

sizing::Proposal Reading(std::optional<Replicas> replicas, Quality quality = Quality::kOk) {
  sizing::Proposal proposal;
  proposal.source = "rps";
  proposal.replicas = replicas;
  proposal.quality = quality;
  return proposal;
}
sizing::Proposal FloorOf(std::optional<Replicas> replicas, Quality quality = Quality::kOk) {
  sizing::Proposal proposal = Reading(replicas, quality);
  proposal.source = "promotion";
  proposal.floor = true;
  return proposal;
}

struct Pool {
  Options options;
  Memory memory;
  Pool() {
    options.min = 1;
    options.max = 100;
    options.guarding = {false, false, false};
  }
  Desired Decide(const std::vector<sizing::Proposal>& proposals, Replicas current, int at = 0) {
    const Applied applied = Apply(proposals, current, options, memory, At(at));
    memory = applied.memory;
    return applied.desired;
  }
};

TEST(GuardFloorTest, RaisesASmallerProposalAndSaysSo) {
  const Desired desired = Pool().Decide({Reading(5), FloorOf(40)}, 20);
  EXPECT_EQ(desired.replicas, 40);
  EXPECT_EQ(desired.proposed, 5);
  EXPECT_EQ(desired.reason, Reason::kRaisedToFloor);
  EXPECT_EQ(desired.limits.back().detail, "promotion asks for at least that");
}

TEST(GuardFloorTest, NeverShrinksWhatAReadingAsksFor) {
  const Desired desired = Pool().Decide({Reading(50), FloorOf(40)}, 20);
  EXPECT_EQ(desired.replicas, 50);
  EXPECT_EQ(desired.reason, Reason::kDesiredWithinRange);
}

TEST(GuardFloorTest, AllowsAShrinkToItButNotBelow) {
  EXPECT_EQ(Pool().Decide({Reading(5), FloorOf(12)}, 20).replicas, 12);
}

TEST(GuardFloorTest, TheLargestOfSeveralCounts) {
  EXPECT_EQ(Pool().Decide({Reading(5), FloorOf(30), FloorOf(40), FloorOf(10)}, 20).replicas, 40);
}

TEST(GuardFloorTest, IsNoEvidenceThatAllowsAShrink) {
  const Desired desired = Pool().Decide({Reading(std::nullopt, Quality::kStale), FloorOf(10)}, 20);
  EXPECT_EQ(desired.replicas, 20);
  EXPECT_EQ(desired.reason, Reason::kSamplesNotOk);
}

TEST(GuardFloorTest, RaisesAPoolThatIsHeld) {
  const Desired desired = Pool().Decide({Reading(std::nullopt, Quality::kStale), FloorOf(40)}, 20);
  EXPECT_EQ(desired.replicas, 40);
  EXPECT_EQ(desired.reason, Reason::kRaisedToFloor);
}

TEST(GuardFloorTest, ItsOwnTroubleHoldsNothing) {
  EXPECT_EQ(Pool().Decide({Reading(5), FloorOf(std::nullopt, Quality::kError)}, 20).replicas, 5);
}

TEST(GuardFloorTest, DoesNotKeepAFallbackFromActing) {
  Pool pool;
  pool.options.fallback = Fallback{};
  pool.options.fallback->after = Duration(60'000);
  pool.options.fallback->replicas = 50;
  const std::vector<sizing::Proposal> proposals{Reading(std::nullopt, Quality::kError),
                                                FloorOf(10)};
  EXPECT_EQ(pool.Decide(proposals, 20, 0).replicas, 20);
  EXPECT_EQ(pool.Decide(proposals, 20, 60).replicas, 50);
}

TEST(GuardFloorTest, IsHeldByTheBoundsAndTheRateLimitsAndByAPause) {
  Pool pool;
  pool.options.max = 30;
  EXPECT_EQ(pool.Decide({Reading(5), FloorOf(40)}, 20).replicas, 30);
  Pool limited;
  limited.options.guarding.rate_limits = true;
  EXPECT_EQ(limited.Decide({Reading(5), FloorOf(90)}, 20).replicas, 40);  // 100 % per 15 s
  Pool paused;
  paused.options.paused = true;
  EXPECT_EQ(paused.Decide({Reading(5), FloorOf(40)}, 20).replicas, 20);
}

TEST(GuardFloorTest, IsPastToleranceAndTheUpWindow) {
  Pool pool;
  pool.options.guarding = {true, true, false};
  pool.options.behavior.up.stabilization_window = Duration(60'000);
  (void)pool.Decide({Reading(20)}, 20, 0);
  EXPECT_EQ(pool.Decide({Reading(20), FloorOf(21)}, 20, 15).replicas, 21);
}

TEST(GuardFloorTest, LeavesNothingBehindInTheDownWindow) {
  Pool pool;
  pool.options.guarding = {true, true, true};
  (void)pool.Decide({Reading(5)}, 5, 0);
  EXPECT_EQ(pool.Decide({Reading(5), FloorOf(9)}, 5, 15).replicas, 9);
  EXPECT_EQ(pool.Decide({Reading(5)}, 9, 30).replicas, 5);
}

TEST(GuardFloorTest, APoolOfNothingButFloorsFollowsThem) {
  EXPECT_EQ(Pool().Decide({FloorOf(8)}, 20).replicas, 8);
  EXPECT_EQ(Pool().Decide({FloorOf(0)}, 20).replicas, 1);
}

TEST(GuardFloorTest, ALargerSizeThatIsSetAtOnceWinsAndASmallerOneIsRaised) {
  const Pool pool;
  const auto set = [&](Replicas replicas) {
    return Apply({Reading(0), FloorOf(12)}, 20, pool.options, {}, At(0), AtOnce{replicas, "why"})
        .desired.replicas;
  };
  EXPECT_EQ(set(15), 15);
  EXPECT_EQ(set(1), 12);
}

}  // namespace
}  // namespace tidegate::guards
