#include "tests/testing/tick_story.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace tidegate::testing {
namespace {

using decision::Decision;
using guards::Reason;

constexpr double kTarget = 100;  // requests per second and replica
constexpr Replicas kMax = 9;
constexpr int kRollout = 18;  // scenes from here to the end replace the pool
constexpr std::array<double, TickStory::kLength> kLoad = {180, 190, 185, 400, 900, 1150, 1100, 950,
                                                          900, 700, 500, 400, 300, 250,  0,    0,
                                                          0,   210, 200, 205, 210, 200,  195,  190};
constexpr int kFirstBad = 14;  // scenes with bad samples
constexpr int kLastBad = 16;
constexpr int kBlind = 17;  // the fleet can't say what runs

signals::Quality QualityOf(int scene) {
  if (scene == 2) return signals::Quality::kPartial;
  if (scene == kFirstBad) return signals::Quality::kStale;
  if (scene == kFirstBad + 1) return signals::Quality::kEmpty;
  if (scene == kLastBad) return signals::Quality::kError;
  return signals::Quality::kOk;
}

Reason ReasonOf(Replicas proposed, Replicas stabilized, Replicas desired, int scene) {
  if (scene == kFirstBad) return Reason::kSamplesNotOk;
  if (scene > kFirstBad && scene <= kLastBad) return Reason::kFallback;
  if (proposed > kMax && desired == kMax) return Reason::kTooManyReplicas;
  if (stabilized > proposed) return Reason::kScaleDownStabilized;
  if (desired < stabilized) return Reason::kScaleUpLimit;
  return Reason::kDesiredWithinRange;
}

void AddSignals(int scene, Decision& decision) {
  const double load = kLoad[static_cast<std::size_t>(scene)];
  signals::Reading rate;
  rate.signal = "requests";
  rate.quality = QualityOf(scene);
  const bool usable = signals::MayGrow(rate.quality);
  rate.value = usable ? load : 0;
  rate.age = rate.quality == signals::Quality::kStale ? Duration(61'000) : Duration(800);
  if (!usable && rate.quality != signals::Quality::kStale) rate.age = Duration(0);
  rate.expected = decision.counts.ready;
  rate.series = usable ? decision.counts.ready : 0;
  signals::Reading latency;
  latency.signal = "latency";
  latency.quality = signals::Quality::kOk;
  latency.value = 0.05 + load / 10'000;
  latency.age = Duration(1'200);
  latency.series = decision.counts.ready;
  decision.readings = {rate, latency};
  sizing::Proposal proposal;
  proposal.source = rate.signal;
  proposal.quality = rate.quality;
  proposal.value = rate.value;
  proposal.target = kTarget;
  proposal.age = rate.age;
  if (usable) proposal.replicas = static_cast<Replicas>(std::ceil(load / kTarget));
  decision.proposals = {proposal};
}

void AddDesired(int scene, Decision& decision) {
  guards::Desired& desired = decision.desired;
  const auto& replicas = decision.proposals[0].replicas;
  desired.proposed = replicas.value_or(decision.current);
  desired.stabilized = std::max(desired.proposed, std::min(decision.current - 1, kMax));
  desired.replicas =
      std::clamp(desired.stabilized, Replicas{2}, std::min(kMax, decision.current * 2));
  desired.reason = ReasonOf(desired.proposed, desired.stabilized, desired.replicas, scene);
  if (desired.reason == Reason::kFallback) {
    desired.limits.push_back({guards::Stage::kFallback, Reason::kFallback, decision.current,
                              desired.replicas, "no usable sample for 3m"});
  }
}

rollout::Step MakeStep(const Decision& decision, rollout::StepKind kind, rollout::StepReason reason,
                       int scene) {
  return {kind, fmt::format("{}-{}", decision.pool.name, scene), decision.revision, reason};
}

void AddPlan(int scene, Decision& decision) {
  rollout::Plan& plan = decision.plan;
  const Replicas goal = decision.desired.replicas;
  const auto& counts = decision.counts;
  plan.use.surge = std::max(0, counts.live() - goal);
  plan.use.surge_limit = goal;
  plan.use.unavailable = std::max(0, goal - counts.ready);
  plan.use.unavailable_limit = goal / 4;
  plan.use.live_limit = 2 * goal;
  plan.use.available_floor = goal - goal / 4;
  plan.foresight.peak_live = std::max(counts.live(), goal);
  plan.foresight.least_available = std::min(counts.ready, goal);
  plan.foresight.waves = counts.live() < goal ? 1 : 0;
  if (counts.live() < goal) {
    plan.steps.push_back(
        MakeStep(decision, rollout::StepKind::kStart, rollout::StepReason::kGrow, scene));
    plan.deferred.push_back({rollout::StepKind::kStart, 1, "B3: 2 starting of at most 2"});
  } else if (counts.live() > goal) {
    plan.steps.push_back(
        MakeStep(decision, rollout::StepKind::kDrain, rollout::StepReason::kShrink, scene));
  } else if (scene >= kRollout) {
    const auto kind = scene % 2 == 0 ? rollout::StepKind::kStart : rollout::StepKind::kDrain;
    plan.steps.push_back(MakeStep(decision, kind, rollout::StepReason::kRollout, scene));
  }
  if (scene == kRollout + 2) plan.foresight.deadlock = "no spare quota for a surge of 1";
  plan.complete = plan.steps.empty();
}

}  // namespace

TickStory::TickStory(int pools) {
  for (int i = 0; i < pools; ++i) {
    decision::PoolSpec spec;
    spec.id = {"shop", fmt::format("edge-{:05}", i)};
    spec.revision = "0a1b2c3d";
    spec.declared = 2;
    spec.scaled = true;
    spec.dry_run = pools > 2 && i == pools - 1;
    spec.targets = {{"requests", kTarget}, {"latency", std::nullopt}};
    spec.guards.min = 2;
    spec.guards.max = kMax;
    spec.config_version = "v1";
    pools_.push_back(spec);
    state_.pools[spec.id].guards.desired = 2;
  }
}

Decision TickStory::Decide(const decision::PoolSpec& spec, int scene) {
  decision::PoolState& state = state_.pools[spec.id];
  Decision decision;
  decision.at = tick_.at;
  decision.pool = spec.id;
  decision.config_version = spec.config_version;
  decision.revision = scene >= kRollout ? "4e5f6a7b" : spec.revision;
  decision.current = state.guards.desired.value_or(2);
  decision.min = spec.guards.min;
  decision.max = spec.guards.max;
  decision.dry_run = spec.dry_run;
  decision.counts.ready = decision.current;
  decision.counts.starting = scene % 3 == 1 ? 1 : 0;
  decision.counts.draining = scene % 4 == 3 ? 1 : 0;
  decision.counts.failed = scene == 8 ? 1 : 0;
  AddSignals(scene, decision);
  if (scene == kBlind) {
    decision.error = "the fleet can't be asked: connection refused";
    return decision;
  }
  AddDesired(scene, decision);
  AddPlan(scene, decision);
  state.guards.desired = decision.desired.replicas;
  state.rollout.failed_starts = scene == 8 || scene == 9 ? 2 : 0;
  state.rollout.retry_at = tick_.at + Duration(4'000);
  state.rollout.pending.clear();
  if (!decision.plan.steps.empty()) {
    state.rollout.pending.push_back(
        {decision.plan.steps[0].kind, decision.plan.steps[0].replica, decision.revision, tick_.at});
  }
  return decision;
}

void TickStory::AddFailure(const Decision& decision, int scene) {
  if (scene != 5 || decision.plan.steps.empty()) return;
  tick_.failures.push_back({decision.pool,
                            decision.plan.steps[0],
                            {ErrorCode::kUnavailable, "the front does not answer"}});
}

void TickStory::Advance(Instant at) {
  tick_ = loop::Tick{};
  tick_.at = at;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    const int scene = (count_ + static_cast<int>(i) * 5) % kLength;
    tick_.decisions.push_back(Decide(pools_[i], scene));
    AddFailure(tick_.decisions.back(), scene);
    tick_.steps += static_cast<int>(tick_.decisions.back().plan.steps.size());
  }
  tick_.steps -= static_cast<int>(tick_.failures.size());
  if (count_ % kLength == 6) tick_.journal_error = "disk is full";
  ++count_;
}

void TickStory::RemoveLastPool() {
  state_.pools.erase(pools_.back().id);
  pools_.pop_back();
}

}  // namespace tidegate::testing
