#pragma once

#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

// What counts as a spike: it begins where the rate, averaged over `hold`, is at least `factor`
// times the baseline and above it by at least `least_rise` of the trace's peak. The baseline is the
// median of the bins of the time `baseline` before, those of earlier spikes left out, and stays as
// it is while the spike lasts. The spike ends where the rate stays for `calm` less than half as far
// above the baseline as it had to rise; at the latest after `longest`, and then that rate is the
// new normal.
struct SpikeRule {
  double factor = 2;                             // > 1
  Duration baseline = std::chrono::minutes(30);  // > 0
  Duration hold = std::chrono::seconds(5);       // >= 0; at least one bin
  double least_rise = 0.1;                       // 0 .. 1
  Duration calm = std::chrono::minutes(1);       // >= 0; at least one bin
  Duration longest = std::chrono::hours(2);      // > 0
};

// Times are since the trace's start.
struct Spike {
  Duration begin{0};
  Duration end{0};  // > begin
  Rate baseline = 0;
  Rate peak = 0;  // of one bin
  Duration peak_at{0};
};

// All spikes, in the order of time. No spike begins before three bins and `hold` have passed: there
// is no baseline yet. Cost: n log n in bins.
std::vector<Spike> FindSpikes(const Trace& trace, const SpikeRule& rule);

// The bins that touch [from, to); times may lie outside the trace. Before its start each bin has
// `before` (a rate); what lies past its end is left out. Precondition: from < Length(trace), from <
// to. `from` moves to a bin's start, down.
Trace Window(const Trace& trace, Duration from, Duration to, Rate before);

}  // namespace tidegate::traces
