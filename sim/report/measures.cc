#include "sim/report/measures.h"

#include <algorithm>
#include <array>

namespace tidegate::sim {
namespace {

constexpr std::array<Measure, 9> kMeasures = {{
    {"badPercent", "late or lost requests, %", true},
    {"lostPercent", "lost requests, %", true},
    {"shortSeconds", "demand above capacity, s", true},
    {"longestWaitSeconds", "longest wait, s", true},
    {"replicaSeconds", "replica-seconds", true},
    {"peakLive", "peak live replicas", true},
    {"leastReady", "least ready replicas", false},
    {"starts", "starts", true},
    {"drains", "drains", true},
}};

}  // namespace

std::span<const Measure> Measures() { return kMeasures; }

std::vector<double> Measured(const RunSummary& run) {
  double counted = 0, bad = 0, arrived = 0, lost = 0, shortage = 0, wait = 0, replica_seconds = 0;
  double peak = 0, starts = 0, drains = 0;
  double least = run.pools.empty() ? 0 : run.pools[0].least_ready;
  for (const PoolResult& pool : run.pools) {
    counted += pool.counted_arrived;
    bad += pool.counted_bad;
    arrived += pool.arrived;
    lost += pool.lost;
    shortage += Seconds(pool.short_of_capacity);
    wait = std::max(wait, pool.longest_wait_seconds);
    replica_seconds += pool.replica_seconds;
    peak += pool.peak_live;
    least = std::min(least, double{1} * pool.least_ready);
    starts += pool.starts;
    drains += pool.drains;
  }
  const auto percent = [](double part, double whole) { return whole > 0 ? part / whole * 100 : 0; };
  return {percent(bad, counted),
          percent(lost, arrived),
          shortage,
          wait,
          replica_seconds,
          peak,
          least,
          starts,
          drains};
}

}  // namespace tidegate::sim
