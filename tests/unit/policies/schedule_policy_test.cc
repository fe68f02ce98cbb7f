// The policy `schedule`: a pool's known loads as proposals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/sizing/schedule.h"

namespace tidegate::sizing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Instant kBegin = FromUnixMillis(1'795'708'800'000);  // 2026-11-26T16:00:00Z

struct Pool {
  ScheduleOptions options;
  ScheduleMemory memory;
  std::vector<SignalTarget> targets{{"rps", 1'000, signals::Measure::kRequests}};
  std::vector<signals::ReplicaView> replicas;
  Capacity capacity;
  bool rolling = true;

  Pool() {
    options.startup = seconds(50);
    options.margin = seconds(10);
    SetReady(10);
  }
  void SetReady(int ready, Duration startup = {}) {
    signals::ReplicaView view;
    view.phase = signals::Phase::kReady;
    view.ready_at = view.started + startup;
    replicas.assign(static_cast<std::size_t>(ready), view);
  }
  ScheduleEntry& Add(const char* name, Instant at, Duration duration) {
    ScheduleEntry entry;
    entry.name = name;
    entry.at = at;
    entry.duration = duration;
    options.entries.emplace_back().name = name;
    options.resolved.zones.resize(1);
    return options.resolved.entries.emplace_back(entry);
  }
  ScheduleEntry& Promotion() {
    ScheduleEntry& entry = Add("promotion", kBegin, hours(2));
    entry.requests_per_second = 40'000;
    return entry;
  }
  std::vector<Proposal> Tick(Instant now) {
    Input input;
    input.now = now;
    input.targets = targets;
    input.replicas = replicas;
    input.capacity = capacity;
    input.rolling_up = rolling;
    return Scheduled::Size(input, options, memory).proposals;
  }
  Replicas Floor(Instant now) { return Tick(now).at(0).replicas.value_or(-1); }
};

TEST(SchedulePolicyTest, IsAFloorWithItsReason) {
  Pool pool;
  pool.Promotion();
  const auto proposals = pool.Tick(kBegin - minutes(2));
  ASSERT_EQ(proposals.size(), 1u);
  EXPECT_TRUE(proposals[0].floor);
  EXPECT_EQ(proposals[0].source, "promotion");
  EXPECT_EQ(proposals[0].replicas, 40);
  EXPECT_EQ(proposals[0].quality, signals::Quality::kOk);
  EXPECT_EQ(proposals[0].note,
            "40000 requests per second from 2026-11-26T16:00:00Z to 2026-11-26T18:00:00Z; 2 waves "
            "of 1m from 10 serving on");
}

TEST(SchedulePolicyTest, SaysWhatComesNextWhereNothingIsDue) {
  Pool pool;
  pool.Promotion();
  pool.Add("later", kBegin + hours(9), hours(1)).replicas = 5;
  const auto before = pool.Tick(kBegin - minutes(2) - Duration(1));
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].replicas, 0);
  EXPECT_TRUE(before[0].floor);
  EXPECT_THAT(before[0].note, HasSubstr("nothing is due; promotion (40000 requests per second)"));
  EXPECT_EQ(pool.Tick(kBegin + hours(20)).at(0).note, "nothing is to come");
}

TEST(SchedulePolicyTest, EntriesThatOverlapEachPropose) {
  Pool pool;
  pool.Promotion();
  pool.Add("base", kBegin - hours(5), hours(24)).replicas = 20;
  const auto proposals = pool.Tick(kBegin + hours(1));
  ASSERT_EQ(proposals.size(), 2u);
  EXPECT_EQ(proposals[0].replicas, 40);
  EXPECT_EQ(proposals[1].replicas, 20);
  EXPECT_EQ(proposals[1].note, "20 replicas from 2026-11-26T11:00:00Z to 2026-11-27T11:00:00Z");
}

TEST(SchedulePolicyTest, TheLeadFollowsWhatReplicasShow) {
  Pool pool;
  pool.Promotion();
  pool.SetReady(10, seconds(20));  // and 10 s of margin: 30 s a wave
  EXPECT_EQ(pool.Floor(kBegin - seconds(61)), 0);
  EXPECT_EQ(pool.Floor(kBegin - seconds(60)), 40);
}

TEST(SchedulePolicyTest, AnImmediatePaceIsOneWave) {
  Pool pool;
  pool.Promotion();
  pool.rolling = false;
  EXPECT_EQ(pool.Floor(kBegin - seconds(61)), 0);
  EXPECT_EQ(pool.Floor(kBegin - seconds(60)), 40);
}

// A wave that is faster than it was taken to be must not take the floor away again.
TEST(SchedulePolicyTest, ARaisedFloorStaysUntilTheBeginning) {
  Pool pool;
  pool.Promotion();
  EXPECT_EQ(pool.Floor(kBegin - minutes(2)), 40);
  pool.SetReady(20, seconds(5));  // one wave of 15 s to go
  EXPECT_EQ(pool.Floor(kBegin - minutes(1) - seconds(40)), 40);
  pool.memory = {};
  EXPECT_EQ(pool.Floor(kBegin - minutes(1) - seconds(40)), 0);
}

TEST(SchedulePolicyTest, ARaisedFloorFollowsALowerLoadAndAnotherDate) {
  Pool pool;
  ScheduleEntry& entry = pool.Promotion();
  EXPECT_EQ(pool.Floor(kBegin - minutes(2)), 40);
  entry.requests_per_second = 20'000;
  EXPECT_EQ(pool.Floor(kBegin - minutes(2)), 20);
  entry.at = kBegin + hours(24);
  EXPECT_EQ(pool.Floor(kBegin - minutes(2)), 0);
  EXPECT_TRUE(pool.memory.raised.empty());
}

TEST(SchedulePolicyTest, NothingIsRememberedOnceItHasBegun) {
  Pool pool;
  pool.Promotion();
  (void)pool.Tick(kBegin - minutes(2));
  EXPECT_EQ(pool.memory.raised.size(), 1u);
  EXPECT_EQ(pool.Floor(kBegin), 40);
  EXPECT_TRUE(pool.memory.raised.empty());
}

TEST(SchedulePolicyTest, ARateNeedsToKnowWhatAReplicaTakes) {
  Pool pool;
  pool.Promotion();
  pool.targets[0].measure = signals::Measure::kInflight;
  const auto proposals = pool.Tick(kBegin);
  ASSERT_EQ(proposals.size(), 1u);
  EXPECT_FALSE(proposals[0].replicas);
  EXPECT_THAT(proposals[0].note, HasSubstr("capacity.requestsPerSecond"));
  pool.capacity.requests_per_second = 500;
  EXPECT_EQ(pool.Floor(kBegin), 80);
}

TEST(SchedulePolicyTest, WithoutResolvedTimesItSaysSo) {
  Pool pool;
  pool.Promotion();
  pool.options.resolved = {};
  const auto proposals = pool.Tick(kBegin);
  ASSERT_EQ(proposals.size(), 1u);
  EXPECT_FALSE(proposals[0].replicas);
  EXPECT_THAT(proposals[0].note, HasSubstr("not resolved"));
}

}  // namespace
}  // namespace tidegate::sizing
