// The policy `forecast` where its past misleads it: after a change of level, a week without data,
// an outlier and a season that moved, each while it looks on and in what it was trained on. Whole
// decisions in a closed loop, without guards, so that what the policy asks for is what is decided.
//
// Always: never fewer replicas than the reading needs, never more than three times the peak of the
// last hour or the schedule. A day later: off, or at most a few percent more than what comes needs.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "policies/catalog.h"
#include "policies/signals/history.h"
#include "policies/sizing/target.h"
#include "scheduler/decision/decision.h"
#include "scheduler/decision/stand_in.h"
#include "tests/testing/synthetic_load.h"

namespace tidegate::decision {
namespace {

using signals::History;
using std::chrono::hours;
using std::chrono::minutes;
using testing::SyntheticLoad;

constexpr std::int64_t kDay = 1440;
constexpr std::int64_t kBegin = testing::kMonday;
constexpr std::int64_t kNow = kBegin + 14 * kDay;
constexpr double kPerReplica = 20;  // about 50 replicas
constexpr int kAhead = 10;          // minutes

using Load = std::function<double(std::int64_t minute)>;  // NaN: nothing is read

const SyntheticLoad kLoad;
const SyntheticLoad kMoved{.shift_h = 6};

double Usual(std::int64_t minute) { return kLoad.At(minute); }

// A load that is the usual one before `at`, and this from then on.
Load From(std::int64_t at, Load then) {
  return [=](std::int64_t minute) { return minute < at ? Usual(minute) : then(minute); };
}

struct Minute {
  double load = 0;
  Replicas desired = 0;
  Replicas need = 0;  // of the reading
  bool on = false;    // the forecast
};

class ForecastTroubleTest : public ::testing::Test {
 protected:
  ForecastTroubleTest() {
    spec_.id = {"shop", "edge"};
    spec_.scaled = true;
    spec_.targets = {{"rps", kPerReplica, signals::Measure::kRequests}};
    spec_.guards.min = 0;
    spec_.guards.max = kMaxReplicas;
    spec_.guards.guarding = {false, false, false};
    spec_.policies = {FindPolicy("forecast")->options};
    std::get<sizing::ForecastOptions>(spec_.policies[0]).horizon = minutes(kAhead);
  }

  // A promotion for two hours from this minute on, known to the schedule.
  void Schedule(std::int64_t minute, Replicas replicas) {
    PolicyOptions options = FindPolicy("schedule")->options;
    auto& schedule = std::get<sizing::ScheduleOptions>(options);
    schedule.entries.emplace_back().name = "promotion";
    sizing::ScheduleEntry entry;
    entry.name = "promotion";
    entry.at = Instant{} + minutes(minute);
    entry.duration = hours(2);
    entry.replicas = replicas;
    schedule.resolved.zones.resize(1);
    schedule.resolved.entries = {entry};
    spec_.policies.push_back(options);
  }

  // Two weeks of the load are known at kNow; then it is lived through, minute by minute, and what
  // always holds is checked.
  std::vector<Minute> Live(const Load& load, int days, Replicas scheduled = 0) {
    std::vector<float> means;
    for (std::int64_t m = kBegin; m < kNow; ++m) means.push_back(static_cast<float>(load(m)));
    History history;
    history.Refill(kBegin, means);
    std::vector<Minute> lived;
    for (std::int64_t m = kNow; m < kNow + days * kDay; ++m) {
      if (!std::isfinite(load(m))) continue;
      lived.push_back(Tick(m, load(m), history));
      const double peak = std::max(load(m), history.Peak(m - 60));
      const Replicas most = std::max(sizing::ReplicasFor(3 * peak, kPerReplica), scheduled);
      EXPECT_GE(lived.back().desired, lived.back().need) << "minute " << m - kNow;
      EXPECT_LE(lived.back().desired, most + 1) << "minute " << m - kNow;  // means are floats
      if (HasFailure()) break;
    }
    return lived;
  }

 private:
  Minute Tick(std::int64_t minute, double load, History& history) {
    const Instant now = history.Center(minute);
    history.Append(now, load);
    signals::PoolSnapshot pool;
    pool.id = spec_.id;
    const Replicas size = state_.guards.desired.value_or(1);
    pool.replicas = StandIns(spec_.id, spec_.revision, {.ready = size}, now);
    pool.readings = {{"rps", signals::Quality::kOk, load, Duration(0), size, size, ""}};
    Outcome outcome = Decide(spec_, pool, now, state_, &history);
    state_ = std::move(outcome.state);
    state_.rollout = {};  // its steps are done at once
    const auto& proposals = outcome.decision.proposals;
    return {load, outcome.decision.desired.replicas, sizing::ReplicasFor(load, kPerReplica),
            proposals.at(1).note.starts_with("forecast p")};
  }

