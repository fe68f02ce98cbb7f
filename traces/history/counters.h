#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/signals/estimator.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

// Which stretch of a pool's history is wanted, and how its samples came about.
struct HistoryOptions {
  Instant begin{};                   // of the trace's first bin
  Instant end{};                     // > begin; the last bin may reach past it
  Duration bin{15'000};              // > 0
  Duration scrape_interval{15'000};  // > 0
  Instant asked_from{};              // samples were asked for from here on; <= begin
  Duration longest_gap{75'000};      // a longer pause between samples says nothing of its bins
};

// From the first to the last scrape of a replica.
struct ScrapedReplica {
  Instant first{};
  Instant last{};
  auto operator<=>(const ScrapedReplica&) const = default;
};

// The load that a pool saw.
struct ObservedLoad {
  Trace trace;                          // every bin has a value
  std::vector<Replicas> replicas;       // that were scraped, a value for each bin
  std::vector<ScrapedReplica> scraped;  // in the order of their first scrapes; of counters only
  std::size_t guessed = 0;        // bins without samples: see LoadFromCounters and LoadFromRates
  std::size_t longest_guess = 0;  // most of them in a row
  std::size_t old_counters = 0;   // series that appeared with a count that no new replica can have
};

// Requests in each bin from the request counters of replicas, one series a replica, samples at the
// times of their scrapes. Between two samples the increase is spread so that the rate has no jumps
// (monotone cubics through the counts), and no request is counted twice or lost, whatever the bin's
// length: spread evenly, a rise of seconds would be a jump at a scrape, worse than what was. A
// counter that falls was reset and counts from zero. A series that appears later than `asked_from`
// is a new replica and counts from zero too, at the mean rate of the others then (where there are
// none, at the rate that it has until its second sample): so long before its first one, but no more
// than three scrape intervals. Unless its first count were more than what three times the highest
// rate seen of any replica gives in a scrape interval: then it is an old counter under a new name,
// and counts from its first sample.
//
// Across a pause longer than `longest_gap` the increase is spread evenly as well, but its bins
// count as guessed where no other series has samples. Where there is nothing at all, values lie on
// a line between the neighbours.
ObservedLoad LoadFromCounters(std::span<const signals::SampleSeries> series,
                              const HistoryOptions& options);

// The same from values of an expression that gives the pool's request rate (per second), one each
// bin, at the bin's end. Values that are negative or no number are missing; bins without one are
// guessed from their neighbours. `replicas` stays empty.
ObservedLoad LoadFromRates(std::span<const signals::Sample> rates, const HistoryOptions& options);

}  // namespace tidegate::traces
