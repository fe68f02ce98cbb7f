#pragma once

#include <span>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/snapshot.h"

namespace tidegate::signals {

// One scraped value. The time is the scrape's, not ours.
struct Sample {
  Instant at{};
  double value = 0;
};

// One counter or gauge of one replica, samples in strictly increasing time order. A replica may
// have several (one per frontend, status code, ...).
struct SampleSeries {
  std::string
      replica;  // ReplicaView::name, or the source's own instance label where it doesn't know ours
  std::vector<Sample> samples;
};

struct EstimateOptions {
  Duration window{60'000};           // how far back samples count; > 0
  Duration scrape_interval{15'000};  // of the source; > 0
  Duration stale_after{45'000};      // newest sample older than this: kStale
  bool each_replica = false;         // fill Reading::each
};

// The pool's request rate now, from raw counter samples. See estimator.cc for the method: resets,
// series that appear inside the window, vanished replicas, extrapolation to `now`. `replicas` is
// what the fleet reports; it decides whether a young series is counted from zero and how many
// series are expected. Samples later than `now` are ignored. The reading's `signal` is left empty.
Reading EstimateRate(Instant now, std::span<const SampleSeries> series,
                     std::span<const ReplicaView> replicas, const EstimateOptions& options);

// The pool's total of a gauge (requests in flight): the newest sample of each series that is not
// stale.
Reading EstimateGauge(Instant now, std::span<const SampleSeries> series,
                      std::span<const ReplicaView> replicas, const EstimateOptions& options);

}  // namespace tidegate::signals
