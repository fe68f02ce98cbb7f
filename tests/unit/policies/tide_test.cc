// The policy as the catalog has it, and its panel: what is learned from a load over time.
#include "policies/sizing/tide.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/tide_life.h"

namespace tidegate::sizing {
namespace {

using signals::Measure;
using signals::Quality;
using ::testing::HasSubstr;

using Life = tidegate::testing::TideLife;
class TideTest : public ::testing::Test, protected Life {};

constexpr int kHour = 720;

TEST_F(TideTest, ACalmLoadGetsWhatTheObjectiveNeedsFromTheFirstLookOn) {
  constexpr Replicas kNeeded = 101;
  EXPECT_GE(Replica(16'000), kNeeded);
  const Replicas later = Live(8 * kHour, [](int) { return 16'000.0; });
  EXPECT_GE(later, kNeeded);
  EXPECT_LE(later, kNeeded + 2);
}

TEST_F(TideTest, ANewPoolTakesARiseForOneThatGoesOn) {
  const auto rise = [](int i) { return 16'000 + 400.0 * i; };
  EXPECT_GE(Live(6, rise), static_cast<Replicas>(1.1 * rise(5) / 160));
}

TEST_F(TideTest, LearnsHeadroomFromBursts) {
  const Replicas calm = Live(8 * kHour, [](int) { return 1'600.0; });
  // A burst of three minutes and three times the load each half hour.
  const auto bursts = [](int i) { return i % 360 >= 320 ? 4'800.0 : 1'600.0; };
  const Replicas between = Live(8 * kHour + 200, bursts);
  EXPECT_GE(between, 2 * calm);
  EXPECT_THAT(note_, HasSubstr("x the highest of"));
}

TEST_F(TideTest, KeepsWhatALongerStartUpNeeds) {
  const auto ramp = [](int i) { return 1'600.0 + 8.0 * (i % 240); };
  const Replicas quick = Live(8 * kHour + 120, ramp);
  Life slow;
  for (auto& replica : slow.replicas_) replica.ready_at = replica.started + std::chrono::minutes(4);
  const Replicas late = slow.Live(8 * kHour + 120, ramp);
  EXPECT_GT(late, quick);
}

TEST_F(TideTest, TheNewestSamplesCountForAll) {
  Live(8 * kHour, [](int) { return 1'600.0; });
  Life told = *this;
  // Those that were scraped last were asked for more.
  for (int i = 0; i < 20; ++i)
    told.each_.push_back(
        {replicas_[static_cast<std::size_t>(i)].name, 100 - 2.0 * i, Duration(700 * i + 100)});
  std::ranges::sort(told.each_, {}, &signals::ReplicaValue::replica);
  std::ranges::sort(told.replicas_, {}, &signals::ReplicaView::name);
  EXPECT_GT(told.Replica(1'600), Replica(1'600));
  EXPECT_THAT(told.note_, HasSubstr("by the newest samples"));
}

TEST_F(TideTest, CloseScrapesAreSoonerKnownOnceTheirAgesWereSeenForAWhile) {
  for (int i = 0; i < 20; ++i) each_.push_back({"r" + std::to_string(10 + i), 80, Duration(2'000)});
  SetReady(20);
  for (std::size_t i = 0; i < replicas_.size(); ++i)
    replicas_[i].name = "r" + std::to_string(10 + i);
  Replica(1'600);
  EXPECT_THAT(note_, HasSubstr("32s500ms from a reading to replicas"));
  Live(kHour, [](int) { return 1'600.0; });
  EXPECT_THAT(note_, HasSubstr("27s500ms from a reading to replicas"));
}

TEST_F(TideTest, WithoutAgesOfSamplesScrapesAreNotTakenForClose) {
  Live(kHour, [](int) { return 1'600.0; });
  EXPECT_THAT(note_, HasSubstr("32s500ms from a reading to replicas"));
}

TEST_F(TideTest, AFallAloneDoesNotShrinkThePoolBelowTheLoad) {
  Live(2 * kHour, [](int) { return 3'200.0; });
  const Replicas after = Live(kHour, [](int) { return 320.0; });
  EXPECT_GE(after, 3);
  EXPECT_LE(after, 6);
}

TEST_F(TideTest, ABusyPoolDoublesWhateverItsRuleSays) {
  Live(8 * kHour, [](int) { return 1'600.0; });
  SetReady(10);
  EXPECT_EQ(Replica(1'600), 20);
  EXPECT_THAT(note_, HasSubstr("all that is ready is busy"));
}

TEST_F(TideTest, APoolThatIsAlwaysBusySpendsLittleOnDoubling) {
  SetReady(20);
  double beyond = 0;  // replica-seconds
  for (int i = 0; i < 24 * kHour; ++i) {
    const Replicas asked = Replica(3'200);
    if (asked == 40) beyond += (40 - 21) * 5.0;
  }
  EXPECT_GT(beyond, 0);
  EXPECT_LT(beyond, 0.01 * 20 * 24 * 3'600);
  EXPECT_THAT(note_, HasSubstr("too often to double"));
}

TEST_F(TideTest, ANewPoolDoublesFromOneReplicaToFiftyHoweverManyWavesThatTakes) {
  for (int ready = 1; ready < 50; ready *= 2) {
    SetReady(ready);
    // Until the next ones are there.
    for (int i = 0; i < 6; ++i) EXPECT_GE(Replica(160.0 * ready), 2 * ready) << note_;
  }
}

TEST_F(TideTest, WithoutAReadingThereIsNoOpinionAndNothingIsForgotten) {
  const Replicas before = Live(2 * kHour, [](int) { return 1'600.0; });
  const PanelMemory kept = memory_.panel;
  const Sizing sizing = Size(0, Quality::kStale);
  EXPECT_FALSE(sizing.proposals.at(0).replicas);
  EXPECT_EQ(sizing.proposals.at(0).note, "because");
  EXPECT_EQ(memory_.panel, kept);
  EXPECT_NEAR(Replica(1'600), before, 1);
}

TEST_F(TideTest, APartialReadingIsALowerBound) {
  const Replicas before = Live(2 * kHour, [](int) { return 1'600.0; });
  const Sizing sizing = Size(200, Quality::kPartial);
  EXPECT_EQ(sizing.proposals.at(0).replicas, before);
  EXPECT_EQ(sizing.proposals.at(0).quality, Quality::kPartial);
}

TEST_F(TideTest, LearnsFromAPoolOfWhichOneReplicaIsNeverScrapedToo) {
  for (int i = 0; i + 1 < 20; ++i)
    each_.push_back({"r" + std::to_string(10 + i), 80, Duration(2'000)});
  SetReady(20);
  for (std::size_t i = 0; i < replicas_.size(); ++i)
    replicas_[i].name = "r" + std::to_string(10 + i);
  for (int i = 0; i < kHour / 4; ++i) Size(1'520, Quality::kPartial);
  EXPECT_GT(memory_.panel.seconds, 600);
}

TEST_F(TideTest, AfterAnHourWithoutReadingsItGoesOn) {
  const Replicas before = Live(8 * kHour, [](int) { return 1'600.0; });
  now_ += std::chrono::hours(1);
  EXPECT_NEAR(Replica(1'600), before, 2);
}

TEST_F(TideTest, TicksOfAnyLengthLearnTheSame) {
  const Replicas each = Live(4 * kHour, [](int) { return 1'600.0; });
  Life coarse;
  Replicas replicas = 0;
  for (int i = 0; i < 4 * kHour / 12; ++i) {
    coarse.now_ += std::chrono::seconds(55);
    replicas = coarse.Replica(1'600);
  }
  EXPECT_NEAR(each, replicas, 2);
}

TEST_F(TideTest, SizesByTheTargetWhereNoQueueIsKnown) {
  capacity_ = {};
  targets_[0].per_replica = 100;
  const Replicas later = Live(8 * kHour, [](int) { return 1'600.0; });
  EXPECT_GE(later, 16);
  EXPECT_LE(later, 19);
}

TEST_F(TideTest, OtherSignalsCountByTheirTargets) {
  targets_.push_back({"queue", 5, Measure::kOther});
  const Sizing sizing = Size(1'600);
  ASSERT_EQ(sizing.proposals.size(), 2u);
  EXPECT_EQ(sizing.proposals[1].source, "queue");
  EXPECT_EQ(sizing.proposals[1].note, "the signal was not read");
}

TEST_F(TideTest, SaysWhatItLacks) {
  capacity_ = {};
  EXPECT_THAT(Size(1'600).proposals.at(0).note, HasSubstr("needs a target"));
  targets_.clear();
  EXPECT_THAT(Size(1'600).proposals.at(0).note, HasSubstr("needs a signal of requests"));
}

TEST_F(TideTest, NeverAsksForNone) {
  EXPECT_EQ(Live(3 * kHour, [](int) { return 0.0; }), 1);
}

TEST_F(TideTest, AMemoryThatDoesNotFitIsBegunAnew) {
  memory_.panel.step = 5;
  memory_.panel.late = {1, 2, 3};
  EXPECT_GT(Replica(1'600), 10);
  EXPECT_EQ(memory_.panel.late.size(), kRules);
}

TEST_F(TideTest, AMemoryOfAnEarlierVersionIsBegunAnewByAPartialReadingToo) {
  memory_.panel.step = 5;
  memory_.panel.newest = {1'000};
  each_ = {{"r0", 100, Duration(2'000)}};
  EXPECT_GT(Size(1'600, Quality::kPartial).proposals.at(0).replicas, 10);
  EXPECT_EQ(memory_.panel.levels.size(), 1u);
}

TEST_F(TideTest, IsBoundedInMemory) {
  Live(5 * kHour, [](int i) { return 1'000.0 + i % 700; });
  struct Items {
    void operator()(const Field& field, const std::vector<double>& values) {
      EXPECT_LE(values.size(), field.most_items) << field.name;
    }
    void operator()(const Field&, const std::int64_t&) {}
    void operator()(const Field&, const std::int32_t&) {}
    void operator()(const Field& field, const double& value) {
      EXPECT_GE(value, field.least);
      EXPECT_LE(value, field.most);
    }
  } items;
  PanelMemory::VisitFields(memory_.panel, items);
}

}  // namespace
}  // namespace tidegate::sizing
