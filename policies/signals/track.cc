#include "policies/signals/track.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace tidegate::signals {
namespace {

// Fleet and source don't share a clock: a scrape may look this much older than the replica's start.
constexpr Duration kClockSkew{2'000};

using Samples = std::span<const Sample>;

// The samples of one series inside the window; not empty.
struct Line {
  std::string_view replica;
  Samples samples;
};
// All lines of one replica.
using Group = std::span<const Line>;

bool Bad(double value) { return !std::isfinite(value) || value < 0; }

// The sum of doubles depends on their order; the order of the input must not matter.
bool Before(const Line& a, const Line& b) {
  if (a.replica != b.replica) return a.replica < b.replica;
  return std::lexicographical_compare(a.samples.begin(), a.samples.end(), b.samples.begin(),
                                      b.samples.end(), [](const Sample& x, const Sample& y) {
                                        return std::pair(x.at, x.value) < std::pair(y.at, y.value);
                                      });
}

std::vector<Line> LinesInWindow(Instant now, std::span<const SampleSeries> series,
                                Duration window) {
  std::vector<Line> lines;
  lines.reserve(series.size());
  for (const SampleSeries& one : series) {
    const auto from = std::find_if(one.samples.begin(), one.samples.end(),
                                   [&](const Sample& sample) { return sample.at >= now - window; });
    auto to = one.samples.end();
    while (to != from && (to - 1)->at > now) --to;
    if (from != to) {
      lines.push_back({one.replica, {&*from, static_cast<std::size_t>(to - from)}});
    }
  }
  if (!std::is_sorted(lines.begin(), lines.end(), Before)) {
    std::sort(lines.begin(), lines.end(), Before);
  }
  return lines;
}

// Calls `visit` with each replica's lines.
template <class Visit>
void ForEachGroup(const std::vector<Line>& lines, const Visit& visit) {
  for (std::size_t begin = 0; begin < lines.size();) {
    std::size_t end = begin + 1;
    while (end < lines.size() && lines[end].replica == lines[begin].replica) ++end;
    visit(Group(&lines[begin], end - begin));
    begin = end;
  }
}

void ScrapeTimes(Group group, std::vector<Instant>& times) {
  times.clear();
  for (const Line& line : group) {
    for (const Sample& sample : line.samples) {
      times.push_back(sample.at);
    }
  }
  if (group.size() == 1) return;
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
}

Track StartTrack(Group group) {
  Track track;
  track.replica = group.front().replica;
  track.sampled = true;
  track.first = group.front().samples.front().at;
  track.last = group.front().samples.back().at;
  for (const Line& line : group) {
    track.first = std::min(track.first, line.samples.front().at);
    track.last = std::max(track.last, line.samples.back().at);
    track.bad = track.bad || std::any_of(line.samples.begin(), line.samples.end(),
                                         [](const Sample& sample) { return Bad(sample.value); });
  }
  return track;
}

// Whether any name matched. Both sides are walked in order of name.
bool MatchByName(std::vector<Track>& tracks, std::span<const ReplicaView> replicas) {
  std::vector<const ReplicaView*> sorted;
  sorted.reserve(replicas.size());
  bool in_order = true;
  for (const ReplicaView& view : replicas) {
    in_order = in_order && (sorted.empty() || sorted.back()->name <= view.name);
    sorted.push_back(&view);
  }
  if (!in_order) std::ranges::stable_sort(sorted, {}, &ReplicaView::name);
  bool any = false;
  auto at = sorted.begin();
  for (Track& track : tracks) {
    int order = -1;
    while (at != sorted.end() && (order = (*at)->name.compare(track.replica)) < 0) ++at;
    if (at == sorted.end()) break;
    if (order == 0) {
      track.view = *at;
      any = true;
    }
  }
  return any;
}

// "edge-7d9f-" of "edge-7d9f-3".
std::string_view Stem(std::string_view name) { return name.substr(0, name.find_last_of('-') + 1); }

// Whether a series is named as the fleet names its replicas, though that one is gone.
bool NamedAlike(const std::vector<Track>& tracks, std::span<const ReplicaView> replicas) {
  std::vector<std::string_view> stems;
  for (const ReplicaView& view : replicas) {
    const std::string_view stem = Stem(view.name);
    if (!stem.empty() && (stems.empty() || stems.back() != stem)) stems.push_back(stem);
  }
  std::ranges::sort(stems);
  return std::ranges::any_of(tracks, [&](const Track& track) {
    return std::ranges::binary_search(stems, Stem(track.replica));
  });
}

// Gives each track its replica by name, and returns whether fleet and source name them alike.
// Fleets that only know a size name their replicas differently from the source: then nothing
// matches, and the series that appear inside the window are paired with the replicas that did, in
// order of time.
bool Match(std::vector<Track>& tracks, std::span<const ReplicaView> replicas) {
  if (MatchByName(tracks, replicas) || NamedAlike(tracks, replicas)) return true;
  std::vector<Track*> by_age;
  for (Track& track : tracks) {
    by_age.push_back(&track);
  }
  std::stable_sort(by_age.begin(), by_age.end(), [](const Track* a, const Track* b) {
    return std::pair(a->first, a->replica) < std::pair(b->first, b->replica);
  });
  std::vector<const ReplicaView*> views;
  for (const ReplicaView& view : replicas) {
    if (view.phase == Phase::kReady) {
      views.push_back(&view);
    }
  }
  std::stable_sort(views.begin(), views.end(), [](const ReplicaView* a, const ReplicaView* b) {
    return a->started < b->started;
  });
  bool paired = false;
  // Youngest with youngest: surplus series are the old ones, left over from replicas that are gone.
  for (std::size_t i = 0; i < std::min(by_age.size(), views.size()); ++i) {
    const ReplicaView* view = views[views.size() - 1 - i];
    Track* track = by_age[by_age.size() - 1 - i];
    if (view->started <= track->first + kClockSkew) {
      track->view = view;
      paired = true;
    }
  }
  return paired;
}

// When a young replica began to count, or nothing where its first sample may be of an old counter.
std::optional<Instant> CountsFromZeroSince(const Track& track, Instant window_start) {
  if (track.view == nullptr || track.view->started <= window_start ||
      track.view->started > track.first + kClockSkew) {
    return std::nullopt;
  }
  const Instant served = track.view->ready_at.value_or(track.view->started);
  return std::min(track.first, served <= track.first ? served : track.view->started);
}

// Adds the increases between a series' own samples. `increase[i]` belongs to (times[i-1],
// times[i]].
void AddDifferences(Samples samples, const std::vector<Instant>& times,
                    std::vector<double>& increase, Track& track) {
  auto at = times.begin();
  for (std::size_t k = 1; k < samples.size(); ++k) {
    const Sample& from = samples[k - 1];
    const Sample& to = samples[k];
    // After a reset the counter holds what came since; what came before, after `from`, is lost.
    const bool reset = to.value < from.value;
    const double gain = reset ? to.value : to.value - from.value;
    if (reset) track.reset_at = std::max(track.reset_at, to.at);
    at = std::upper_bound(at, times.end(), from.at);
    for (auto step = at; step != times.end() && *step <= to.at; ++step) {
      const Instant begin = *(step - 1);
      increase[static_cast<std::size_t>(step - times.begin())] +=
          gain * Seconds(*step - begin) / Seconds(to.at - from.at);
    }
  }
}

// Whether another series of the replica was scraped both at this series' first sample and before.
bool HasContinuousSibling(Group group, Samples appeared, Instant before) {
  return std::any_of(group.begin(), group.end(), [&](const Line& other) {
    return other.samples.front().at <= before && other.samples.back().at >= appeared.front().at;
  });
}

// A series that appears beside siblings that go on (a status code seen for the first time) began at
// zero after the scrape before. It may fill its replica up to the rate of before, and no further:
// an old counter under a new label looks the same, and must not look like a flood.
void AddAppeared(Group group, const std::vector<Instant>& times, bool young,
                 std::vector<double>& increase) {
  if (group.size() == 1) return;
  std::vector<double> gain(times.size(), 0);
  for (const auto& [replica, samples] : group) {
    const auto at = std::lower_bound(times.begin(), times.end(), samples.front().at);
    const auto i = static_cast<std::size_t>(at - times.begin());
    if (i > 0 && HasContinuousSibling(group, samples, times[i - 1])) {
      gain[i] += samples.front().value;
    }
  }
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (young) {
      increase[i] += gain[i];
    } else if (i > 1 && gain[i] > 0) {
      const double before = increase[i - 1] / Seconds(times[i - 1] - times[i - 2]);
      const double room = before * Seconds(times[i] - times[i - 1]) - increase[i];
      increase[i] += std::clamp(gain[i], 0.0, std::max(0.0, room));
    }
  }
}

// What filling one track after the other needs, kept so that it is allocated once.
struct Scratch {
  std::vector<Instant> times;
  std::vector<double> increase;
};

Instant ReadyAt(const Track& track) {
  return track.view == nullptr ? Instant::min() : track.view->ready_at.value_or(Instant::min());
}

// Where the first segment of a replica begins that serves since `since`, and nothing before, though
// it may have been scraped. A very short stretch says little: spread over a third of an interval at
// least.
Instant FirstBegin(Instant since, Instant end, const EstimateOptions& options, Track& track) {
  const Instant begin = std::min(since, end - std::max(Duration(1), options.scrape_interval / 3));
  if (begin < since) track.short_until = end;
  return begin;
}

void FillCounter(Group group, Instant now, const EstimateOptions& options, Scratch& scratch,
                 std::vector<Segment>& segments, Track& track) {
  ScrapeTimes(group, scratch.times);
  const std::vector<Instant>& times = scratch.times;
  const auto since = CountsFromZeroSince(track, now - options.window);
  std::vector<double>& increase = scratch.increase;
  increase.assign(times.size(), 0);
  for (const auto& [replica, samples] : group) {
    AddDifferences(samples, times, increase, track);
    if (since && samples.front().at == times.front()) {
      increase[0] += samples.front().value;
    }
  }
  AddAppeared(group, times, since.has_value(), increase);
  if (since) {
    const Instant begin = FirstBegin(*since, times[0], options, track);
    segments.push_back({begin, times[0], increase[0] / Seconds(times[0] - begin)});
  }
  const Instant ready = ReadyAt(track);
  for (std::size_t i = 1; i < times.size(); ++i) {
    Instant begin = times[i - 1];
    if (begin < ready && ready < times[i]) begin = FirstBegin(ready, times[i], options, track);
    segments.push_back({begin, times[i], increase[i] / Seconds(times[i] - begin)});
  }
}

void FillGauge(Group group, const EstimateOptions& options, Scratch& scratch,
               std::vector<Segment>& segments) {
  ScrapeTimes(group, scratch.times);
  for (const Instant at : scratch.times) {
    double sum = 0;
    for (const auto& [replica, samples] : group) {
      auto newest = std::upper_bound(samples.begin(), samples.end(), at,
                                     [](Instant t, const Sample& sample) { return t < sample.at; });
      if (newest != samples.begin() && (--newest)->at > at - options.scrape_interval) {
        sum += newest->value;
      }
    }
    segments.push_back({at, at, sum});
  }
}

// `fill` appends the segments of one track.
template <class Fill>
Tracks MakeTracks(Instant now, std::span<const SampleSeries> series,
                  std::span<const ReplicaView> replicas, Duration window, const Fill& fill) {
  const std::vector<Line> lines = LinesInWindow(now, series, window);
  Tracks made;
  made.tracks.reserve(lines.size());
  std::size_t samples = 0;
  for (const Line& line : lines) samples += line.samples.size();
  made.segments.reserve(samples + lines.size());  // tracks point into it, so it never grows
  ForEachGroup(lines, [&](Group group) { made.tracks.push_back(StartTrack(group)); });
  made.known = Match(made.tracks, replicas);
  std::size_t next = 0;
  ForEachGroup(lines, [&](Group group) {
    const std::size_t begin = made.segments.size();
    Track& track = made.tracks[next++];
    fill(group, made.segments, track);
    track.segments = {made.segments.data() + begin, made.segments.size() - begin};
  });
  return made;
}

}  // namespace

Tracks CounterTracks(Instant now, std::span<const SampleSeries> series,
                     std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  Scratch scratch;
  return MakeTracks(now, series, replicas, options.window,
                    [&](Group group, std::vector<Segment>& segments, Track& track) {
                      FillCounter(group, now, options, scratch, segments, track);
                    });
}

Tracks GaugeTracks(Instant now, std::span<const SampleSeries> series,
                   std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  Scratch scratch;
  return MakeTracks(now, series, replicas, options.window,
                    [&](Group group, std::vector<Segment>& segments, Track&) {
                      FillGauge(group, options, scratch, segments);
                    });
}

}  // namespace tidegate::signals
