#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policies/signals/estimator.h"
#include "policies/signals/track.h"

namespace tidegate::signals {

enum class Role {
  kServing,
  kLeft,
  kAbsent,  // not part of the pool at that time, or too long silent to count
};

// One replica, with or without samples, as it stood at some time.
struct Member {
  const Track* track = nullptr;  // null: never sampled
  const ReplicaView* view = nullptr;
  Role role = Role::kAbsent;
  Instant joined = Instant::min();  // min(): before anything that we see
  Instant left{};                   // where role is kLeft
  std::optional<Segment> current;   // the newest since it was ready
  bool settled = false;             // sampled well enough for its rate to be believed
  bool reset = false;               // a counter was reset in `current`
};

// What is not known of a total that it would take to call it ok.
enum class Gap {
  kNone,
  kMissing,   // a replica that has been ready for long gives no recent samples
  kReset,     // a counter was reset, and what it had counted since the last sample is lost
  kNobody,    // none of the replicas that serve or served has a rate
  kLeaver,    // one left whose load was not known, and its peers have not been scraped since
  kOldPeers,  // some left, and one that serves has not been scraped since
  kBefore,    // young replicas are unseen, and what it was before they came is not known either
};

struct Total {
  double value = 0;
  Gap gap = Gap::kNone;
};

// A pool's load, added up from the tracks of its replicas by the method that estimator.cc
// describes, at the time of the estimate or earlier.
class PoolTotal {
 public:
  // All arguments must outlive this object.
  PoolTotal(const Tracks& tracks, std::span<const ReplicaView> replicas, Instant now,
            const EstimateOptions& options);

  // All replicas as they stood at `at`, judged by samples up to then.
  std::vector<Member> MembersAt(Instant at) const;
  // The pool's total at `at`, of the members as they stood then.
  Total At(Instant at, const std::vector<Member>& members) const;
  // Whether the replica ought to have shown its rate by `at`: it has been ready for 1.5 intervals.
  bool Expected(const Member& member, Instant at) const;

 private:
  // What one replica adds to the total.
  struct Share {
    double value = 0;
    bool known = true;
  };

  Total At(Instant at, const std::vector<Member>& members, int depth) const;
  Member FromTrack(const Track& track, Instant at) const;
  void SetRole(Member& member, Instant at) const;
  Share ShareOf(const std::vector<Member>& members, const Member& member) const;
  Share ShareOfLeaver(const std::vector<Member>& members, const Member& member) const;
  double MovedFrom(const std::vector<Member>& members, const Member& joiner) const;
  double MovedTo(const std::vector<Member>& members, Instant left) const;
  bool Unseen(const Member& member, Instant at) const;
  Gap GapAt(Instant at, const std::vector<Member>& members) const;
  double WithoutTwice(double total, double held, const Segment& last, int depth) const;
  bool KnewAllAt(Instant at, const std::vector<Member>& members) const;
  double CurrentRateOfLeaver(const Member& member) const;

  const std::vector<Track>& tracks_;
  std::span<const ReplicaView> replicas_;
  Instant now_;
  const EstimateOptions& options_;
  bool known_;                         // one without a view is gone
  Instant earliest_ = Instant::max();  // that any segment begins
};

}  // namespace tidegate::signals
