#include "tests/property/rollout_history.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace tidegate::testing {
namespace {

using rollout::Options;
using rollout::Planned;
using rollout::Step;
using signals::Phase;
using signals::ReplicaView;

constexpr Duration kTick{1'000};
constexpr int kSettleTicks = 600;
constexpr std::array<IntOrPercent, 7> kBudgets{
    {{0, false}, {1, false}, {3, false}, {0, true}, {25, true}, {50, true}, {100, true}}};

class History {
 public:
  History(const HistoryOptions& options, Mutation mutation)
      : options_(options),
        mutation_(mutation),
        dice_(options.seed),
        world_(options.seed ^ 0x5bf0'3635U),
        check_(Draw()) {
    const int first = dice_.Below(options_.largest + 1);
    for (int i = 1; i <= first; ++i) {
      world_.AddReady(now_, fmt::format("p-a-{}", i), dice_.Percent(80) ? "a" : "z");
    }
    desired_ = dice_.Below(options_.largest + 1);
    views_.push_back(world_.View());
  }

  HistoryResult Run() {
    world_.SetFaults(options_.faults);
    for (int i = 0; i < options_.faulty_ticks && result_.breaches.empty(); ++i) Tick(true);
    world_.SetFaults({});
    planner_.quota = quota_;
    for (int i = 0; i < kSettleTicks && result_.breaches.empty() && !result_.settled; ++i) {
      Tick(false);
    }
    return result_;
  }

 private:
  // The options of the pool, and what its budgets promise.
  sim::BudgetPromise Draw() {
    const auto pick = [&] {
      return kBudgets[static_cast<std::size_t>(dice_.Below(static_cast<int>(kBudgets.size())))];
    };
    planner_.budget = {pick(), pick()};
    planner_.up = dice_.Percent(80) ? rollout::Pace::kRolling : rollout::Pace::kImmediate;
    planner_.down = dice_.Percent(80) ? rollout::Pace::kRolling : rollout::Pace::kImmediate;
    planner_.progress_deadline = Duration(24'000);
    planner_.min_ready = Duration(3'000);
    planner_.backoff_max = Duration(8'000);
    return {planner_.budget.surge,
            planner_.budget.unavailable,
            planner_.up == rollout::Pace::kRolling,
            planner_.down == rollout::Pace::kRolling,
            planner_.progress_deadline,
            std::nullopt};
  }

  void ChangeTarget() {
    if (!dice_.Percent(options_.changes)) return;
    switch (dice_.Below(4)) {
      case 0: revision_ = std::string(1, static_cast<char>('a' + dice_.Below(3))); break;
      case 1:
        quota_ = std::nullopt;
        if (dice_.Percent(60)) quota_ = dice_.Below(2 * options_.largest + 1);
        break;
      default: desired_ = dice_.Below(options_.largest + 1); break;
    }
  }

  void Move() {
    for (const RolloutEvent& event : world_.Advance(now_)) {
      if (event.phase) {
        check_.Entered(now_, event.replica, *event.phase);
      } else {
        check_.Gone(now_, event.replica);
      }
    }
    views_.push_back(world_.View());
  }

  // Other orders and subsets of the same steps must be as good.
  void TryOrders(const std::vector<Step>& steps) {
    for (int i = 0; i < 3 && steps.size() > 1; ++i) {
      std::vector<Step> some = steps;
      for (std::size_t k = some.size(); k > 1; --k) {
        std::swap(some[k - 1], some[static_cast<std::size_t>(dice_.Below(static_cast<int>(k)))]);
      }
      if (i > 0) some.resize(static_cast<std::size_t>(dice_.Below(static_cast<int>(some.size()))));
      sim::BudgetCheck copy = check_;
      for (const Step& step : some) copy.Request(now_, step);
      Collect(copy, "in another order: ");
    }
  }

  void Collect(const sim::BudgetCheck& check, const char* prefix) {
    for (sim::BudgetBreach breach : check.breaches()) {
      breach.what = fmt::format(
          "{}{} (tick {}, desired {}, quota {}, revision {}, surge {}, "
          "unavailable {})",
          prefix, breach.what, result_.ticks, desired_, quota_.value_or(-1), revision_,
          ToString(planner_.budget.surge), ToString(planner_.budget.unavailable));
      result_.breaches.push_back(breach);
    }
  }

  void Tick(bool faulty) {
    now_ += kTick;
    ++result_.ticks;
    Move();
    if (faulty) ChangeTarget();
    const int newest = static_cast<int>(views_.size()) - 1;
    const int lag = faulty ? dice_.Below(options_.observation_lag + 1) : 0;
    shown_ = std::max(shown_, newest - lag);
    const std::vector<ReplicaView>& view = views_[static_cast<std::size_t>(shown_)];
    if (down_ > 0) {
      --down_;
    } else {
      PlanAndRequest(view, faulty);
    }
    if (result_.breaches.empty()) Collect(check_, "");
  }

  void PlanAndRequest(const std::vector<ReplicaView>& view, bool faulty) {
    check_.Observe(now_, revision_, desired_, quota_, view);
    const rollout::Input input{now_, {"n", "p"}, desired_, revision_, view};
    Options options = planner_;
    options.quota = quota_;
    Planned planned = MakeMutatedPlan(mutation_, input, options, state_);
    TryOrders(planned.plan.steps);
    const bool crashes = faulty && dice_.Percent(options_.crashes);
    const auto made = static_cast<int>(planned.plan.steps.size());
    const int taken = crashes ? dice_.Below(made + 1) : made;
    std::vector<Step> refused;
    for (int i = 0; i < made; ++i) {
      const Step& step = planned.plan.steps[static_cast<std::size_t>(i)];
      const bool refuses = i < taken && faulty && dice_.Percent(options_.refusals);
      if (refuses) refused.push_back(step);
      // The next planner will not learn of a refusal that a dying one got.
      if (!refuses || crashes) check_.Request(now_, step);
      if (!refuses && i < taken) world_.Request(now_, step);
    }
    result_.steps += made;
    state_ = std::move(planned.state);  // stored before the requests were made
    if (crashes) {
      down_ = dice_.Below(8);
    } else if (!refused.empty()) {
      rollout::TakeBack(planned.plan, refused, planned.basis, state_);
    }
    if (!faulty) Judge(planned.plan, view);
  }

  void Judge(const rollout::Plan& plan, const std::vector<ReplicaView>& view) {
    const Replicas goal = quota_ ? std::min(desired_, *quota_) : desired_;
    const bool reached = static_cast<Replicas>(view.size()) == goal &&
                         std::ranges::all_of(view, [&](const ReplicaView& replica) {
                           return replica.phase == Phase::kReady && replica.revision == revision_;
                         });
    result_.settled = reached && plan.steps.empty() && state_.pending.empty() &&
                      plan.complete == (goal == desired_);
    // A deadlock that is announced is an end, too: the operator knows what to do.
    if (!plan.foresight.deadlock.empty() && plan.steps.empty()) result_.settled = true;
    result_.how_it_ended = fmt::format(
        "{} replicas, goal {}, size {}, {} pending, {} failed starts, {} steps, deadlock \"{}\"{}",
        view.size(), goal, state_.size, state_.pending.size(), state_.failed_starts,
        plan.steps.size(), plan.foresight.deadlock,
        plan.deferred.empty() ? "" : ", " + plan.deferred.back().why);
  }

  HistoryOptions options_;
  Mutation mutation_;
  Dice dice_;
  RolloutWorld world_;
  Options planner_;
  sim::BudgetCheck check_;
  Instant now_ = FromUnixMillis(1'000'000'000'000);
  Revision revision_ = "a";
  Replicas desired_ = 0;
  std::optional<Replicas> quota_;
  rollout::State state_;
  std::vector<std::vector<ReplicaView>> views_;
  int shown_ = 0;  // index of the last view that was observed; never goes back
  int down_ = 0;   // ticks until the daemon runs again
  HistoryResult result_;
};

}  // namespace

HistoryResult RunHistory(const HistoryOptions& options, Mutation mutation) {
  return History(options, mutation).Run();
}

}  // namespace tidegate::testing
