// Where a load is and goes, by replicas that are scraped at different times.
#include "policies/sizing/load_trend.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tidegate::sizing {
namespace {

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr double kApart = 15;

// A pool whose replicas share a load, scraped every 15 s, each at its own time.
class Pool {
 public:
  explicit Pool(std::function<double(double)> load) : load_(std::move(load)) {}

  // `share` counts in proportion to the other replicas'.
  void Join(double at, double share = 1) { replicas_.push_back({at, share}); }
  void JoinAll(int count) {
    for (int i = 0; i < count; ++i) Join(-3'600);
  }

  std::optional<Trend> LookAt(double now, bool ages = true) {
    signals::Reading reading;
    reading.quality = signals::Quality::kOk;
    std::vector<signals::ReplicaView> views;
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (replicas_[i].since > now) continue;
      views.push_back(ViewOf(i));
      // The golden ratio spreads phases evenly.
      const double phase = kApart * std::fmod(0.618 * static_cast<double>(i), 1.0);
      const double sample = now - std::fmod(now + 1e6 - phase, kApart);
      const double begin = std::max(sample - kApart, replicas_[i].since);
      if (sample - begin < 1) continue;
      const double rate = Mean(i, begin, sample);
      reading.value += rate;
      reading.each.push_back({views.back().name, rate, ages ? Millis(now - sample) : Duration(0)});
    }
    return FollowTrend({.now = kStart + Millis(now), .reading = reading, .replicas = views},
                       memory_);
  }
  // Looks every five seconds, the last one at `to`.
  Trend Live(double from, double to) {
    Trend trend;
    for (double now = from; now <= to; now += 5) trend = LookAt(now).value_or(Trend{});
    return trend;
  }

  TrendMemory memory_;

 private:
  struct Replica {
    double since = 0;
    double share = 1;
  };

