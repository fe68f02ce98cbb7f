// The load of a pool now, from samples that each replica gave at another time.
//
// Per replica, the samples become segments [previous scrape, scrape] with the average rate between
// them (track.cc). A replica's current rate is that of its newest segment, extended backwards to at
// least half a scrape interval, and it is taken to hold until now. So the estimate follows a step
// within one scrape and has it in full after two; its noise is that of one interval's requests,
// 1/sqrt(rate x interval) for Poisson arrivals (1 % at 330 rps and 30 s). A longer window would be
// calmer and blind for longer; windows over time belong to the policies that read the result.
//
// That would be all, were the membership constant. When replicas join or leave at m, load moves
// between replicas whose segments end at different times, and a plain sum counts it twice or not at
// all. What has moved is visible in a segment that straddles m in proportion to the part of it that
// lies after m; let f(m) be the mean of that part over the replicas that gave (or got) load,
// weighted by their rate before m. Then
//
//   joined at m:   counts rate x f(m of the join): the rest is still in its peers' segments;
//   left at m:     counts rate before m x (f(m of the join) - f(m of the leave)), where a join long
//                  ago has f = 1, plus what it still does x f(m of the leave);
//   others:        count their current rate.
//
// For a constant load this sum is exact whatever the scrape phases, as long as the replicas that
// give (or get) share the change equally; otherwise it is off by the covariance of share and phase,
// for two scrapes at most. A young replica's first sample after it became ready counts over the
// time since then: what was scraped before says nothing. One without such a sample makes the sum
// blind to its share: until it is sampled, at most 1.5 intervals long, the estimate is not let
// below what it was when the replica became ready. A replica that vanishes untold is taken to have
// left when its next scrape was due; it may have drained before, so what it holds does not lift the
// estimate above what the pool did when it surely served.
//
// An estimate is ok where it leaves nothing out. It is partial where a replica that has been ready
// for long shows no rate, where one left whose rate was not known and its peers were not scraped
// since, where replicas vanished and a peer's sample is older than 1.5 intervals, and where it
// rests on an earlier total of which any of this is true. One case is not noticed: a replica that
// showed nothing for a whole window, and then vanishes between two looks at the fleet.
//
// It fails, always upwards, where load falls while new replicas are still unseen, and downwards, by
// less than one interval's worth, where a counter resets or a replica dies with uncounted requests.
// Clocks of fleet and source may differ by up to about a tenth of the scrape interval.
#include "policies/signals/estimator.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "policies/signals/pool_total.h"
#include "policies/signals/track.h"

