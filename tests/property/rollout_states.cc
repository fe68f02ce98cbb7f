#include "tests/property/rollout_states.h"

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/signals/snapshot.h"
#include "sim/checks/budget_check.h"

namespace tidegate::testing {
namespace {

using rollout::Pending;
using rollout::Step;
using rollout::StepKind;
using signals::Phase;
using signals::ReplicaView;

constexpr Duration kMoment{1};        // between two transitions
constexpr Duration kRepeat{3'001};    // after which the planner repeats an unseen request
constexpr int kRoundsToSettle = 200;  // of the fair schedule

// Everything there is at one instant: the truth, what is on its way, what the planner remembers,
// and the account of the checker.
struct Node {
  Instant now = FromUnixMillis(1'000'000'000'000);
  int faults_left = 0;
  std::vector<ReplicaView> replicas;  // sorted by name
  std::vector<ReplicaView> shown;     // as the last observation has them
  std::vector<Step> on_the_way;
  std::vector<std::string> gone;  // names that were used; no fleet starts one of them again
  rollout::State state;
  sim::BudgetCheck check;
};

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15U;
  return hash ^ (hash >> 29U);
}

std::uint64_t Code(const std::optional<Phase>& phase) {
  return phase ? static_cast<std::uint64_t>(*phase) + 1 : 0;
}

class Explorer {
 public:
  explicit Explorer(const SmallPool& pool)
      : pool_(pool), target_{pool.desired, pool.new_revision ? "b" : "a"} {}

  Exploration Run() {
    Push(First());
    while (!open_.empty() && found_.breach.empty()) {
      const Node node = std::move(open_.back());
      open_.pop_back();
      CheckSettles(node);
      Expand(node);
    }
    found_.states = visited_.size();
    return found_;
  }

 private:
  struct Target {
    Replicas desired = 0;
    Revision revision;
  };

  sim::BudgetPromise Promise() const {
    return {pool_.options.budget.surge,
            pool_.options.budget.unavailable,
            pool_.options.up == rollout::Pace::kRolling,
            pool_.options.down == rollout::Pace::kRolling,
            pool_.options.progress_deadline,
            std::nullopt};
  }

  // A pool that has settled and was observed so.
  Node First() const {
    Node node{.faults_left = pool_.faults,
              .replicas = {},
              .shown = {},
              .on_the_way = {},
              .gone = {},
              .state = {},
              .check = sim::BudgetCheck(Promise())};
    for (Replicas i = 1; i <= pool_.from; ++i) {
      node.replicas.push_back(
          {fmt::format("p-a-{}", i), "a", Phase::kReady, node.now, node.now, node.now});
    }
    return Tick(Observed(node), {pool_.from, "a"});
  }

  // A state that was not seen before is kept for its turn.
  void Push(Node node) {
    ++found_.transitions;
    if (!node.check.breaches().empty()) {
      Blame(node, node.check.breaches()[0].rule + " " + node.check.breaches()[0].what);
    }
    if (visited_.insert(Key(node)).second) open_.push_back(std::move(node));
  }

  void Blame(const Node& node, const std::string& what) {
    if (!found_.breach.empty()) return;
    found_.breach = fmt::format(
        "{} -> {} {}, surge {}, unavailable {}, quota {}: {}\n  replicas:", pool_.from,
        pool_.desired, target_.revision, ToString(pool_.options.budget.surge),
        ToString(pool_.options.budget.unavailable), pool_.options.quota.value_or(-1), what);
    for (const ReplicaView& view : node.replicas) {
      found_.breach += fmt::format(" {} {};", view.name, Name(view.phase));
    }
    found_.breach += "\n  on the way:";
    for (const Step& step : node.on_the_way) {
      found_.breach += fmt::format(" {} {};", Name(step.kind), step.replica);
    }
  }

  Node Later(const Node& node, Duration time = kMoment) const {
    Node next = node;
    next.now += time;
    return next;
  }

  static Node Observed(Node node) {
    node.shown = node.replicas;
    return node;
  }

  // The planner plans for what was observed and its requests are on their way.
  Node Tick(const Node& node, const Target& target, std::string* deadlock = nullptr) const {
    Node next = Later(node);
    next.check.Observe(next.now, target.revision, target.desired, pool_.options.quota, next.shown);
    const rollout::Input input{next.now, {"n", "p"}, target.desired, target.revision, next.shown};
    rollout::Planned planned = MakeMutatedPlan(pool_.mutation, input, pool_.options, next.state);
    for (const Step& step : planned.plan.steps) {
      next.check.Request(next.now, step);
      const bool asked = std::ranges::any_of(next.on_the_way, [&](const Step& other) {
        return other.replica == step.replica && other.kind == step.kind;
      });
      if (!asked) next.on_the_way.push_back(step);
    }
    next.state = std::move(planned.state);
    if (deadlock != nullptr && planned.plan.steps.empty()) {
      *deadlock = planned.plan.foresight.deadlock;
    }
    return next;
  }

