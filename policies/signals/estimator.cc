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
//   left at m:     counts rate before m x (1 - f(m of the leave)), plus what it still does x f;
//   others:        count their current rate.
//
// For a constant load this sum is exact whatever the scrape phases, as long as the replicas that
// give (or get) share the change equally; otherwise it is off by the covariance of share and phase,
// for two scrapes at most. A young replica's first sample counts from zero, over the time since it
// became ready. A young replica without any sample makes the sum blind to its share: until it is
// sampled, at most 1.5 intervals long, the estimate is not let below what it was when the replica
// became ready. A replica that vanishes untold is taken to have left when its next scrape was due.
//
// It fails, always upwards, where load falls while new replicas are still unseen, and downwards, by
// less than one interval's worth, where a counter resets or a replica dies with uncounted requests.
// Clocks of fleet and source may differ by up to about a tenth of the scrape interval.
#include "policies/signals/estimator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "policies/signals/track.h"

namespace tidegate::signals {
namespace {

// How often "what it was before" may refer further back; each step is a wave of joins that was
// unseen when the next one came.
constexpr int kFloorDepth = 4;

constexpr Instant kEver = Instant::min();

// The newest of the first `count` segments, joined with older ones until they span `least`.
std::optional<Segment> Newest(const Track& track, std::size_t count, Duration least) {
  if (count == 0) {
    return std::nullopt;
  }
  Segment joined = track.segments[count - 1];
  double amount = joined.rate * Seconds(joined.end - joined.begin);
  const bool gauge = joined.begin == joined.end;
  for (std::size_t i = count - 1; !gauge && i > 0 && joined.end - joined.begin < least; --i) {
    const Segment& previous = track.segments[i - 1];
    amount += previous.rate * Seconds(previous.end - previous.begin);
    joined.begin = previous.begin;
    joined.rate = amount / Seconds(joined.end - joined.begin);
  }
  return joined;
}

// The share of a segment that lies after `m`.
double After(const Segment& segment, Instant m) {
  if (segment.end <= m) {
    return 0;
  }
  if (segment.begin >= m) {
    return 1;
  }
  return Seconds(segment.end - m) / Seconds(segment.end - segment.begin);
}

enum class Role {
  kServing,
  kLeft,
  kAbsent,  // not part of the pool at that time, or too long silent to count
};

// One replica, with or without samples, as it stood at the time of the estimate.
struct Member {
  const Track* track = nullptr;  // null: never sampled
  const ReplicaView* view = nullptr;
  Role role = Role::kAbsent;
  Instant joined = kEver;          // kEver: before anything that we see
  Instant left{};                  // where role is kLeft
  std::optional<Segment> current;  // the newest
  bool settled = false;            // sampled well enough for its rate to be believed
};

class Estimate {
 public:
  Estimate(const std::vector<Track>& tracks, std::span<const ReplicaView> replicas, Instant now,
           const EstimateOptions& options)
      : tracks_(tracks), replicas_(replicas), now_(now), options_(options) {
    for (const Track& track : tracks_) {
      names_match_ = names_match_ || track.view != nullptr;
      if (!track.segments.empty()) earliest_ = std::min(earliest_, track.segments.front().begin);
    }
  }

  // All replicas as they stood at `at`, judged by samples up to then.
  std::vector<Member> MembersAt(Instant at) const;
  // The pool's total at `at`, of the members as they stood then.
  double TotalAt(Instant at, const std::vector<Member>& members) const {
    return TotalAt(at, members, kFloorDepth);
  }

 private:
  double TotalAt(Instant at, const std::vector<Member>& members, int depth) const;
  Member FromTrack(const Track& track, Instant at) const;
  void SetRole(Member& member, Instant at) const;
  double Contribution(const std::vector<Member>& members, const Member& member) const;
  double MovedFrom(const std::vector<Member>& members, const Member& joiner) const;
  double MovedTo(const std::vector<Member>& members, Instant left) const;
  bool Unseen(const Member& member, Instant at) const;
  double CurrentRateOfLeaver(const Member& member) const;

