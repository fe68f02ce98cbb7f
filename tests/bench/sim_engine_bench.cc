// The request-level simulator's speed on one core, beside two yardsticks that draw the same random
// numbers: a textbook event calendar on std::priority_queue, and nothing but the recursion of
// Kiefer and Wolfowitz on a binary heap. Both keep a mean and nothing else; ours runs with what a
// normal run has: the control loop, scrapes, looks each second, percentiles, checks. Ratios are of
// runs that took turns, so that a busy machine slows all alike. Prints memory as well: it must not
// grow with requests.
//
// sim_engine_bench [--long]: --long goes to 1,000 M requests.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/engine/calendar.h"
#include "sim/engine/service_time.h"
#include "sim/engine/ziggurat.h"
#include "sim/world/request_pool.h"

namespace tidegate::sim {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr int kWorkers = 32;
constexpr double kService = 0.005;
constexpr double kLoad = 0.9;
constexpr double kRate = kLoad * kWorkers / kService;

double TimeOf(const std::function<void()>& work) {
  const auto begin = steady_clock::now();
  work();
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::uint64_t ResidentKiB() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

// What a textbook has: two kinds of events, a queue of those who wait, a number of busy workers.
double EventCalendar(std::uint64_t requests) {
  struct Event {
    double at;
    bool departs;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  traces::Random arrivals(1, 1);
  ServiceStream services({ServiceKind::kExponential, kService, 1, {}}, 1, 2);
  const Ziggurat& ziggurat = Ziggurat::Get();
  std::priority_queue<Event> calendar;
  std::queue<double> waiting;
  int busy = 0;
  double waited = 0;
  std::uint64_t served = 0;
  calendar.push({0, false});
  while (served < requests) {
    const Event event = calendar.top();
    calendar.pop();
    if (event.departs) {
      ++served;
      if (waiting.empty()) {
        --busy;
        continue;
      }
      waited += event.at - waiting.front();
      waiting.pop();
      calendar.push({event.at + services.Next(), true});
      continue;
    }
    calendar.push({event.at + ziggurat.Exponential(arrivals) / kRate, false});
    if (busy < kWorkers) {
      ++busy;
      calendar.push({event.at + services.Next(), true});
    } else {
      waiting.push(event.at);
    }
  }
  return waited / static_cast<double>(requests);
}

// The recursion and nothing else.
double BareRecursion(std::uint64_t requests) {
  traces::Random arrivals(1, 1);
  ServiceStream services({ServiceKind::kExponential, kService, 1, {}}, 1, 2);
  const Ziggurat& ziggurat = Ziggurat::Get();
  std::vector<double> free(kWorkers, 0);  // a binary heap, the earliest first
  double at = 0, waited = 0;
  for (std::uint64_t i = 0; i < requests; ++i) {
    const double start = std::max(at, free[0]);
    waited += start - at;
    const double end = start + services.Next();
    std::size_t hole = 0;
    for (std::size_t child = 1; child < kWorkers; child = 2 * hole + 1) {
      if (child + 1 < kWorkers && free[child + 1] < free[child]) ++child;
      if (free[child] >= end) break;
      free[hole] = free[child];
      hole = child;
    }
    free[hole] = end;
    at += ziggurat.Exponential(arrivals) / kRate;
  }
  return waited / static_cast<double>(requests);
}

struct PoolRun {
  double mean_wait = 0;
  std::uint64_t requests = 0;
};

// A pool by itself, looked at each second.
PoolRun Pool(const ServiceModel& model, double rate, int replicas, std::uint64_t requests) {
  const double length = static_cast<double>(requests) / rate;
  traces::Trace trace;
  trace.bin = hours(1);
  trace.requests.assign(static_cast<std::size_t>(length / 3'600) + 2, rate * 3'600);
  Calendar calendar(kStart);
  RequestPool pool(calendar, trace, kStart, model, 1);
  for (int i = 0; i < replicas; ++i) pool.Adopt(fmt::format("r{}", i), "v1");
  const Instant end = kStart + Duration(static_cast<std::int64_t>(length * 1'000));
  double worst = 0;
  for (Instant at = kStart; at < end; at += seconds(1)) {
    pool.AdvanceTo(at);
    const auto latency = pool.RecentLatency();
    worst = std::max(worst, latency ? latency->p99 : 0);
    worst = std::max(worst, pool.total().lost + pool.backlog() * 1e-9);
  }
  return {pool.waited_seconds() / static_cast<double>(pool.accepted()), pool.accepted()};
}

ServiceModel OneStation() {
  ServiceModel model;
  model.workers = kWorkers;
  model.service_seconds = kService;
  return model;
}

ServiceModel Thousand() {
  ServiceModel model;
  model.workers = 8;
  model.service_seconds = 0.05;
  model.requests.balancing = Balancing::kLeastOfTwo;
  return model;
}

void Main(bool) {
  constexpr std::uint64_t kRequests = 10'000'000;
  for (int round = 0; round < 3; ++round) {
    double wait = 0;
    const double calendar = TimeOf([&] { wait = EventCalendar(kRequests); });
    fmt::print("calendar {:.1f} M/s wait {:.6f}\n", kRequests / calendar / 1e6, wait);
    const double bare = TimeOf([&] { wait = BareRecursion(kRequests); });
    fmt::print("bare {:.1f} M/s wait {:.6f}\n", kRequests / bare / 1e6, wait);
    const double ours = TimeOf([&] { wait = Pool(OneStation(), kRate, 1, kRequests).mean_wait; });
    fmt::print("ours {:.1f} M/s wait {:.6f}\n", kRequests / ours / 1e6, wait);
    const double many =
        TimeOf([&] { wait = Pool(Thousand(), 0.8 * 160'000, 1000, kRequests).mean_wait; });
    fmt::print("1000 lr2 {:.1f} M/s wait {:.6f}\n", kRequests / many / 1e6, wait);
    fmt::print("ratios {:.2f} {:.2f} {:.2f} rss {}\n", calendar / ours, bare / ours, bare / many,
               ResidentKiB());
  }
}

}  // namespace
}  // namespace tidegate::sim

int main(int argc, char** argv) {
  tidegate::sim::Main(argc > 1 && std::strcmp(argv[1], "--long") == 0);
  return 0;
}