  Node Take(const Node& node, std::size_t index) const {
    Node next = Later(node);
    const Step step = next.on_the_way[index];
    next.on_the_way.erase(next.on_the_way.begin() + static_cast<std::ptrdiff_t>(index));
    const auto at = std::ranges::lower_bound(next.replicas, step.replica, {}, &ReplicaView::name);
    const bool exists = at != next.replicas.end() && at->name == step.replica;
    if (step.kind == StepKind::kStart) {
      if (exists || std::ranges::count(next.gone, step.replica) > 0) return next;
      next.replicas.insert(
          at, {step.replica, step.revision, Phase::kStarting, next.now, next.now, std::nullopt});
      next.check.Entered(next.now, step.replica, Phase::kStarting);
    } else if (exists && at->phase != Phase::kDraining) {
      Enter(next, static_cast<std::size_t>(at - next.replicas.begin()), Phase::kDraining);
    }
    return next;
  }

  static void Enter(Node& node, std::size_t index, Phase phase) {
    ReplicaView& view = node.replicas[index];
    view.phase = phase;
    view.since = node.now;
    if (phase == Phase::kReady && !view.ready_at) view.ready_at = node.now;
    node.check.Entered(node.now, view.name, phase);
  }

  Node Enters(const Node& node, std::size_t index, Phase phase) const {
    Node next = Later(node);
    Enter(next, index, phase);
    return next;
  }

  Node Gone(const Node& node, std::size_t index) const {
    Node next = Later(node);
    next.check.Gone(next.now, next.replicas[index].name);
    next.gone.push_back(next.replicas[index].name);
    next.replicas.erase(next.replicas.begin() + static_cast<std::ptrdiff_t>(index));
    return next;
  }

  // The progress deadline passes; what was on its way by then never arrives.
  Node Hangs(const Node& node) const {
    Node next = Later(node, pool_.options.progress_deadline + kMoment);
    next.on_the_way.clear();
    --next.faults_left;
    return Observed(std::move(next));  // no observation is that old
  }

  void Expand(const Node& node) {
    const bool old = pool_.lag && !SameView(node);
    if (old) Push(Observed(node));
    Push(Tick(pool_.lag ? node : Observed(node), target_));
    for (std::size_t i = 0; i < node.on_the_way.size(); ++i) Push(Take(node, i));
    for (std::size_t i = 0; i < node.replicas.size(); ++i) ExpandReplica(node, i);
    if (Unrepeated(node)) Push(Later(node, kRepeat));
    if (node.now < node.state.retry_at) Push(Later(node, node.state.retry_at - node.now));
    if (node.faults_left > 0 && (Starts(node) || !node.on_the_way.empty())) Push(Hangs(node));
  }

  static bool SameView(const Node& node) {
    return std::ranges::equal(node.shown, node.replicas,
                              [](const ReplicaView& a, const ReplicaView& b) {
                                return a.name == b.name && a.phase == b.phase && a.since == b.since;
                              });
  }

  void ExpandReplica(const Node& node, std::size_t index) {
    const Phase phase = node.replicas[index].phase;
    if (phase == Phase::kStarting) Push(Enters(node, index, Phase::kReady));
    if (phase == Phase::kDraining || phase == Phase::kFailed) Push(Gone(node, index));
    if (node.faults_left > 0 && (phase == Phase::kStarting || phase == Phase::kReady)) {
      Node failed = Enters(node, index, Phase::kFailed);
      --failed.faults_left;
      Push(std::move(failed));
    }
  }

  static bool Unrepeated(const Node& node) {
    return std::ranges::any_of(node.state.pending, [&](const Pending& pending) {
      return node.now - pending.at < kRepeat - kMoment;
    });
  }
  static bool Starts(const Node& node) {
    return std::ranges::any_of(
        node.replicas, [](const ReplicaView& view) { return view.phase == Phase::kStarting; });
  }

  bool Settled(const Node& node) const {
    const Replicas goal = std::min(pool_.desired, pool_.options.quota.value_or(pool_.desired));
    return static_cast<Replicas>(node.replicas.size()) == goal && node.state.pending.empty() &&
           node.on_the_way.empty() &&
           std::ranges::all_of(node.replicas, [&](const ReplicaView& view) {
             return view.phase == Phase::kReady && view.revision == target_.revision;
           });
  }

  void Settle(const std::vector<std::uint64_t>& way) {
    ++found_.settled;
    settling_.insert(way.begin(), way.end());
  }

