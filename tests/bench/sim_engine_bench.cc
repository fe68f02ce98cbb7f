// The request-level simulator's speed on one core, beside two yardsticks that draw the same random
// numbers: a textbook event calendar on std::priority_queue, and nothing but the recursion of
// Kiefer and Wolfowitz on a binary heap. Both keep a mean and nothing else; ours runs with what a
// normal run has: the control loop, scrapes, looks each second, percentiles, checks. Ratios are of
// runs that took turns, so that a busy machine slows all alike. Prints memory as well: it must not
// grow with requests.
//
// sim_engine_bench [--long]: --long goes to 1,000 M requests.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/config/compile.h"
#include "sim/engine/service_time.h"
#include "sim/engine/ziggurat.h"
#include "sim/runner/scenario.h"
#include "sim/runner/simulate.h"
#include "tests/testing/child_process.h"
#include "traces/format/trace.h"

namespace tidegate::sim {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kWorkers = 32;
constexpr double kService = 0.005;
constexpr double kLoad = 0.9;
constexpr double kRate = kLoad * kWorkers / kService;

// Erlang's C for 32 servers at 0.9, over c mu - lambda.
constexpr double kErlangWait = 0.715932e-3;

constexpr const char* kGateway =
    "apiVersion: istio.alibabacloud.com/v1beta1\n"
    "kind: IstioGateway\n"
    "metadata: {{name: edge, namespace: shop}}\n"
    "spec:\n"
    "  ports: [{{name: http, port: 80}}]\n"
    "  replicaCount: {}\n";
constexpr const char* kScaler =
    "apiVersion: tidegate.dev/v1alpha1\n"
    "kind: GatewayScaler\n"
    "metadata: {{name: edge, namespace: shop}}\n"
    "spec:\n"
    "  scaleTargetRef: {{kind: IstioGateway, name: edge}}\n"
    "  minReplicas: {}\n"
    "  maxReplicas: {}\n"
    "  signals: [{{name: requests, preset: haproxy, metric: requests, target: {{perReplica: "
    "50}}}}]\n";

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

// One pool of so many replicas that stay, run as `tidesim run` runs it.
RunResult Normal(const testing::TempDir& dir, const ServiceModel& model, double rate,
                 Replicas replicas, std::uint64_t requests) {
  dir.Write("gateway.yaml", fmt::format(kGateway, replicas));
  dir.Write("scaler.yaml", fmt::format(kScaler, replicas, replicas));
  const config::Compiled manifests = config::LoadAndCompile({dir.path().string()}, {});
  TIDEGATE_CHECK(manifests.problems.empty(), "the benchmark's manifests are right");
  Scenario scenario;
  scenario.mode = Mode::kRequests;
  scenario.service = model;
  scenario.tail = Duration(0);
  const double length = static_cast<double>(requests) / rate;
  traces::Trace trace;
  trace.bin = seconds(60);
  trace.requests.assign(static_cast<std::size_t>(length / 60), rate * 60);
  auto run = Simulate(scenario, manifests.config, trace);
  TIDEGATE_CHECK(run.has_value(), "it runs");
  return *std::move(run);
}

double MeanWait(const RunResult& run, double service) {
  return run.summary.pools[0].requests->mean - service;
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

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Compare(const testing::TempDir& dir) {
  constexpr std::uint64_t kRequests = 10'000'000;
  constexpr double kMillions = kRequests / 1e6;
  constexpr int kRounds = 5;
  std::vector<double> to_calendar, to_bare, thousand_to_bare;
  fmt::print("M/M/32, rho 0.9, {:.0f} M requests; 1,000 replicas of 8, least of two, rho 0.8\n",
             kMillions);
  fmt::print("{:>22}{:>22}{:>22}{:>22}\n", "event calendar", "bare recursion", "tidesim",
             "tidesim, 1,000");
  for (int round = 0; round < kRounds; ++round) {
    std::array<double, 4> wait{}, took{};
    took[0] = TimeOf([&] { wait[0] = EventCalendar(kRequests); });
    took[1] = TimeOf([&] { wait[1] = BareRecursion(kRequests); });
    took[2] = TimeOf(
        [&] { wait[2] = MeanWait(Normal(dir, OneStation(), kRate, 1, kRequests), kService); });
    took[3] = TimeOf([&] {
      wait[3] = MeanWait(Normal(dir, Thousand(), 0.8 * 160'000, 1'000, kRequests), 0.05);
    });
    for (std::size_t i = 0; i < took.size(); ++i) {
      fmt::print("{:>8.1f} M/s {:>6.1f} us", kMillions / took[i], wait[i] * 1e6);
    }
    fmt::print("\n");
    to_calendar.push_back(took[0] / took[2]);
    to_bare.push_back(took[1] / took[2]);
    thousand_to_bare.push_back(took[1] / took[3]);
  }
  fmt::print("mean waits beside speeds; Erlang's C gives {:.1f} us\n", kErlangWait * 1e6);
  fmt::print("tidesim to event calendar    {:.2f}   median of {}; asked: 3\n", Median(to_calendar),
             kRounds);
  fmt::print("tidesim to bare recursion    {:.2f}   asked: 0.8\n", Median(to_bare));
  fmt::print("1,000 replicas to bare       {:.2f}   asked: 15 / 35 = 0.43\n\n",
             Median(thousand_to_bare));
}

// The same length of virtual time for each size, so that only requests grow: 4 hours.
void Grow(const testing::TempDir& dir, std::uint64_t most) {
  fmt::print("the same pool under more requests in the same time\n");
  for (std::uint64_t requests = 10'000'000; requests <= most; requests *= 10) {
    ServiceModel model = OneStation();
    const double rate = static_cast<double>(requests) / (4 * 3'600);
    model.service_seconds = kLoad * kWorkers / rate;
    const double took = TimeOf([&] { Normal(dir, model, rate, 1, requests); });
    fmt::print("{:>6} M requests  {:>6.2f} s  {:>5.1f} ns each  {:>6} KiB resident\n",
               requests / 1'000'000, took, took * 1e9 / static_cast<double>(requests),
               ResidentKiB());
  }
}

void Main(std::uint64_t most) {
  const testing::TempDir dir;
  Compare(dir);
  Grow(dir, most);
}

}  // namespace
}  // namespace tidegate::sim

int main(int argc, char** argv) {
  const bool long_run = argc > 1 && std::strcmp(argv[1], "--long") == 0;
  tidegate::sim::Main(long_run ? 1'000'000'000 : 100'000'000);
  return 0;
}