  PoolSpec spec_;
  PoolState state_;
};

// How much more is decided than the minutes until the horizon need: the mean share, from minute
// `begin` on.
double Excess(const std::vector<Minute>& lived, std::size_t begin) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = begin; i + kAhead < lived.size(); ++i, ++count) {
    Replicas need = 1;
    for (std::size_t k = 0; k <= kAhead; ++k) need = std::max(need, lived[i + k].need);
    sum += std::max(0.0, static_cast<double>(lived[i].desired) / need - 1);
  }
  return sum / static_cast<double>(count);
}

bool IsOn(const std::vector<Minute>& lived) { return std::ranges::any_of(lived, &Minute::on); }

constexpr double kHarmless = 0.06;

TEST_F(ForecastTroubleTest, AnOrdinaryDayShowsThatItIsOn) {
  const auto lived = Live(Usual, 1);
  EXPECT_TRUE(IsOn(lived));
  EXPECT_LT(Excess(lived, 0), kHarmless);
}

TEST_F(ForecastTroubleTest, ALoadFiveTimesAsHighIsHarmlessADayLater) {
  const auto lived = Live(From(kNow + 60, [](auto m) { return 5 * Usual(m); }), 2);
  EXPECT_LT(Excess(lived, 60 + kDay), kHarmless);
}

TEST_F(ForecastTroubleTest, ALoadFallenToAFifthIsHarmlessADayLater) {
  const auto lived = Live(From(kNow + 60, [](auto m) { return Usual(m) / 5; }), 2);
  EXPECT_LT(Excess(lived, 60 + kDay), 0.12) << "of ten replicas, of which one is 10 %";
}

TEST_F(ForecastTroubleTest, AWeekWithoutDataIsHarmlessADayAfterIt) {
  const auto gap = [](std::int64_t m) {
    return m >= kNow + 60 && m < kNow + 60 + 7 * kDay ? std::nan("") : Usual(m);
  };
  const auto lived = Live(gap, 9);
  EXPECT_LT(Excess(lived, 60), kHarmless) << "at once";
  EXPECT_LT(Excess(lived, 60 + kDay), kHarmless);
}

TEST_F(ForecastTroubleTest, AnOutlierOfFiftyTimesIsOverWithinTheHour) {
  const auto lived = Live([](auto m) { return m == kNow + 100 ? 50 * Usual(m) : Usual(m); }, 2);
  EXPECT_LT(Excess(lived, 161), kHarmless) << "and does not come back a day later";
}

TEST_F(ForecastTroubleTest, ASeasonThatMovesIsHarmlessADayLater) {
  const auto lived = Live(From(kNow, [](auto m) { return kMoved.At(m); }), 2);
  EXPECT_LT(Excess(lived, kDay), kHarmless);
}

TEST_F(ForecastTroubleTest, ATrainingWindowWithAChangeOfLevelIsHarmless) {
  EXPECT_LT(Excess(Live(From(kNow - 5 * kDay, [](auto m) { return 5 * Usual(m); }), 1), 0),
            kHarmless);
}

TEST_F(ForecastTroubleTest, ATrainingWindowWithAWeekMissingIsHarmless) {
  const auto gap = [](std::int64_t m) {
    return m >= kNow - 9 * kDay && m < kNow - 2 * kDay ? std::nan("") : Usual(m);
  };
  EXPECT_LT(Excess(Live(gap, 1), 0), kHarmless);
}

TEST_F(ForecastTroubleTest, ATrainingWindowWithAnOutlierIsHarmless) {
  const auto spike = [](auto m) { return m == kNow - kDay + 200 ? 50 * Usual(m) : Usual(m); };
  EXPECT_LT(Excess(Live(spike, 1), 0), kHarmless);
}

TEST_F(ForecastTroubleTest, ATrainingWindowWithAMovedSeasonIsHarmless) {
  EXPECT_LT(Excess(Live(From(kNow - 5 * kDay, [](auto m) { return kMoved.At(m); }), 1), 0),
            kHarmless);
}

TEST_F(ForecastTroubleTest, AScheduledLoadIsItsOwnBound) {
  constexpr Replicas kPromotion = 400;
  Schedule(kNow + 600, kPromotion);
  const auto lived = Live(Usual, 1, kPromotion);
  EXPECT_EQ(lived[600].desired, kPromotion);
  EXPECT_LT(lived[500].desired, kPromotion);
  EXPECT_LT(Excess(lived, 721), kHarmless);
}

}  // namespace
}  // namespace tidegate::decision