  // Faults off: everything is taken, starts become ready, drains end, the planner ticks.
  void CheckSettles(Node node) {
    std::vector<std::uint64_t> way;
    for (int round = 0; round < kRoundsToSettle; ++round) {
      way.push_back(Key(node));
      if (settling_.contains(way.back())) return Settle(way);
      std::string deadlock;
      node = Tick(Observed(std::move(node)), target_, &deadlock);
      if (!node.check.breaches().empty()) break;
      if (Settled(node) || !deadlock.empty()) {
        return Settle(way);
      }
      while (!node.on_the_way.empty()) node = Take(node, 0);
      for (std::size_t i = node.replicas.size(); i-- > 0;) {
        const Phase phase = node.replicas[i].phase;
        if (phase == Phase::kStarting) node = Enters(node, i, Phase::kReady);
        if (phase == Phase::kDraining || phase == Phase::kFailed) node = Gone(node, i);
      }
      node.now += Duration(1'000);
    }
    const auto& breaches = node.check.breaches();
    Blame(node, breaches.empty()
                    ? "does not settle"
                    : "on the way to the goal: " + breaches[0].rule + " " + breaches[0].what);
  }

  std::uint64_t Describe(const Node& node, const std::vector<ReplicaView>& views,
                         const std::string& name) const {
    const auto at = std::ranges::lower_bound(views, name, {}, &ReplicaView::name);
    if (at == views.end() || at->name != name) return 0;
    const Duration age = node.now - at->since;
    const bool late = at->phase == Phase::kStarting && age > pool_.options.progress_deadline;
    const bool proof = at->ready_at && *at->ready_at > LastFailure(node);
    return Code(at->phase) | (at->revision == "a" ? 8U : 0U) | (at->ready_at ? 16U : 0U) |
           (late ? 32U : 0U) | (proof ? 64U : 0U);
  }

  // What tells one replica from another, but its name and age.
  std::uint64_t Describe(const Node& node, const std::string& name) const {
    std::uint64_t hash = Mix(1, Describe(node, node.replicas, name));
    if (pool_.lag) hash = Mix(hash, 0x500U | Describe(node, node.shown, name));
    if (std::ranges::count(node.gone, name) > 0) hash = Mix(hash, 0x600U);
    for (const Step& step : node.on_the_way) {
      if (step.replica == name) hash = Mix(hash, 0x100U | static_cast<unsigned>(step.kind));
    }
    for (const Pending& pending : node.state.pending) {
      if (pending.replica != name) continue;
      const bool repeats = node.now - pending.at >= kRepeat - kMoment;
      const bool lost = node.now - pending.at > pool_.options.progress_deadline;
      hash = Mix(hash, 0x200U | static_cast<unsigned>(pending.kind) | (repeats ? 2U : 0U) |
                           (lost ? 4U : 0U) | (pending.revision == "a" ? 8U : 0U));
    }
    if (std::ranges::binary_search(node.state.counted_failures, name)) hash = Mix(hash, 0x300U);
    for (const sim::BudgetCheck::Entry& entry : node.check.entries()) {
      if (entry.name != name) continue;
      const bool late = node.now - entry.starting_since > pool_.options.progress_deadline;
      const bool lost =
          entry.leaving && node.now - entry.drain_asked > pool_.options.progress_deadline;
      hash = Mix(hash, 0x400U | Code(entry.truth) | (Code(entry.seen) << 3U) |
                           (entry.gone ? 0x800U : 0U) | (entry.old_revision ? 0x1000U : 0U) |
                           (entry.was_ready ? 0x2000U : 0U) | (entry.leaving ? 0x4000U : 0U) |
                           (entry.shrink ? 0x8000U : 0U) | (late ? 0x10000U : 0U) |
                           (lost ? 0x20000U : 0U));
    }
    return hash;
  }

  Instant LastFailure(const Node& node) const {
    return node.state.failed_starts > 0 ? node.state.retry_at - pool_.options.backoff_min
                                        : Instant::min();
  }

  std::uint64_t Key(const Node& node) const {
    std::vector<std::string> names;
    for (const ReplicaView& view : node.replicas) names.push_back(view.name);
    if (pool_.lag) {
      for (const ReplicaView& view : node.shown) names.push_back(view.name);
    }
    for (const Step& step : node.on_the_way) names.push_back(step.replica);
    for (const Pending& pending : node.state.pending) names.push_back(pending.replica);
    for (const auto& entry : node.check.entries()) names.push_back(entry.name);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<std::uint64_t> each;
    for (const std::string& name : names) each.push_back(Describe(node, name));
    std::ranges::sort(each);
    std::uint64_t hash = 7;
    for (const std::uint64_t one : each) hash = Mix(hash, one);
    hash = Mix(hash, static_cast<std::uint64_t>(node.faults_left));
    hash = Mix(hash, static_cast<std::uint64_t>(node.state.size));
    hash = Mix(hash, static_cast<std::uint64_t>(node.state == rollout::State{}));
    hash = Mix(hash, static_cast<std::uint64_t>(node.check.declared()));
    hash = Mix(hash, static_cast<std::uint64_t>(node.check.ceiling()));
    hash = Mix(hash, static_cast<std::uint64_t>(node.state.failed_starts));
    hash = Mix(hash, static_cast<std::uint64_t>(node.now < node.state.retry_at));
    return hash;
  }

  const SmallPool& pool_;
  Target target_;
  std::vector<Node> open_;
  std::unordered_set<std::uint64_t> visited_;
  std::unordered_set<std::uint64_t> settling_;  // states from which a fair schedule settles
  Exploration found_;
};

}  // namespace

Exploration Explore(const SmallPool& pool) { return Explorer(pool).Run(); }

}  // namespace tidegate::testing
