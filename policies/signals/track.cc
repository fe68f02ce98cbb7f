#include "policies/signals/track.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace tidegate::signals {
namespace {

// Fleet and source don't share a clock: a scrape may look this much older than the replica's start.
constexpr Duration kClockSkew{2'000};

using Samples = std::span<const Sample>;

struct Group {
  std::string replica;
  std::vector<Samples> series;  // not empty, inside the window
};

bool Bad(double value) { return !std::isfinite(value) || value < 0; }

std::vector<Group> GroupByReplica(Instant now, std::span<const SampleSeries> series,
                                  Duration window) {
  std::map<std::string, std::vector<Samples>> groups;
  for (const SampleSeries& one : series) {
    const auto from = std::find_if(one.samples.begin(), one.samples.end(),
                                   [&](const Sample& sample) { return sample.at >= now - window; });
    const auto to = std::find_if(from, one.samples.end(),
                                 [&](const Sample& sample) { return sample.at > now; });
    if (from != to) {
      groups[one.replica].emplace_back(&*from, static_cast<std::size_t>(to - from));
    }
  }
  std::vector<Group> sorted;
  sorted.reserve(groups.size());
  for (auto& [replica, members] : groups) {
    // The sum of doubles depends on their order; the order of the input must not matter.
    std::sort(members.begin(), members.end(), [](const Samples& a, const Samples& b) {
      return std::lexicographical_compare(
          a.begin(), a.end(), b.begin(), b.end(), [](const Sample& x, const Sample& y) {
            return std::pair(x.at, x.value) < std::pair(y.at, y.value);
          });
    });
    sorted.push_back(Group{replica, std::move(members)});
  }
  return sorted;
}

std::vector<Instant> ScrapeTimes(const Group& group) {
  std::vector<Instant> times;
  for (const Samples& samples : group.series) {
    for (const Sample& sample : samples) {
      times.push_back(sample.at);
    }
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

Track StartTrack(const Group& group, const std::vector<Instant>& times) {
  Track track;
  track.replica = group.replica;
  track.sampled = true;
  track.first = times.front();
  track.last = times.back();
  for (const Samples& samples : group.series) {
    track.bad = track.bad || std::any_of(samples.begin(), samples.end(),
                                         [](const Sample& sample) { return Bad(sample.value); });
  }
  return track;
}

// Gives each track its replica by name. Fleets that only know a size name their replicas
// differently from the source: then nothing matches, and the series that appear inside the window
// are paired with the replicas that did, in order of time.
void Match(std::vector<Track>& tracks, std::span<const ReplicaView> replicas) {
  std::map<std::string_view, const ReplicaView*> by_name;
  for (const ReplicaView& view : replicas) {
    by_name.emplace(view.name, &view);
  }
  bool any = false;
  for (Track& track : tracks) {
    const auto found = by_name.find(track.replica);
    if (found != by_name.end()) {
      track.view = found->second;
      any = true;
    }
  }
  if (any) {
    return;
  }
  std::vector<Track*> by_age;
  for (Track& track : tracks) {
    by_age.push_back(&track);
  }
  std::stable_sort(by_age.begin(), by_age.end(), [](const Track* a, const Track* b) {
    return std::pair(a->first, std::string_view(a->replica)) <
           std::pair(b->first, std::string_view(b->replica));
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
  // Youngest with youngest: surplus series are the old ones, left over from replicas that are gone.
  for (std::size_t i = 0; i < std::min(by_age.size(), views.size()); ++i) {
    const ReplicaView* view = views[views.size() - 1 - i];
    Track* track = by_age[by_age.size() - 1 - i];
    if (view->started <= track->first + kClockSkew) {
      track->view = view;
    }
  }
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
                    std::vector<double>& increase) {
  auto at = times.begin();
  for (std::size_t k = 1; k < samples.size(); ++k) {
    const Sample& from = samples[k - 1];
    const Sample& to = samples[k];
    // After a reset the counter holds what came since; what came before, after `from`, is lost.
    const double gain = to.value >= from.value ? to.value - from.value : to.value;
    at = std::upper_bound(at, times.end(), from.at);
    for (auto step = at; step != times.end() && *step <= to.at; ++step) {
      const Instant begin = *(step - 1);
      increase[static_cast<std::size_t>(step - times.begin())] +=
          gain * Seconds(*step - begin) / Seconds(to.at - from.at);
    }
  }
}

// Whether another series of the replica was scraped both at this series' first sample and before.
bool HasContinuousSibling(const Group& group, Samples appeared, Instant before) {
  return std::any_of(group.series.begin(), group.series.end(), [&](const Samples& other) {
    return other.front().at <= before && other.back().at >= appeared.front().at;
  });
}

// A series that appears beside siblings that go on (a status code seen for the first time) began at
// zero after the scrape before. It may fill its replica up to the rate of before, and no further:
// an old counter under a new label looks the same, and must not look like a flood.
void AddAppeared(const Group& group, const std::vector<Instant>& times, bool young,
                 std::vector<double>& increase) {
  std::vector<double> gain(times.size(), 0);
  for (const Samples& samples : group.series) {
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

void FillCounter(const Group& group, const std::vector<Instant>& times, Instant now,
                 const EstimateOptions& options, Track& track) {
  const auto since = CountsFromZeroSince(track, now - options.window);
  std::vector<double> increase(times.size(), 0);
  for (const Samples& samples : group.series) {
    AddDifferences(samples, times, increase);
    if (since && samples.front().at == times.front()) {
      increase[0] += samples.front().value;
    }
  }
  AddAppeared(group, times, since.has_value(), increase);
  if (since) {
    // A very short first stretch says little: spread over a third of an interval at least.
    const Duration least = std::max(Duration(1), options.scrape_interval / 3);
    const Instant begin = std::min(*since, times[0] - least);
    track.short_start = begin < *since;
    track.segments.push_back({begin, times[0], increase[0] / Seconds(times[0] - begin)});
  }
  for (std::size_t i = 1; i < times.size(); ++i) {
    track.segments.push_back(
        {times[i - 1], times[i], increase[i] / Seconds(times[i] - times[i - 1])});
  }
}

void FillGauge(const Group& group, const std::vector<Instant>& times,
               const EstimateOptions& options, Track& track) {
  for (const Instant at : times) {
    double sum = 0;
    for (const Samples& samples : group.series) {
      auto newest = std::upper_bound(samples.begin(), samples.end(), at,
                                     [](Instant t, const Sample& sample) { return t < sample.at; });
      if (newest != samples.begin() && (--newest)->at > at - options.scrape_interval) {
        sum += newest->value;
      }
    }
    track.segments.push_back({at, at, sum});
  }
}

}  // namespace

std::vector<Track> CounterTracks(Instant now, std::span<const SampleSeries> series,
                                 std::span<const ReplicaView> replicas,
                                 const EstimateOptions& options) {
  const std::vector<Group> groups = GroupByReplica(now, series, options.window);
  std::vector<Track> tracks;
  std::vector<std::vector<Instant>> times;
  for (const Group& group : groups) {
    times.push_back(ScrapeTimes(group));
    tracks.push_back(StartTrack(group, times.back()));
  }
  Match(tracks, replicas);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    FillCounter(groups[i], times[i], now, options, tracks[i]);
  }
  return tracks;
}

std::vector<Track> GaugeTracks(Instant now, std::span<const SampleSeries> series,
                               std::span<const ReplicaView> replicas,
                               const EstimateOptions& options) {
  const std::vector<Group> groups = GroupByReplica(now, series, options.window);
  std::vector<Track> tracks;
  for (const Group& group : groups) {
    const std::vector<Instant> times = ScrapeTimes(group);
    tracks.push_back(StartTrack(group, times));
    FillGauge(group, times, options, tracks.back());
  }
  Match(tracks, replicas);
  return tracks;
}

}  // namespace tidegate::signals