namespace tidegate::signals {
namespace {

struct Coverage {
  int reporting = 0;    // replicas that contribute
  int expected = 0;     // ready for long enough to have been scraped twice
  std::string missing;  // one of the expected that don't contribute
  int missing_count = 0;
};

Coverage Cover(const PoolTotal& pool, const std::vector<Member>& members, Instant now) {
  Coverage cover;
  for (const Member& member : members) {
    const bool serves = member.view == nullptr || member.view->phase == Phase::kReady;
    const bool reports = serves && member.role == Role::kServing && member.current;
    cover.reporting += reports ? 1 : 0;
    if (!pool.Expected(member, now)) continue;
    ++cover.expected;
    if (!reports || !member.settled) {
      ++cover.missing_count;
      cover.missing =
          cover.missing.empty() ? member.view->name : std::min(cover.missing, member.view->name);
    }
  }
  return cover;
}

std::string Why(Gap gap, const Coverage& cover) {
  switch (gap) {
    case Gap::kNone: return "";
    case Gap::kMissing:
      return std::to_string(cover.missing_count) + " of " + std::to_string(cover.expected) +
             " ready replicas have no recent samples (" + cover.missing + ")";
    case Gap::kReset: return "a counter was reset, and what came just before is lost";
    case Gap::kNobody: return "no serving replica has enough samples yet";
    case Gap::kLeaver:
      return "a replica left whose load was not known, and its peers were not scraped since";
    case Gap::kOldPeers: return "replicas left, and not all of their peers were scraped since";
    case Gap::kBefore:
      return "young replicas are unseen, and the load before they came is not known either";
  }
  return "";
}

Reading Unusable(Quality quality, std::string detail) {
  Reading reading;
  reading.quality = quality;
  reading.detail = std::move(detail);
  return reading;
}

// What can be said without an estimate: nothing there, nonsense, too old, or (so far) ok.
Reading Judge(Instant now, const std::vector<Track>& tracks, const EstimateOptions& options) {
  if (tracks.empty()) {
    return Unusable(Quality::kEmpty,
                    "no series has a sample within " + FormatDuration(options.window));
  }
  Instant newest = tracks.front().last;
  for (const Track& track : tracks) {
    newest = std::max(newest, track.last);
  }
  for (const Track& track : tracks) {
    if (track.bad) {
      Reading reading = Unusable(Quality::kNaN, "a sample of " + std::string(track.replica) +
                                                    " is NaN, infinite or negative");
      reading.age = now - newest;
      return reading;
    }
  }
  if (now - newest > options.stale_after) {
    Reading reading =
        Unusable(Quality::kStale, "the newest sample is " + FormatDuration(now - newest) +
                                      " old, more than " + FormatDuration(options.stale_after));
    reading.age = now - newest;
    return reading;
  }
  Reading reading;
  reading.age = now - newest;
  reading.quality = Quality::kOk;
  return reading;
}

// What each replica that serves does by itself, by its newest segment; not those of which only a
// short stretch is known, which the sum spreads over a longer one.
std::vector<ReplicaValue> EachOf(const std::vector<Member>& members, Instant now) {
  std::vector<ReplicaValue> each;
  for (const Member& member : members) {
    if (member.role != Role::kServing || !member.current || !member.settled) continue;
    each.push_back({member.view != nullptr ? member.view->name : std::string(member.track->replica),
                    std::max(0.0, member.current->rate), now - member.current->end});
  }
  std::ranges::sort(each, {}, &ReplicaValue::replica);
  return each;
}

Reading FromTracks(Instant now, const Tracks& tracks, std::span<const ReplicaView> replicas,
                   const EstimateOptions& options) {
  Reading reading = Judge(now, tracks.tracks, options);
  const PoolTotal pool(tracks, replicas, now, options);
  const std::vector<Member> members = pool.MembersAt(now);
  const Coverage cover = Cover(pool, members, now);
  reading.series = cover.reporting;
  reading.expected = cover.expected;
  if (options.each_replica && MayGrow(reading.quality)) reading.each = EachOf(members, now);
  if (reading.quality == Quality::kStale) {
    const Instant newest = now - reading.age;
    const double last = pool.At(newest, pool.MembersAt(newest)).value;
    if (std::isfinite(last)) reading.last = std::max(0.0, last);
  }
  if (reading.quality != Quality::kOk) {
    return reading;
  }
  const Total total = pool.At(now, members);
  if (!std::isfinite(total.value)) {
    reading.quality = Quality::kNaN;
    reading.detail = "the samples add up to more than a number can hold";
    return reading;
  }
  reading.value = std::max(0.0, total.value);
  if (total.gap != Gap::kNone) {
    reading.quality = Quality::kPartial;
    reading.detail = Why(total.gap, cover);
  }
  return reading;
}

}  // namespace

Reading EstimateRate(Instant now, std::span<const SampleSeries> series,
                     std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  return FromTracks(now, CounterTracks(now, series, replicas, options), replicas, options);
}

Reading EstimateGauge(Instant now, std::span<const SampleSeries> series,
                      std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  return FromTracks(now, GaugeTracks(now, series, replicas, options), replicas, options);
}

}  // namespace tidegate::signals
