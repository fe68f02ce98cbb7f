#include "sim/report/measures.h"

#include <algorithm>
#include <array>

namespace tidegate::sim {
namespace {

constexpr std::array<Measure, 8> kMeasures = {{
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
  double arrived = 0, lost = 0, shortage = 0, wait = 0, replica_seconds = 0;
  double peak = 0, starts = 0, drains = 0;
  double least = run.pools.empty() ? 0 : run.pools[0].least_ready;
  for (const PoolResult& pool : run.pools) {
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
  const double lost_percent = arrived > 0 ? lost / arrived * 100 : 0;
  return {lost_percent, shortage, wait, replica_seconds, peak, least, starts, drains};
}

}  // namespace tidegate::sim
