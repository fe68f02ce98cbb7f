#include "sim/report/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tidegate::sim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<Measure, 14> kMeasures = {{
    {"badPercent", "bad requests, %", true, false},
    {"worstMinutePercent", "bad in the worst minute, %", true, false},
    {"lostPercent", "lost requests, %", true, false},
    {"latencyP50Seconds", "latency p50, s", true, true},
    {"latencyP99Seconds", "latency p99, s", true, true},
    {"latencyP999Seconds", "latency p99.9, s", true, true},
    {"shortSeconds", "demand above capacity, s", true, false},
    {"longestWaitSeconds", "longest wait, s", true, false},
    {"replicaSeconds", "replica-seconds", true, false},
    {"costMultiple", "cost, times the oracle's", true, false},
    {"peakLive", "peak live replicas", true, false},
    {"leastReady", "least ready replicas", false, false},
    {"starts", "starts", true, false},
    {"drains", "drains", true, false},
}};

// Requests of all pools.
struct Requests {
  double arrived = 0;
  double lost = 0;
  double counted = 0;  // for the objective
  double bad = 0;
  double worst_minute = 0;
  double p50 = kUnknown;
  double p99 = kUnknown;
  double p999 = kUnknown;

  void Add(const PoolResult& pool) {
    arrived += pool.arrived;
    lost += pool.lost;
    worst_minute = std::max(worst_minute, pool.worst_minute);
    if (!pool.requests) {
      counted += pool.counted_arrived;
      bad += pool.counted_bad;
      return;
    }
    const RequestResult& single = *pool.requests;
    counted += single.flow.arrived;
    // A request that was slow may have been cut off as well.
    bad += std::min(single.flow.arrived, single.flow.lost + single.flow.slow);
    // The other where one is unknown, unlike max().
    p50 = std::fmax(p50, single.p50);
    p99 = std::fmax(p99, single.p99);
    p999 = std::fmax(p999, single.p999);
  }
};

// Their replicas, and what these are measured against.
struct Cost {
  double replica_seconds = 0;
  double measured = 0;  // of pools with a yardstick
  double oracle = 0;
  double shortage = 0;
  double wait = 0;
  double peak = 0;
  double least = std::numeric_limits<double>::infinity();
  double starts = 0;
  double drains = 0;

  void Add(const PoolResult& pool) {
    replica_seconds += pool.replica_seconds;
    if (pool.yardstick) {
      measured += pool.replica_seconds;
      oracle += pool.yardstick->oracle.replica_seconds;
    }
    shortage += Seconds(pool.short_of_capacity);
    wait = std::max(wait, pool.longest_wait_seconds);
    peak += pool.peak_live;
    least = std::min(least, double{1} * pool.least_ready);
    starts += pool.starts;
    drains += pool.drains;
  }
};

}  // namespace

std::span<const Measure> Measures() { return kMeasures; }

std::vector<double> Measured(const RunSummary& run) {
  Requests requests;
  Cost cost;
  for (const PoolResult& pool : run.pools) {
    requests.Add(pool);
    cost.Add(pool);
  }
  const auto percent = [](double part, double whole) { return whole > 0 ? part / whole * 100 : 0; };
  return {percent(requests.bad, requests.counted),
          requests.worst_minute * 100,
          percent(requests.lost, requests.arrived),
          requests.p50,
          requests.p99,
          requests.p999,
          cost.shortage,
          cost.wait,
          cost.replica_seconds,
          cost.oracle > 0 ? cost.measured / cost.oracle : kUnknown,
          cost.peak,
          run.pools.empty() ? 0 : cost.least,
          cost.starts,
          cost.drains};
}

}  // namespace tidegate::sim
