#include "sim/report/lag_free.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>

#include "sim/report/deadline_queue.h"
#include "sim/report/worst_minute.h"

namespace tidegate::sim {
namespace {

// So many replicas, at this second.
struct Change {
  std::int64_t at;
  Replicas count;
};

class Follower {
 public:
  explicit Follower(const LagFreePool& pool)
      : pool_(pool),
        startup_(static_cast<std::int64_t>(std::ceil(Seconds(pool.startup)))),
        drain_(static_cast<std::int64_t>(std::ceil(Seconds(pool.drain)))),
        ready_(pool.initial) {}

  Replicas ready() const { return ready_; }
  Replicas paid() const { return ready_ + starting_ + draining_; }
  int moves() const { return moves_; }

  void Turn(std::int64_t now) {
    for (; !starts_.empty() && starts_.front().at <= now; starts_.pop_front()) {
      ready_ += starts_.front().count;
      starting_ -= starts_.front().count;
    }
    for (; !drains_.empty() && drains_.front().at <= now; drains_.pop_front())
      draining_ -= drains_.front().count;
  }

  void Want(std::int64_t now, Replicas wanted) {
    const Replicas live = ready_ + starting_;
    if (wanted > live) {
      const auto wave = std::max<Replicas>(1, static_cast<Replicas>(pool_.surge * ready_));
      const Replicas count = std::min(wanted - live, wave - starting_);
      if (count <= 0) return;
      starts_.push_back({now + startup_, count});
      starting_ += count;
      moves_ += count;
    } else if (wanted < live) {
      const Replicas count = std::min(live - wanted, ready_ - 1);
      if (count <= 0) return;
      drains_.push_back({now + drain_, count});
      ready_ -= count;
      draining_ += count;
      moves_ += count;
    }
  }

 private:
  const LagFreePool& pool_;
  std::int64_t startup_, drain_;
  Replicas ready_, starting_ = 0, draining_ = 0;
  int moves_ = 0;
  std::deque<Change> starts_, drains_;
};

// The most that was wanted within so many seconds.
class Held {
 public:
  explicit Held(std::int64_t length) : length_(length) {}

  Replicas Want(std::int64_t now, Replicas wanted) {
    while (!wanted_.empty() && wanted_.back().count <= wanted) wanted_.pop_back();
    wanted_.push_back({now, wanted});
    while (wanted_.front().at <= now - length_) wanted_.pop_front();
    return wanted_.front().count;
  }

 private:
  std::int64_t length_;
  std::deque<Change> wanted_;  // falling
};

}  // namespace

LagFreeRun FollowWithoutLag(const traces::Trace& trace, const LagFreePool& pool, double headroom,
                            Duration held_for) {
  const auto end = static_cast<std::int64_t>(Seconds(pool.end));
  const auto counted = static_cast<std::int64_t>(std::ceil(Seconds(pool.counted_from)));
  Follower follower(pool);
  const Duration least = std::max(Duration(1'000), pool.startup + pool.drain);
  Held held(static_cast<std::int64_t>(Seconds(std::max(least, held_for))));
  DeadlineQueue queue(Seconds(pool.wait));
  LagFreeRun run;
  WorstMinute minutes;
  minutes.Look(Instant(std::chrono::seconds(counted)), 0, 0);
  double arrived = 0;
  for (std::int64_t now = 0; now < end; ++now) {
    const Rate rate = traces::RateAt(trace, std::chrono::seconds(now));
    follower.Turn(now);
    const Duration seen_at = std::max(Duration(0), std::chrono::seconds(now) - pool.seen_late);
    const double needed = std::ceil(headroom * traces::RateAt(trace, seen_at) / pool.capacity);
    follower.Want(now, held.Want(now, static_cast<Replicas>(std::clamp(needed, 1.0, 1e6))));
    if (now >= counted) {
      const Rate served = follower.ready() * pool.capacity;
      arrived += rate;
      queue.Advance(1, rate, served);
      minutes.Look(Instant(std::chrono::seconds(now + 1)), arrived, queue.missed());
      if (rate > served) run.short_seconds += 1;
    }
    run.replica_seconds += follower.paid();
  }
  if (arrived > 0) run.bad_fraction = queue.missed() / arrived;
  run.worst_minute = minutes.share();
  run.moves = follower.moves();
  return run;
}

}  // namespace tidegate::sim
