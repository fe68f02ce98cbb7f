// The oracle against every schedule of small pools under every small load. AllSchedules() is slow
// and knows no layer, gap or price.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/report/deadline_queue.h"
#include "sim/report/oracle.h"
#include "tests/testing/all_schedules.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using testing::AllSchedules;
using testing::TinyPool;

constexpr double kCapacity = 100;

struct Point {
  double unmet = 0;  // requests
  double cost = 0;   // replica-seconds
};

std::string ToText(const TinyPool& pool) {
  return fmt::format("startup {} drain {} initial {}{} least {} most {}", pool.startup, pool.drain,
                     pool.initial, pool.ready ? " ready" : "", pool.least, pool.most);
}

std::string ToText(const std::vector<double>& requests) {
  return fmt::format(" load {}", fmt::join(requests, " "));
}

OracleInput InputOf(const TinyPool& pool) {
  OracleInput input;
  input.capacity = kCapacity;
  input.startup = seconds(pool.startup);
  input.drain = seconds(pool.drain);
  input.initial = pool.initial;
  input.least = pool.least;
  input.most = pool.most;
  input.end = seconds(pool.end);
  input.counted_from = seconds(pool.startup);
  return input;
}

// Calls `visit` for every pool with up to two replicas and delays of up to two seconds.
template <class Visit>
void ForEachPool(const Visit& visit) {
  TinyPool pool;
  for (pool.startup = 0; pool.startup <= 2; ++pool.startup) {
    for (pool.drain = 0; pool.drain <= 2; ++pool.drain) {
      for (pool.initial = 0; pool.initial <= 2; ++pool.initial) {
        for (pool.least = 0; pool.least <= pool.initial; ++pool.least) {
          for (const bool ready : {false, true}) {
            pool.ready = ready;
            visit(pool);
          }
        }
      }
    }
  }
}

// Calls `visit` with every load whose seconds have one of `levels`, none before `from`.
template <class Visit>
void ForEachLoad(const std::vector<double>& levels, int from, int length, const Visit& visit) {
  std::vector<std::size_t> digits(static_cast<std::size_t>(length - from), 0);
  std::vector<double> load(static_cast<std::size_t>(length), 0.0);
  for (;;) {
    for (std::size_t i = 0; i < digits.size(); ++i) {
      load[i + static_cast<std::size_t>(from)] = levels[digits[i]] * kCapacity;
    }
    visit(load);
    std::size_t i = 0;
    while (i < digits.size() && ++digits[i] == levels.size()) digits[i++] = 0;
    if (i == digits.size()) return;
  }
}

// The least cost of policies that keep the objective on average: the convex envelope.
double EnvelopeAt(const std::vector<Point>& points, double unmet) {
  double best = std::numeric_limits<double>::infinity();
  for (const Point& within : points) {
    if (within.unmet > unmet + 1e-9) continue;
    best = std::min(best, within.cost);
    for (const Point& beyond : points) {
      if (beyond.unmet <= unmet + 1e-9) continue;
      const double share = (unmet - within.unmet) / (beyond.unmet - within.unmet);
      best = std::min(best, within.cost + share * (beyond.cost - within.cost));
    }
  }
  return best;
}

// Those that no other point beats both ways.
std::vector<Point> Undominated(std::vector<Point> points) {
  std::ranges::sort(points, [](const Point& a, const Point& b) {
    return a.unmet != b.unmet ? a.unmet < b.unmet : a.cost < b.cost;
  });
  std::vector<Point> result;
  for (const Point& point : points) {
    if (result.empty() || point.cost < result.back().cost) result.push_back(point);
  }
  return result;
}

// Without a queue: what exceeds the capacity of a second is missed.
std::vector<Point> PointsOf(const std::map<std::vector<int>, int>& schedules,
                            const std::vector<double>& load) {
  std::vector<Point> points;
  for (const auto& [ready, cost] : schedules) {
    Point point{0, double(cost)};
    for (std::size_t i = 0; i < load.size(); ++i) {
      point.unmet += std::max(0.0, load[i] - ready[i] * kCapacity);
    }
    points.push_back(point);
  }
  return Undominated(std::move(points));
}

