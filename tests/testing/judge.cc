// From outside a replica is
//   available  when the front says UP;
//   draining   when the front said MAINT, or dropped it after it had been UP, and its process
//   lives; starting   when its process lives and the front never said UP;
// and live is starting + available. "Declared" starts at the manifest's
// replicaCount, rises with desired at once, and on a shrink follows the available replicas down:
// that is what the pool has been told to be.

#include "tests/testing/judge.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace tidegate::testing {
namespace {

struct Range {
  Replicas low = 0;
  Replicas high = 0;
};

// What desired was at some time within the slack before `at`.
Range DesiredAround(const std::vector<DesiredAt>& desired, Instant at,
                    const JudgeOptions& options) {
  std::optional<Range> range;
  Replicas before = options.declared;
  for (const DesiredAt& entry : desired) {
    if (entry.at > at + options.slack) break;
    if (entry.at < at - options.slack) {
      before = entry.desired;
      continue;
    }
    if (!range) range = Range{before, before};
    range->low = std::min(range->low, entry.desired);
    range->high = std::max(range->high, entry.desired);
  }
  return range.value_or(Range{before, before});
}

class Bench {
 public:
  Bench(const std::vector<DesiredAt>& desired, const JudgeOptions& options)
      : desired_(desired), options_(options), declared_(options.declared) {}

  void Look(const PoolSight& sight) {
    if (!first_) first_ = sight.at;
    const std::set<std::string> started = Started(sight);
    const std::set<std::string> drained = Sort(sight);
    const auto available = static_cast<Replicas>(available_.size());
    const auto live = static_cast<Replicas>(available_.size() + starting_.size());
    const Range around = DesiredAround(desired_, sight.at, options_);
    declared_ = std::max(around.high, std::min(declared_, available));
    result_.starts += static_cast<int>(started.size());
    result_.drains += static_cast<int>(drained.size());
    CheckStarts(sight, started, live, around);
    CheckDrains(sight, drained, available, around);
    Remember(sight, available, live);
  }

  Judgement Result() const { return result_; }

 private:
  std::set<std::string> Started(const PoolSight& sight) {
    std::set<std::string> started;
    for (const auto& [replica, pid] : sight.processes) {
      if (seen_.insert(replica).second) started.insert(replica);
    }
    return started;
  }

  // Sorts the replicas into starting and available; returns those that began to drain.
  std::set<std::string> Sort(const PoolSight& sight) {
    std::set<std::string> drained;
    const std::set<std::string> before = std::exchange(available_, {});
    starting_.clear();
    for (const auto& [replica, server] : sight.front) {
      if (server.status.starts_with("DOWN")) died_.insert(replica);
      if (server.status.starts_with("UP")) {
        available_.insert(replica);
        was_up_.insert(replica);
      }
    }
    for (const auto& [replica, pid] : sight.processes) {
      const auto server = sight.front.find(replica);
      const bool maint = server != sight.front.end() && server->second.status.starts_with("MAINT");
      const bool dropped = server == sight.front.end();
      const bool was_up = was_up_.contains(replica);
      if (!was_up && !maint) starting_.insert(replica);
      if (was_up && (maint || dropped)) Drain(sight, replica, drained);
    }
    for (const std::string& replica : before) {
      const bool gone = !sight.front.contains(replica) && !sight.processes.contains(replica);
      if (gone && !died_.contains(replica)) drained.insert(replica);
    }
    return drained;
  }

  void Drain(const PoolSight& sight, const std::string& replica, std::set<std::string>& drained) {
    const auto server = sight.front.find(replica);
    const auto [entry, fresh] = draining_.try_emplace(
        replica, Draining{sight.at, server == sight.front.end() ? -1 : server->second.sessions});
    if (fresh) {
      drained.insert(replica);
      return;
    }
    if (server != sight.front.end() && entry->second.sessions >= 0 &&
        server->second.sessions > entry->second.sessions) {
      Breach(sight, fmt::format("B5: {} got {} new sessions while draining", replica,
                                server->second.sessions - entry->second.sessions));
      entry->second.sessions = server->second.sessions;
    }
    if (!entry->second.late &&
        sight.at - entry->second.since > options_.drain_deadline + options_.slack) {
      entry->second.late = true;
      Breach(sight, fmt::format("B5: {} still runs {} after its drain began", replica,
                                FormatDuration(sight.at - entry->second.since)));
    }
  }

  void CheckStarts(const PoolSight& sight, const std::set<std::string>& started, Replicas live,
                   const Range& around) {
    if (started.empty()) return;
    const Replicas size = std::max(declared_, around.high);
    const Replicas limit = size + rollout::Resolve(options_.budget, size).surge;
    if (live <= limit) return;
    Breach(sight, fmt::format("B1: {} live of at most {} (declared {}, desired {})", live, limit,
                              declared_, around.high));
  }

  void CheckDrains(const PoolSight& sight, const std::set<std::string>& drained, Replicas available,
                   const Range& around) {
    if (drained.empty()) return;
    const Replicas floor = around.low - rollout::Resolve(options_.budget, around.low).unavailable;
    if (available >= floor) return;
    Breach(sight, fmt::format("B2: a drain left {} available of at least {} (desired {})",
                              available, floor, around.low));
  }

  void Remember(const PoolSight& sight, Replicas available, Replicas live) {
    result_.highest_live = std::max(result_.highest_live, live);
    result_.highest_available = std::max(result_.highest_available, available);
    if (!settled_ && available < options_.declared) return;
    result_.lowest_available = settled_ ? std::min(result_.lowest_available, available) : available;
    if (!settled_ || available != result_.last_available) {
      result_.path.push_back(fmt::format("+{:.1f} s {}", Seconds(sight.at - *first_), available));
    }
    result_.last_available = available;
    settled_ = true;
  }

  void Breach(const PoolSight& sight, const std::string& text) {
    if (result_.breaches.size() < 100)
      result_.breaches.push_back(FormatInstant(sight.at) + " " + text);
  }

  struct Draining {
    Instant since{};
    std::int64_t sessions = -1;  // when it began; -1: not known
    bool late = false;
  };

  const std::vector<DesiredAt>& desired_;
  const JudgeOptions& options_;
  Judgement result_;
  std::optional<Instant> first_;
  std::set<std::string> seen_, was_up_, died_, available_, starting_;
  std::map<std::string, Draining> draining_;
  Replicas declared_ = 0;
  bool settled_ = false;
};

}  // namespace

Judgement Judge(const std::vector<PoolSight>& sights, const std::vector<DesiredAt>& desired,
                const JudgeOptions& options) {
  Bench bench(desired, options);
  for (const PoolSight& sight : sights) bench.Look(sight);
  return bench.Result();
}

}  // namespace tidegate::testing
