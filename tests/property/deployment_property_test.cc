// What the Deployment model promises, in random states and random lives.

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/world/deployment.h"

namespace tidegate::sim {
namespace {

IntOrPercent DrawBudget() {
  if (*rc::gen::arbitrary<bool>()) return {*rc::gen::inRange(0, 151), true};
  return {*rc::gen::inRange(0, 8), false};
}

// Any state of up to five sets, sensible or not.
Deployment DrawState() {
  Deployment deployment;
  deployment.replicas = *rc::gen::inRange(0, 60);
  deployment.surge = DrawBudget();
  deployment.unavailable = DrawBudget();
  const int sets = *rc::gen::inRange(1, 6);
  for (int i = 0; i < sets; ++i) {
    ReplicaSet set;
    set.revision = fmt::format("r{}", i);
    set.spec = *rc::gen::inRange(0, 40);
    set.pods = *rc::gen::inRange(0, set.spec + 1);
    set.available = *rc::gen::inRange(0, set.pods + 1);
    set.desired_then = deployment.replicas;
    set.max_then = Resolve(deployment).most;
    deployment.sets.push_back(set);
  }
  deployment.revision = fmt::format("r{}", *rc::gen::inRange(0, sets + 1));
  return deployment;
}

Replicas Specs(const Deployment& deployment) {
  return std::accumulate(deployment.sets.begin(), deployment.sets.end(), Replicas{0},
                         [](Replicas sum, const ReplicaSet& set) { return sum + set.spec; });
}

// ReplicaSets delete what is not available first, and create at once.
void Obey(Deployment& deployment) {
  for (ReplicaSet& set : deployment.sets) {
    set.pods = set.spec;
    set.available = std::min(set.available, set.spec);
  }
}

void ARolloutsStepKeepsBothFenceposts() {
  const Deployment before = DrawState();
  const Fenceposts posts = Resolve(before);
  Deployment after = Sync(before).deployment;
  const Replicas available = StatusOf(before).available;
  Obey(after);
  RC_ASSERT(Specs(after) <= std::max(posts.most, Specs(before)));
  RC_ASSERT(StatusOf(after).available >= std::min(posts.least, available));
}

// The whole's change arrives in the parts, save where the largest set can't give what is left.
void PartsSumUpToTheWholeInProportion() {
  Deployment deployment = DrawState();
  const Replicas before = deployment.replicas;
  deployment.replicas = *rc::gen::inRange(0, 120);
  const auto active =
      std::ranges::count_if(deployment.sets, [](const ReplicaSet& set) { return set.spec > 0; });
  if (deployment.replicas == before || active < 2) return;  // no change to share
  const Synced synced = Sync(deployment);
  const Fenceposts posts = Resolve(deployment);
  const Replicas whole = deployment.replicas > 0 ? posts.most : 0;
  const bool saturated =
      !synced.resizes.empty() && synced.resizes.front().reason == ResizeReason::kSaturated;
  if (saturated) return;
  const bool gave_all =
      std::ranges::any_of(synced.resizes, [](const Resize& resize) { return resize.to == 0; });
  if (gave_all) {
    RC_ASSERT(Specs(synced.deployment) >= whole);
  } else {
    RC_ASSERT(Specs(synced.deployment) == whole);
  }
  for (const ReplicaSet& set : synced.deployment.sets) {
    RC_ASSERT(set.spec >= 0);
    if (set.spec > 0) RC_ASSERT(set.desired_then == deployment.replicas);
  }
}

// Of sets of one size the newer ones get no less when the whole grows, and lose no more when it
// shrinks; and the same again gives the same.
void EqualSetsAreServedInTheOrderOfTheirAge() {
  Deployment deployment;
  deployment.replicas = *rc::gen::inRange(1, 40);
  deployment.surge = DrawBudget();
  deployment.unavailable = DrawBudget();
  const Replicas each = *rc::gen::inRange(1, 20);
  const int sets = *rc::gen::inRange(2, 6);
  for (int i = 0; i < sets; ++i) {
    deployment.sets.push_back(
        {fmt::format("r{}", i), each, each, 0, deployment.replicas, each * sets});
  }
  deployment.revision = deployment.sets.back().revision;
  const Replicas before = deployment.replicas;
  deployment.replicas = *rc::gen::inRange(1, 80);
  if (deployment.replicas == before) return;
  const Deployment after = Sync(deployment).deployment;
  std::vector<Replicas> specs;
  for (const ReplicaSet& set : after.sets) specs.push_back(set.spec);
  const bool grows = Resolve(deployment).most > each * sets;
  if (grows) std::ranges::reverse(specs);  // into the order in which they are served
  for (std::size_t i = 1; i < specs.size(); ++i) {
    RC_ASSERT((grows ? specs[i] <= specs[i - 1] : specs[i] >= specs[i - 1]));
  }
  RC_ASSERT(Sync(deployment).deployment == after);
}

struct Life {
  Deployment deployment;
  Replicas most = 0;
  Replicas least = kMaxReplicas;
  int rounds = 0;
};

// A rollout of a Deployment that nothing disturbs: pods become available in an order of its own.
Life RollOut(const Deployment& start) {
  Life life{.deployment = start};
  for (; !IsComplete(life.deployment); ++life.rounds) {
    RC_ASSERT(life.rounds < 10'000);
    for (Synced synced = Sync(life.deployment);; synced = Sync(life.deployment)) {
      Obey(synced.deployment);
      const bool quiet = synced.deployment == life.deployment;
      life.deployment = std::move(synced.deployment);
      const DeploymentStatus status = StatusOf(life.deployment);
      life.most = std::max(life.most, status.replicas);
      life.least = std::min(life.least, status.available);
      if (quiet) break;
    }
    std::vector<ReplicaSet*> unready;
    for (ReplicaSet& set : life.deployment.sets) {
      if (set.available < set.pods) unready.push_back(&set);
    }
    RC_ASSERT(!unready.empty() || IsComplete(life.deployment));
    if (unready.empty()) break;
    ReplicaSet& set = **rc::gen::elementOf(unready);
    set.available += *rc::gen::inRange(1, set.pods - set.available + 1);
  }
  return life;
}

void AnUndisturbedRolloutEndsAndKeepsBothFencepostsThroughout() {
  Deployment deployment;
  deployment.replicas = *rc::gen::inRange(1, 60);
  deployment.surge = DrawBudget();
  deployment.unavailable = DrawBudget();
  const Fenceposts posts = Resolve(deployment);
  deployment.sets = {{"old", deployment.replicas, deployment.replicas, deployment.replicas,
                      deployment.replicas, posts.most}};
  deployment.revision = "new";
  const Life life = RollOut(deployment);
  RC_ASSERT(life.most <= posts.most);
  RC_ASSERT(life.least >= posts.least);
  RC_ASSERT(life.deployment.sets.back().spec == deployment.replicas);
}

// Whatever happened before, it comes to rest, and rests where it should, unless it is stuck.
void AnyStateComesToRest() {
  Deployment deployment = DrawState();
  if (*rc::gen::arbitrary<bool>()) deployment.replicas = *rc::gen::inRange(0, 60);
  for (int round = 0; round < 1'000; ++round) {
    for (ReplicaSet& set : deployment.sets) set.pods = set.available = set.spec;
    Synced synced = Sync(deployment);
    if (synced.deployment == deployment) break;
    deployment = std::move(synced.deployment);
  }
  RC_ASSERT(Sync(deployment).deployment == deployment);
  RC_ASSERT(IsComplete(deployment) || IsStuck(deployment));
}

// Each of rapidcheck's 100 cases looks at so many states.
void Often(void (*property)()) {
  for (int i = 0; i < 50; ++i) property();
}

RC_GTEST_PROP(DeploymentProperty, ARolloutsStepKeepsBothFenceposts, ()) {
  Often(ARolloutsStepKeepsBothFenceposts);
}
RC_GTEST_PROP(DeploymentProperty, PartsSumUpToTheWholeInProportion, ()) {
  Often(PartsSumUpToTheWholeInProportion);
}
RC_GTEST_PROP(DeploymentProperty, EqualSetsAreServedInTheOrderOfTheirAge, ()) {
  Often(EqualSetsAreServedInTheOrderOfTheirAge);
}
RC_GTEST_PROP(DeploymentProperty, AnUndisturbedRolloutEndsAndKeepsBothFencepostsThroughout, ()) {
  Often(AnUndisturbedRolloutEndsAndKeepsBothFencepostsThroughout);
}
RC_GTEST_PROP(DeploymentProperty, AnyStateComesToRest, ()) { Often(AnyStateComesToRest); }

}  // namespace
}  // namespace tidegate::sim
