#include "policies/signals/pool_total.h"

#include <algorithm>
#include <utility>

namespace tidegate::signals {
namespace {

// How often "what it was before" may refer further back; each step is a wave of joins that was
// unseen when the next one came.
constexpr int kFloorDepth = 4;

constexpr Instant kEver = Instant::min();

// The newest of the first `count` segments, joined with older ones until they span `least`; of none
// that ends at or before `since`.
std::optional<Segment> Newest(const Track& track, std::size_t count, Instant since,
                              Duration least) {
  if (count == 0 || track.segments[count - 1].end <= since) {
    return std::nullopt;
  }
  Segment joined = track.segments[count - 1];
  double amount = joined.rate * Seconds(joined.end - joined.begin);
  const bool gauge = joined.begin == joined.end;
  for (std::size_t i = count - 1; !gauge && i > 0 && joined.end - joined.begin < least; --i) {
    const Segment& previous = track.segments[i - 1];
    if (previous.end <= since) break;
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

// What a replica did until it left at `left`, by the segment in which it did; nothing came after. A
// stretch of less than `least` says little and is taken for that long.
std::optional<double> Across(const Track& track, Instant left, Duration least) {
  for (const Segment& segment : track.segments) {
    if (segment.end <= left || segment.begin > left) continue;
    if (segment.begin == left) break;
    const double amount = segment.rate * Seconds(segment.end - segment.begin);
    return amount / Seconds(std::max(left - segment.begin, least));
  }
  return std::nullopt;
}

Segment Earlier(const Segment& a, const Segment& b) {
  return {std::min(a.begin, b.begin), std::min(a.end, b.end)};
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

}  // namespace

PoolTotal::PoolTotal(const Tracks& tracks, std::span<const ReplicaView> replicas, Instant now,
                     const EstimateOptions& options)
    : tracks_(tracks.tracks),
      replicas_(replicas),
      now_(now),
      options_(options),
      known_(tracks.known) {
  for (const Track& track : tracks_) {
    if (!track.segments.empty()) earliest_ = std::min(earliest_, track.segments.front().begin);
  }
}

Member PoolTotal::FromTrack(const Track& track, Instant at) const {
  Member member;
  member.track = &track;
  member.view = track.view;
  const auto past = std::upper_bound(track.segments.begin(), track.segments.end(), at,
                                     [](Instant t, const Segment& one) { return t < one.end; });
  auto count = static_cast<std::size_t>(past - track.segments.begin());
  // What it did before it was ready says nothing about its load.
  Instant since = kEver;
  if (member.view != nullptr && member.view->ready_at) {
    member.joined = since = *member.view->ready_at;
  } else if (member.view == nullptr &&
             track.first > now_ - options_.window + options_.scrape_interval * 3 / 2) {
    member.joined = track.first - options_.scrape_interval;
  }
  member.current = Newest(track, count, since, options_.scrape_interval / 2);
  member.reset = member.current && member.current->begin < track.reset_at &&
                 track.reset_at <= member.current->end;
  member.settled = member.current && track.segments[count - 1].end > track.short_until;
  return member;
}

void PoolTotal::SetRole(Member& member, Instant at) const {
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
    const bool gone = known_ || at > due + options_.scrape_interval / 2;
    member.role = gone ? Role::kLeft : Role::kServing;
    member.left = std::min(at, due);
  }
  const bool silent = member.current && at - member.current->end > options_.stale_after;
  if (member.role == Role::kServing && silent) {
    member.role = Role::kAbsent;
  }
}

std::vector<Member> PoolTotal::MembersAt(Instant at) const {
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
bool PoolTotal::Unseen(const Member& member, Instant at) const {
  const bool ready = member.view != nullptr && member.view->ready_at.has_value();
  return member.role == Role::kServing && !member.settled && ready && member.joined <= at &&
         at - member.joined <= options_.scrape_interval * 3 / 2;
}

// Which part of the load that moved to `joiner` its peers no longer count. A peer that has left
// since still counts, fading out, the load that it had before; what it gave to the joiner is in it
// unless that last segment lies after the join.
double PoolTotal::MovedFrom(const std::vector<Member>& members, const Member& joiner) const {
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
double PoolTotal::MovedTo(const std::vector<Member>& members, Instant left) const {
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
double PoolTotal::CurrentRateOfLeaver(const Member& member) const {
  const bool fresh =
      member.view != nullptr && member.current && member.current->begin >= member.left;
  return fresh ? member.current->rate : 0;
}

PoolTotal::Share PoolTotal::ShareOf(const std::vector<Member>& members,
                                    const Member& member) const {
  if (member.role == Role::kLeft) return ShareOfLeaver(members, member);
  if (member.role != Role::kServing || !member.current) return {};
  const double part = member.joined == kEver ? 1 : MovedFrom(members, member);
  return {member.current->rate * part};
}

PoolTotal::Share PoolTotal::ShareOfLeaver(const std::vector<Member>& members,
                                          const Member& member) const {
  const bool served = member.view == nullptr || member.view->ready_at.has_value();
  if (!served) return {};
  const double moved = MovedTo(members, member.left);
  if (member.track == nullptr) return {0, moved >= 1};
  const Member before = FromTrack(*member.track, member.left);
  double rate = 0;
  bool known = true;
  if (before.current) {
    rate = before.current->rate;
    known = !before.reset && member.left - before.current->end <= options_.stale_after;
  } else if (const auto across = Across(*member.track, member.left, options_.scrape_interval / 3)) {
    rate = *across;
  } else {
    known = false;
  }
  // Its peers' segments lack what it did between its join and its leave.
  const double joined = member.joined == kEver ? 1 : MovedFrom(members, member);
  const double held = rate * std::max(0.0, joined - moved);
  return {held + CurrentRateOfLeaver(member) * moved, known || moved >= 1};
}

bool PoolTotal::Expected(const Member& member, Instant at) const {
  const ReplicaView* view = member.view;
  if (view == nullptr || view->phase == Phase::kStarting) return false;
  if (view->phase != Phase::kReady && view->since <= at) return false;
  return at - view->ready_at.value_or(view->since) > options_.scrape_interval * 3 / 2;
}

// Older times than the samples reach are not judged: a sample that aged out is not a lost one.
Gap PoolTotal::GapAt(Instant at, const std::vector<Member>& members) const {
  if (at < now_ - options_.window + options_.stale_after) return Gap::kNone;
  bool anybody = false;
  bool vanished = false;
  bool old = false;
  bool reset = false;
  for (const Member& member : members) {
    const bool shows = member.role == Role::kServing && member.settled;
    if (!shows && Expected(member, at)) return Gap::kMissing;
    reset = reset || (shows && member.reset);
    anybody = anybody || shows || (member.role == Role::kLeft && member.current);
    vanished = vanished || (member.role == Role::kLeft && member.view == nullptr);
    old = old || (shows && at - member.current->end > options_.scrape_interval * 3 / 2);
  }
  if (!anybody) return Gap::kNobody;
  if (reset) return Gap::kReset;
  // When those that vanished left is not known, only that their load shows in the next samples.
  return vanished && old ? Gap::kOldPeers : Gap::kNone;
}

// Whether all that served at `at` show their rates as of then.
bool PoolTotal::KnewAllAt(Instant at, const std::vector<Member>& members) const {
  return std::ranges::all_of(members, [&](const Member& member) {
    const bool served = member.role == Role::kServing || member.role == Role::kLeft;
    return !served || member.joined > at || (member.track != nullptr && member.current);
  });
}

// The total, of which `held` is counted for replicas that vanished untold, as if each had served
// until it was due to be scraped again. If its load had moved before, it is counted twice; what the
// pool did when all of them served bounds the total. They surely did when their last segments
// began; where the samples do not reach back so far, when those ended is nearly as good.
double PoolTotal::WithoutTwice(double total, double held, const Segment& last, int depth) const {
  if (held <= 0 || depth <= 0) return total;
  for (const Instant served : {last.begin, last.end}) {
    const std::vector<Member> members = MembersAt(served);
    if (!KnewAllAt(served, members)) continue;
    return std::max(total - held, std::min(total, At(served, members, depth - 1).value));
  }
  return total;
}

Total PoolTotal::At(Instant at, const std::vector<Member>& members, int depth) const {
  Total total{0, GapAt(at, members)};
  double held = 0;
  Segment last{at, at};  // the earliest of those that `held` is of
  Instant unseen_since = at;
  bool unseen = false;
  for (const Member& member : members) {
    const Share share = ShareOf(members, member);
    total.value += share.value;
    if (!share.known && total.gap == Gap::kNone) total.gap = Gap::kLeaver;
    if (member.role == Role::kLeft && member.view == nullptr && member.current) {
      held += share.value;
      if (share.value > 0) last = Earlier(last, *member.current);
    }
    if (Unseen(member, at)) {
      unseen = true;
      unseen_since = std::min(unseen_since, member.joined);
    }
  }
  total.value = WithoutTwice(total.value, held, last, depth);
  if (unseen && depth > 0 && unseen_since < at && unseen_since >= now_ - options_.window) {
    const Total before = At(unseen_since, MembersAt(unseen_since), depth - 1);
    total.value = std::max(total.value, before.value);
    if (total.gap == Gap::kNone && before.gap != Gap::kNone) total.gap = Gap::kBefore;
  }
  return total;
}

Total PoolTotal::At(Instant at, const std::vector<Member>& members) const {
  return At(at, members, kFloorDepth);
}

}  // namespace tidegate::signals
