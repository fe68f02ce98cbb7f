#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "policies/signals/estimator.h"

namespace tidegate::signals {

// A stretch of time in which one replica did `rate` per second. A gauge's segment has no length:
// begin == end, and `rate` is the gauge's value.
struct Segment {
  Instant begin{};
  Instant end{};
  double rate = 0;
};

// All series of one replica merged into one line of segments, oldest first.
struct Track {
  std::string_view replica;           // of the series
  const ReplicaView* view = nullptr;  // null: the fleet doesn't know this replica (any more)
  std::span<const Segment> segments;
  Instant first{};       // of the samples inside the window
  Instant last{};        // the newest of them
  bool sampled = false;  // whether there is one at all
  bool bad = false;      // a sample is NaN, infinite or negative
  // Where the first segment since the replica became ready is too short to say much about the rate:
  // its end.
  Instant short_until = Instant::min();
  // Where a counter was reset: the sample that showed it last. What came between the sample before
  // and the reset is lost.
  Instant reset_at = Instant::min();
};

// The tracks of one pool, sorted by replica, and where their segments are kept.
struct Tracks {
  std::vector<Track> tracks;
  std::vector<Segment> segments;
  bool known = false;  // a track without a view is of a replica that is gone

  Tracks() = default;
  Tracks(Tracks&&) = default;
  Tracks(const Tracks&) = delete;
};

// Merges counter series by replica. Handles resets and decides which first samples count from zero.
// `replicas` gives each track its view, by name, or, where no name matches at all, in order of age.
// The result points into both arguments.
Tracks CounterTracks(Instant now, std::span<const SampleSeries> series,
                     std::span<const ReplicaView> replicas, const EstimateOptions& options);

// The same for gauges: one segment per scrape.
Tracks GaugeTracks(Instant now, std::span<const SampleSeries> series,
                   std::span<const ReplicaView> replicas, const EstimateOptions& options);

}  // namespace tidegate::signals
