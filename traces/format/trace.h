#pragma once

#include <cstddef>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::traces {

constexpr std::size_t kMaxTraceBins = 10'000'000;
constexpr double kMaxRequestsPerBin = 1e12;

// Requests over time: bin i counts the requests in [i, i + 1) * bin since the trace's start.
struct Trace {
  Duration bin = std::chrono::seconds(1);  // > 0
  std::vector<double> requests;            // finite, 0..kMaxRequestsPerBin each
  bool operator==(const Trace&) const = default;
};

Duration Length(const Trace& trace);
double TotalRequests(const Trace& trace);
// The highest rate of any bin; 0 if there is none.
Rate PeakRate(const Trace& trace);
// The rate of the bin that holds this time since the start; 0 outside the trace.
Rate RateAt(const Trace& trace, Duration since_start);
// The same bins with `factor` times the requests. Precondition: factor >= 0, finite.
Trace Scaled(Trace trace, double factor);

// What describes a trace in a few numbers.
struct TraceStatistics {
  std::size_t bins = 0;
  Duration bin{0};
  Duration length{0};
  double total = 0;  // requests
  Rate mean = 0;
  Rate peak = 0;
  Duration peak_at{0};                  // start of the first bin with the peak rate
  double peak_to_mean = 0;              // 0 if the mean is 0
  double coefficient_of_variation = 0;  // standard deviation of the bins over their mean
  Rate largest_step_up = 0;             // largest rise from one bin to the next
  Duration largest_step_at{0};          // start of the bin after it
  std::size_t empty_bins = 0;
};
TraceStatistics Describe(const Trace& trace);

}  // namespace tidegate::traces