TEST(OracleExhaustive, IsTheCheapestOfAllSchedules) {
  int cases = 0;
  int unreachable = 0;
  ForEachPool([&](const TinyPool& pool) {
    const auto schedules = AllSchedules(pool);
    ForEachLoad({0, 0.5, 1, 1.5, 2.5}, pool.startup, pool.end, [&](const auto& load) {
      const traces::Trace trace{seconds(1), load};
      const std::vector<Point> points = PointsOf(schedules, load);
      const double total = traces::TotalRequests(trace);
      OracleInput input = InputOf(pool);
      for (const double bad : {0.0, 0.1, 0.35}) {
        input.bad_fraction = bad;
        const OracleBound bound = LeastReplicaSeconds(trace, input);
        const double least_bad = total > 0 ? points.front().unmet / total : 0;
        const double expected = EnvelopeAt(points, std::max(bad * total, points.front().unmet));
        ++cases;
        unreachable += bound.reachable ? 0 : 1;
        ASSERT_NEAR(bound.least_bad_fraction, least_bad, 1e-9) << ToText(pool) << ToText(load);
        ASSERT_EQ(bound.reachable, least_bad <= bad + 1e-9) << ToText(pool) << ToText(load);
        ASSERT_NEAR(bound.replica_seconds, expected, 1e-6)
            << ToText(pool) << ToText(load) << " bad " << bad;
      }
    });
  });
  EXPECT_GT(cases, 100'000);
  EXPECT_GT(unreachable, 1'000);
  RecordProperty("cases", cases);
}

class QueueTest : public ::testing::TestWithParam<double> {
 protected:
  static double MissedBy(const std::vector<int>& ready, const std::vector<double>& load,
                         double wait) {
    DeadlineQueue queue(wait);
    for (std::size_t i = 0; i < ready.size(); ++i) {
      queue.Advance(1, i < load.size() ? load[i] : 0, ready[i] * kCapacity);
    }
    return queue.missed();
  }
};

// What is missed with each course, and the least that this costs.
std::map<double, int> CheapestByMissed(const std::map<std::vector<int>, int>& schedules,
                                       const std::map<std::vector<int>, double>& missed) {
  std::map<double, int> result;
  for (const auto& [ready, cost] : schedules) {
    const auto [at, added] = result.try_emplace(missed.at(ready), cost);
    if (!added) at->second = std::min(at->second, cost);
  }
  return result;
}

TEST_P(QueueTest, IsBelowEveryScheduleThatUsesTheQueue) {
  const double wait = GetParam();
  constexpr int kEnd = 7;
  std::vector<TinyPool> pools;
  for (const auto& [startup, drain, initial] : {std::array{0, 0, 1},
                                                {1, 0, 1},
                                                {2, 0, 1},
                                                {0, 2, 1},
                                                {1, 1, 1},
                                                {2, 2, 1},
                                                {1, 1, 2},
                                                {2, 2, 2}}) {
    pools.push_back({startup, drain, initial, initial > 1, 1, 2, kEnd});
  }
  std::vector<std::map<std::vector<int>, int>> schedules;
  std::map<std::vector<int>, double> missed;  // of every course
  for (const TinyPool& pool : pools) {
    schedules.push_back(AllSchedules(pool));
    for (const auto& [ready, cost] : schedules.back()) missed[ready] = 0;
  }
  int cases = 0;
  double tightest = 0;
  ForEachLoad({0, 0.7, 1.6, 2.2}, 2, kEnd - 1, [&](const auto& load) {
    const traces::Trace trace{seconds(1), load};
    const double total = traces::TotalRequests(trace);
    for (auto& [ready, requests] : missed) requests = MissedBy(ready, load, wait);
    for (std::size_t i = 0; i < pools.size(); ++i) {
      const TinyPool& pool = pools[i];
      OracleInput input = InputOf(pool);
      input.wait = FromSeconds(wait);
      input.counted_from = Duration(0);
      for (const auto& [requests, cost] : CheapestByMissed(schedules[i], missed)) {
        input.bad_fraction = total > 0 ? requests / total : 0;
        const OracleBound bound = LeastReplicaSeconds(trace, input);
        ++cases;
        ASSERT_TRUE(bound.reachable) << ToText(pool) << ToText(load) << " missed " << requests;
        ASSERT_LE(bound.replica_seconds, cost + 1e-6)
            << ToText(pool) << ToText(load) << " missed " << requests;
        tightest = std::max(tightest, bound.replica_seconds / cost);
      }
    }
  });
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 10'000);
  EXPECT_GT(tightest, 0.95);
}

INSTANTIATE_TEST_SUITE_P(Wait, QueueTest, ::testing::Values(0.25, 1.0));

}  // namespace
}  // namespace tidegate::sim
