#include "tests/testing/all_schedules.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace tidegate::testing {
namespace {

int Sum(const std::vector<int>& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

// Replicas by the seconds that they still start or drain for.
struct Fleet {
  std::vector<int> starting;  // [i]: ready in i + 1 seconds
  int ready = 0;
  std::vector<int> draining;  // [i]: gone in i + 1 seconds
  auto operator<=>(const Fleet&) const = default;

  int live() const { return Sum(starting) + ready; }
  int paid() const { return live() + Sum(draining); }
};

class Schedules {
 public:
  explicit Schedules(const TinyPool& pool) : pool_(pool) {
    Fleet fleet;
    fleet.starting.resize(static_cast<std::size_t>(pool.startup));
    fleet.draining.resize(static_cast<std::size_t>(pool.drain));
    if (pool.ready) {
      fleet.ready = pool.initial;
    } else {
      Start(fleet, pool.initial);
    }
    courses_[{fleet, {}}] = 0;
  }

  void Second() {
    Courses next;
    for (const auto& [course, cost] : courses_) Decide(course.first, course.second, cost, next);
    courses_ = std::move(next);
  }

  std::map<std::vector<int>, int> Cheapest() const {
    std::map<std::vector<int>, int> result;
    for (const auto& [course, cost] : courses_) {
      const auto [at, added] = result.try_emplace(course.second, cost);
      if (!added) at->second = std::min(at->second, cost);
    }
    return result;
  }

 private:
  using Courses = std::map<std::pair<Fleet, std::vector<int>>, int>;

  void Start(Fleet& fleet, int count) const {
    (pool_.startup > 0 ? fleet.starting.back() : fleet.ready) += count;
  }
  void Drain(Fleet& fleet, int count) const {
    if (pool_.drain > 0) fleet.draining.back() += count;
  }

  // All drains of ready replicas, then of starting ones, then all starts.
  void Decide(const Fleet& before, const std::vector<int>& course, int cost, Courses& next) const {
    for (int drains = 0; drains <= before.ready; ++drains) {
      Fleet fleet = before;
      fleet.ready -= drains;
      Drain(fleet, drains);
      Cancel(fleet, 0, course, cost, next);
    }
  }

  void Cancel(const Fleet& before, std::size_t age, const std::vector<int>& course, int cost,
              Courses& next) const {
    if (age == before.starting.size()) {
      for (int starts = 0; before.live() + starts <= pool_.most; ++starts) {
        Fleet fleet = before;
        Start(fleet, starts);
        Pass(fleet, course, cost, next);
      }
      return;
    }
    for (int drains = 0; drains <= before.starting[age]; ++drains) {
      Fleet fleet = before;
      fleet.starting[age] -= drains;
      Drain(fleet, drains);
      Cancel(fleet, age + 1, course, cost, next);
    }
  }

  // One second goes by.
  void Pass(Fleet fleet, std::vector<int> course, int cost, Courses& next) const {
    if (fleet.paid() < pool_.least) return;
    cost += fleet.paid();
    course.push_back(fleet.ready);
    if (!fleet.starting.empty()) {
      fleet.ready += fleet.starting.front();
      std::rotate(fleet.starting.begin(), fleet.starting.begin() + 1, fleet.starting.end());
      fleet.starting.back() = 0;
    }
    if (!fleet.draining.empty()) {
      std::rotate(fleet.draining.begin(), fleet.draining.begin() + 1, fleet.draining.end());
      fleet.draining.back() = 0;
    }
    const auto [at, added] = next.try_emplace({std::move(fleet), std::move(course)}, cost);
    if (!added) at->second = std::min(at->second, cost);
  }

  TinyPool pool_;
  Courses courses_;
};

}  // namespace

std::map<std::vector<int>, int> AllSchedules(const TinyPool& pool) {
  Schedules schedules(pool);
  for (int second = 0; second < pool.end; ++second) schedules.Second();
  return schedules.Cheapest();
}

}  // namespace tidegate::testing