  const std::vector<Track>& tracks_;
  std::span<const ReplicaView> replicas_;
  Instant now_;
  const EstimateOptions& options_;
  bool names_match_ = false;
  Instant earliest_ = Instant::max();  // that any segment begins
};

Member Estimate::FromTrack(const Track& track, Instant at) const {
  Member member;
  member.track = &track;
  member.view = track.view;
  const auto past = std::upper_bound(track.segments.begin(), track.segments.end(), at,
                                     [](Instant t, const Segment& one) { return t < one.end; });
  auto count = static_cast<std::size_t>(past - track.segments.begin());
  member.settled = count > (track.short_start ? 1U : 0U);
  member.current = Newest(track, count, options_.scrape_interval / 2);
  if (member.view != nullptr && member.view->ready_at) {
    member.joined = *member.view->ready_at;
  } else if (member.view == nullptr &&
             track.first > now_ - options_.window + options_.scrape_interval * 3 / 2) {
    member.joined = track.first - options_.scrape_interval;
  }
  return member;
}

void Estimate::SetRole(Member& member, Instant at) const {
  const ReplicaView* view = member.view;
  const Track* track = member.track;
  if (track != nullptr && track->first > at) {
    member.current.reset();
  }
  if (view != nullptr) {
    const bool leaving = view->phase == Phase::kDraining || view->phase == Phase::kFailed;
    if (leaving && view->since <= at) {
      member.role = Role::kLeft;
      member.left = view->since;
    } else {
      const bool serves = leaving || view->phase == Phase::kReady;
      member.role = serves || track != nullptr ? Role::kServing : Role::kAbsent;
    }
  } else {
    // Unknown to the fleet. Where its names are ours, it has gone; where it has none, it is a
    // replica for as long as it is scraped.
    const Instant due = track->last + options_.scrape_interval;
    const bool gone = names_match_ || at > due + options_.scrape_interval / 2;
    member.role = gone ? Role::kLeft : Role::kServing;
    member.left = std::min(at, due);
  }
  const bool silent = member.current && at - member.current->end > options_.stale_after;
  if (member.role == Role::kServing && silent) {
    member.role = Role::kAbsent;
  }
}

std::vector<Member> Estimate::MembersAt(Instant at) const {
  std::vector<Member> members;
  members.reserve(tracks_.size() + replicas_.size());
  std::vector<bool> tracked(replicas_.size(), false);
  for (const Track& track : tracks_) {
    members.push_back(FromTrack(track, at));
    if (track.view != nullptr) {
      tracked[static_cast<std::size_t>(track.view - replicas_.data())] = true;
    }
  }
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (!tracked[i]) {
      Member member;
      member.view = &replicas_[i];
      member.joined = member.view->ready_at.value_or(kEver);
      members.push_back(member);
    }
  }
  for (Member& member : members) {
    SetRole(member, at);
  }
  return members;
}

// Whether the replica serves, became ready lately, and hasn't shown its rate yet.
bool Estimate::Unseen(const Member& member, Instant at) const {
  const bool ready = member.view != nullptr && member.view->ready_at.has_value();
  return member.role == Role::kServing && !member.settled && ready && member.joined <= at &&
         at - member.joined <= options_.scrape_interval * 3 / 2;
}

double WeightedShare(const std::vector<std::pair<double, double>>& share_and_weight) {
  double sum = 0;
  double weights = 0;
  double plain = 0;
  for (const auto& [share, weight] : share_and_weight) {
    sum += share * weight;
    weights += weight;
    plain += share;
  }
  return weights > 0 ? sum / weights : plain / static_cast<double>(share_and_weight.size());
}

// Which part of the load that moved to `joiner` its peers no longer count. A peer that has left
// since still counts, fading out, the load that it had before; what it gave to the joiner is in it
// unless that last segment lies after the join.
double Estimate::MovedFrom(const std::vector<Member>& members, const Member& joiner) const {
  if (joiner.joined <= earliest_) return 1;  // every segment lies after it
  std::vector<std::pair<double, double>> givers;
  for (const Member& member : members) {
    if (!member.current || member.joined >= joiner.joined) {
      continue;
    }
    const Member before = FromTrack(*member.track, joiner.joined);
    const double weight = before.current ? before.current->rate : member.current->rate;
    if (member.role == Role::kServing) {
      givers.emplace_back(After(*member.current, joiner.joined), weight);
    } else if (member.role == Role::kLeft && member.left > joiner.joined) {
      const Member last = FromTrack(*member.track, member.left);
      const double seen = last.current ? After(*last.current, joiner.joined) : 1;
      givers.emplace_back(1 - (1 - seen) * (1 - MovedTo(members, member.left)) / 2, weight);
    }
  }
  return givers.empty() ? 1 : WeightedShare(givers);
}

// Which part of the load of a replica that left at `left` its peers' segments show.
double Estimate::MovedTo(const std::vector<Member>& members, Instant left) const {
  std::vector<std::pair<double, double>> takers;
  for (const Member& member : members) {
    if (member.role != Role::kServing || member.joined > left) {
      continue;
    }
    takers.emplace_back(member.current ? After(*member.current, left) : 0, 1);
  }
  if (takers.empty()) {  // everything was replaced
    for (const Member& member : members) {
      if (member.role == Role::kServing) {
        takers.emplace_back(member.current ? 1 : 0, 1);
      }
    }
  }
  return takers.empty() ? 0 : WeightedShare(takers);
}

// What a replica that left still does, by a segment that lies wholly after.
double Estimate::CurrentRateOfLeaver(const Member& member) const {
  const bool fresh =
      member.view != nullptr && member.current && member.current->begin >= member.left;
  return fresh ? member.current->rate : 0;
}

double Estimate::Contribution(const std::vector<Member>& members, const Member& member) const {
  if (member.role == Role::kServing && member.current) {
    const double part = member.joined == kEver ? 1 : MovedFrom(members, member);
    return member.current->rate * part;
  }
  if (member.role != Role::kLeft || member.track == nullptr) {
    return 0;
  }
  const Member before = FromTrack(*member.track, member.left);
  double rate = 0;
  if (before.current) {
    rate = before.current->rate;
  } else if (member.current) {  // its first segment straddles the leave, or came after it
    rate = member.current->rate;
  }
  const double moved = MovedTo(members, member.left);
  return rate * (1 - moved) + CurrentRateOfLeaver(member) * moved;
}

double Estimate::TotalAt(Instant at, const std::vector<Member>& members, int depth) const {
  double total = 0;
  Instant unseen_since = at;
  bool unseen = false;
  for (const Member& member : members) {
    total += Contribution(members, member);
    if (Unseen(member, at)) {
      unseen = true;
      unseen_since = std::min(unseen_since, member.joined);
    }
  }
  if (unseen && depth > 0 && unseen_since < at && unseen_since >= now_ - options_.window) {
    total = std::max(total, TotalAt(unseen_since, MembersAt(unseen_since), depth - 1));
  }
  return total;
}

struct Coverage {
  int reporting = 0;    // replicas that contribute
  int expected = 0;     // ready for long enough to have been scraped twice
  std::string missing;  // one of the expected that don't contribute
  int missing_count = 0;
};

Coverage Cover(const std::vector<Member>& members, Instant now, const EstimateOptions& options) {
  Coverage cover;
  for (const Member& member : members) {
    const bool reports = member.role == Role::kServing && member.current;
    cover.reporting += reports ? 1 : 0;
    if (member.view == nullptr || member.view->phase != Phase::kReady) {
      continue;
    }
    const Instant ready = member.view->ready_at.value_or(member.view->since);
    if (now - ready <= options.scrape_interval * 3 / 2) {
      continue;
    }
    ++cover.expected;
    if (!reports) {
      ++cover.missing_count;
      cover.missing =
          cover.missing.empty() ? member.view->name : std::min(cover.missing, member.view->name);
    }
  }
  return cover;
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

Reading FromTracks(Instant now, const std::vector<Track>& tracks,
                   std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  Reading reading = Judge(now, tracks, options);
  const Estimate estimate(tracks, replicas, now, options);
  const std::vector<Member> members = estimate.MembersAt(now);
  const Coverage cover = Cover(members, now, options);
  reading.series = cover.reporting;
  reading.expected = cover.expected;
  if (reading.quality != Quality::kOk) {
    return reading;
  }
  const double total = estimate.TotalAt(now, members);
  if (!std::isfinite(total)) {
    reading.quality = Quality::kNaN;
    reading.detail = "the samples add up to more than a number can hold";
    return reading;
  }
  reading.value = std::max(0.0, total);
  if (cover.missing_count > 0) {
    reading.quality = Quality::kPartial;
    reading.detail = std::to_string(cover.missing_count) + " of " + std::to_string(cover.expected) +
                     " ready replicas have no recent samples (" + cover.missing + ")";
  } else if (cover.reporting == 0) {
    reading.quality = Quality::kPartial;
    reading.detail = "no serving replica has enough samples yet";
  }
  return reading;
}

}  // namespace

Reading EstimateRate(Instant now, std::span<const SampleSeries> series,
                     std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  return FromTracks(now, CounterTracks(now, series, replicas, options).tracks, replicas, options);
}

Reading EstimateGauge(Instant now, std::span<const SampleSeries> series,
                      std::span<const ReplicaView> replicas, const EstimateOptions& options) {
  return FromTracks(now, GaugeTracks(now, series, replicas, options).tracks, replicas, options);
}

}  // namespace tidegate::signals
