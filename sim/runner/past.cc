#include "sim/runner/past.h"

#include <algorithm>

#include "policies/signals/history.h"

namespace tidegate::sim {
namespace {

using signals::History;

// Requests in [from, until) of the trace; bins that reach over an end count in part.
double RequestsBetween(const traces::Trace& trace, Duration from, Duration until) {
  double sum = 0;
  for (Duration at = from; at < until;) {
    const auto bin = at / trace.bin;
    const Duration edge = std::min(until, trace.bin * (bin + 1));
    sum += trace.requests[static_cast<std::size_t>(bin)] * Seconds(edge - at) / Seconds(trace.bin);
    at = edge;
  }
  return sum;
}

}  // namespace

std::vector<float> MinuteMeans(const traces::Trace& trace, double scale) {
  const Duration length = traces::Length(trace);
  const auto count = std::min<Duration::rep>(length / History::kBin, History::kMostBins);
  std::vector<float> means;
  for (Duration::rep i = count; i > 0; --i) {
    const Duration from = length - i * History::kBin;
    means.push_back(static_cast<float>(scale * RequestsBetween(trace, from, from + History::kBin) /
                                       Seconds(History::kBin)));
  }
  return means;
}

}  // namespace tidegate::sim