  static Duration Millis(double seconds) {
    return Duration(static_cast<std::int64_t>(seconds * 1'000));
  }
  static std::string NameOf(std::size_t i) { return "r" + std::to_string(1'000 + i); }
  signals::ReplicaView ViewOf(std::size_t i) const {
    signals::ReplicaView view;
    view.name = NameOf(i);
    view.phase = signals::Phase::kReady;
    view.since = view.started = kStart + Millis(replicas_[i].since);
    view.ready_at = view.since;
    return view;
  }
  double RateOf(std::size_t i, double at) const {
    double all = 0;
    for (const Replica& one : replicas_) all += one.since <= at ? one.share : 0;
    return load_(at) * replicas_[i].share / all;
  }
  double Mean(std::size_t i, double begin, double end) const {
    constexpr int kParts = 60;
    double sum = 0;
    for (int part = 0; part < kParts; ++part)
      sum += RateOf(i, begin + (end - begin) * (part + 0.5) / kParts);
    return sum / kParts;
  }

  std::function<double(double)> load_;
  std::vector<Replica> replicas_;
};

TEST(LoadTrendTest, IsWhereASteadyLoadIs) {
  Pool pool([](double) { return 3'000.0; });
  pool.JoinAll(20);
  const Trend trend = pool.Live(0, 300);
  EXPECT_NEAR(trend.level, 3'000, 1);
  EXPECT_NEAR(trend.slope, 0, 0.1);
  EXPECT_FALSE(Unsure(pool.memory_));
}

TEST(LoadTrendTest, BeginsAtWhatAllDoWhereOnlySomeWereScraped) {
  Pool pool([](double) { return 3'000.0; });
  for (int i = 0; i < 20; ++i) pool.Join(0);
  EXPECT_NEAR(pool.LookAt(5)->level, 3'000, 1);
  for (double now = 10; now <= 60; now += 5) {
    const Trend trend = *pool.LookAt(now);
    EXPECT_NEAR(trend.level, 3'000, 1) << "at " << now;
    EXPECT_NEAR(trend.slope, 0, 0.1) << "at " << now;
  }
}

TEST(LoadTrendTest, FollowsARampWithoutTheLagOfASum) {
  const auto load = [](double at) { return 1'000 + 20 * std::max(0.0, at - 60); };
  Pool pool(load);
  pool.JoinAll(20);
  const Trend trend = pool.Live(0, 180);
  // The sum of rates would be 300 behind.
  EXPECT_NEAR(trend.level, load(180), 20);
  EXPECT_NEAR(trend.slope, 20, 1);
}

TEST(LoadTrendTest, SeesATurnWithinTwoScrapes) {
  const auto load = [](double at) { return 3'000 - 20 * std::abs(at - 120); };
  Pool pool(load);
  pool.JoinAll(20);
  EXPECT_GT(pool.Live(0, 120).slope, 15);
  const Trend trend = pool.Live(125, 150);
  EXPECT_LT(trend.slope, -10);
  EXPECT_NEAR(trend.level, load(150), 100);
}

TEST(LoadTrendTest, ReplicasThatJoinMoveLoadAndBringNone) {
  Pool pool([](double) { return 3'000.0; });
  pool.JoinAll(10);
  for (int i = 0; i < 10; ++i) pool.Join(101);
  pool.Live(0, 100);
  for (double now = 105; now <= 200; now += 5)
    EXPECT_NEAR(pool.LookAt(now)->level, 3'000, 150) << "at " << now;
}

TEST(LoadTrendTest, FollowsALoadThatComesAndGoes) {
  const auto load = [](double at) { return std::fmod(at, 600) < 300 ? 0.0 : 2'000.0; };
  Pool pool(load);
  pool.JoinAll(10);
  for (int round = 0; round < 20; ++round) {
    const double begin = 600.0 * round;
    const Trend gone = pool.Live(begin, begin + 295);
    EXPECT_GE(gone.level, 0);
    EXPECT_NEAR(gone.level, 0, 40);
    EXPECT_GE(pool.Live(begin + 300, begin + 340).level, 1'500) << "round " << round;
    EXPECT_NEAR(pool.Live(begin + 345, begin + 595).level, 2'000, 40);
  }
}

TEST(LoadTrendTest, IsUnsureWhereReplicasDifferMuch) {
  Pool pool([](double) { return 3'000.0; });
  for (int i = 0; i < 20; ++i) pool.Join(-3'600, i % 2 == 0 ? 1 : 2);
  const Trend trend = pool.Live(0, 1'800);
  EXPECT_TRUE(Unsure(pool.memory_));
  EXPECT_NEAR(trend.level, 3'000, 300) << "though what one says is off by a third";
}

TEST(LoadTrendTest, ValuesWithoutAgesSayNothing) {
  Pool pool([](double) { return 3'000.0; });
  pool.JoinAll(5);
  EXPECT_FALSE(pool.LookAt(10, false));
  EXPECT_EQ(pool.memory_, TrendMemory());
}

TEST(LoadTrendTest, ASampleCountsOnce) {
  Pool pool([](double at) { return 3'000 + 10 * at; });
  pool.JoinAll(1);
  pool.Live(0, 100);
  const TrendMemory before = pool.memory_;
  // The only replica's next sample is at 105.
  pool.LookAt(101);
  EXPECT_NEAR(pool.memory_.slope, before.slope, 1e-9);
}

TEST(LoadTrendTest, BeginsAnewAfterAPause) {
  Pool pool([](double at) { return at < 100 ? 9'000.0 : 1'000.0; });
  pool.JoinAll(10);
  pool.Live(0, 95);
  EXPECT_NEAR(pool.LookAt(600)->level, 1'000, 1);
}

TEST(LoadTrendTest, AMemoryThatDoesNotFitIsBegunAnew) {
  Pool pool([](double) { return 3'000.0; });
  pool.JoinAll(10);
  pool.memory_.at = kStart - Duration(5'000);
  pool.memory_.level = 9e9;
  EXPECT_NEAR(pool.LookAt(0)->level, 3'000, 1);
  pool.memory_.covariance = 1e30;
  EXPECT_NEAR(pool.LookAt(5)->level, 3'000, 1);
}

TEST(LoadTrendTest, ReplicasThatDoNotServeSayNothing) {
  signals::ReplicaView ready;
  ready.name = "a";
  ready.phase = signals::Phase::kReady;
  ready.since = ready.started = kStart - std::chrono::hours(1);
  ready.ready_at = ready.since;
  signals::ReplicaView starting = ready;
  starting.name = "b";
  starting.phase = signals::Phase::kStarting;
  starting.ready_at.reset();
  std::vector<signals::ReplicaView> replicas{ready, starting};
  signals::Reading reading;
  reading.quality = signals::Quality::kOk;
  reading.value = 100;
  signals::ReplicaView odd = ready;
  odd.name = "d";
  replicas.push_back(odd);
  reading.each = {{"a", 50, Duration(2'000)},
                  {"b", 0, Duration(1'000)},
                  {"c", 9, Duration(500)},
                  {"d", std::nan(""), Duration(500)}};
  TrendMemory memory;
  const auto trend = FollowTrend({.now = kStart, .reading = reading, .replicas = replicas}, memory);
  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->level, 100, 0.01);
}

TEST(LoadTrendTest, BeginsAtWhatThoseDoThatServe) {
  signals::ReplicaView ready;
  ready.phase = signals::Phase::kReady;
  ready.since = ready.started = kStart - std::chrono::hours(1);
  ready.ready_at = ready.since;
  std::vector<signals::ReplicaView> replicas(3, ready);
  replicas[0].name = "drains";
  replicas[0].phase = signals::Phase::kDraining;
  replicas[0].since = kStart - std::chrono::minutes(1);
  replicas[1].name = "heard";
  replicas[2].name = "not-yet-heard";
  signals::Reading reading;
  reading.quality = signals::Quality::kOk;
  reading.value = 105;
  reading.each = {{"drains", 5, Duration(2'000)}, {"heard", 100, Duration(1'000)}};
  TrendMemory memory;
  const auto trend = FollowTrend({.now = kStart, .reading = reading, .replicas = replicas}, memory);
  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->level, 200, 0.01);
}

// A step is made at the instant of the look that decides it, and seen by the next one.
TEST(LoadTrendTest, AReplicaThatDrainsSinceTheLastLookIsNoRise) {
  std::vector<signals::ReplicaView> views(10);
  signals::Reading reading;
  for (int i = 0; i < 10; ++i) {
    views[static_cast<std::size_t>(i)].name = "r" + std::to_string(i);
    views[static_cast<std::size_t>(i)].phase = signals::Phase::kReady;
    views[static_cast<std::size_t>(i)].ready_at = kStart - std::chrono::hours(1);
  }
  TrendMemory memory;
  const auto look = [&](int second, int serving) {
    reading.each.clear();
    reading.value = 0;
    for (int i = 0; i < serving; ++i) {
      reading.each.push_back({views[static_cast<std::size_t>(i)].name, 1'000.0 / serving,
                              Duration(1'000 + 1'200 * i)});
      reading.value += 1'000.0 / serving;
    }
    return *FollowTrend(
        {.now = kStart + std::chrono::seconds(second), .reading = reading, .replicas = views},
        memory);
  };
  for (int second = 0; second <= 120; second += 5) (void)look(second, 10);
  for (std::size_t i = 5; i < 10; ++i) {
    views[i].phase = signals::Phase::kDraining;
    views[i].since = kStart + std::chrono::seconds(120);
  }
  (void)look(125, 5);
  ASSERT_GE(memory.serving.size(), 2u);
  EXPECT_EQ(memory.serving.back().replicas, 5);
  EXPECT_EQ(memory.serving.back().seconds, 5);
}

TEST(LoadTrendTest, RemembersABoundedPast) {
  Pool pool([](double) { return 3'000.0; });
  pool.JoinAll(5);
  for (int i = 0; i < 200; ++i) pool.Join(i);
  for (double now = 0; now < 200; now += 0.5) pool.LookAt(now);
  EXPECT_LE(pool.memory_.serving.size(), 32u);
}

}  // namespace
}  // namespace tidegate::sizing
