#include "traces/format/trace.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tidegate::traces {
namespace {

Rate ToRate(const Trace& trace, double requests) { return requests / Seconds(trace.bin); }

Duration StartOf(const Trace& trace, std::size_t bin) {
  return trace.bin * static_cast<Duration::rep>(bin);
}

}  // namespace

Duration Length(const Trace& trace) { return StartOf(trace, trace.requests.size()); }

double TotalRequests(const Trace& trace) {
  return std::accumulate(trace.requests.begin(), trace.requests.end(), 0.0);
}

Rate PeakRate(const Trace& trace) {
  if (trace.requests.empty()) return 0;
  return ToRate(trace, *std::max_element(trace.requests.begin(), trace.requests.end()));
}

Rate RateAt(const Trace& trace, Duration since_start) {
  if (since_start < Duration(0) || since_start >= Length(trace)) return 0;
  return ToRate(trace, trace.requests[static_cast<std::size_t>(since_start / trace.bin)]);
}

Trace Scaled(Trace trace, double factor) {
  for (double& requests : trace.requests) {
    requests = std::min(requests * factor, kMaxRequestsPerBin);
  }
  return trace;
}

TraceStatistics Describe(const Trace& trace) {
  TraceStatistics result;
  const std::vector<double>& bins = trace.requests;
  result.bins = bins.size();
  result.bin = trace.bin;
  result.length = Length(trace);
  if (bins.empty()) return result;
  result.total = TotalRequests(trace);
  result.mean = result.total / Seconds(result.length);
  const auto peak = std::max_element(bins.begin(), bins.end());
  result.peak = ToRate(trace, *peak);
  result.peak_at = StartOf(trace, static_cast<std::size_t>(peak - bins.begin()));
  result.empty_bins = static_cast<std::size_t>(std::count(bins.begin(), bins.end(), 0.0));
  for (std::size_t i = 1; i < bins.size(); ++i) {
    const Rate step = ToRate(trace, bins[i] - bins[i - 1]);
    if (step > result.largest_step_up) {
      result.largest_step_up = step;
      result.largest_step_at = StartOf(trace, i);
    }
  }
  if (result.mean <= 0) return result;
  result.peak_to_mean = result.peak / result.mean;
  const double per_bin = result.total / static_cast<double>(bins.size());
  double squares = 0;
  for (const double value : bins) squares += (value - per_bin) * (value - per_bin);
  result.coefficient_of_variation = std::sqrt(squares / static_cast<double>(bins.size())) / per_bin;
  return result;
}

}  // namespace tidegate::traces
