// Whatever the pool: more load is never less late, more replicas never more, and sizes follow.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/sizing/capacity.h"

namespace tidegate::sizing {
namespace {

rc::Gen<QueueModel> AnyModel() {
  return rc::gen::exec([] {
    QueueModel model;
    model.workers = *rc::gen::element(1, 2, 3, 8, 20, 100);
    model.service.seconds = *rc::gen::element(0.001, 0.05, 0.4);
    model.service.variation = *rc::gen::element(0.0, 0.1, 0.5, 1.0, 2.0, 5.0);
    model.balancing =
        *rc::gen::element(Balancing::kLeastOfTwo, Balancing::kRoundRobin, Balancing::kRandom);
    model.objective.seconds = model.service.seconds * *rc::gen::element(0.8, 1.5, 3.0, 5.0, 20.0);
    model.objective.share = *rc::gen::element(0.5, 0.95, 0.99, 0.999);
    return model;
  });
}

double Late(const QueueModel& model, Replicas replicas, double utilization) {
  return LateShare(model.service, WaitingAt(model, replicas, utilization), model.objective.seconds);
}

// Constant service waits for whole departures: more load may then shift a wait to the other side of
// an objective that is a multiple of their distance (queue_model.h).
QueueModel AnyVaryingModel() {
  QueueModel model = *AnyModel();
  model.service.variation = std::max(model.service.variation, 0.1);
  return model;
}

// What LateShare may be off by.
double Above(double late) { return late * 1.003 + 2e-9; }

RC_GTEST_PROP(QueueingProperty, MoreLoadIsNeverLessLate, ()) {
  const QueueModel model = AnyVaryingModel();
  const Replicas replicas = *rc::gen::inRange(1, 200);
  const double low = *rc::gen::inRange(1, 98) / 100.0;
  const double high = low + (0.99 - low) * *rc::gen::inRange(1, 100) / 100.0;
  RC_ASSERT(Late(model, replicas, low) <= Above(Late(model, replicas, high)));
}

RC_GTEST_PROP(QueueingProperty, MoreReplicasForALoadAreNeverMoreLate, ()) {
  const QueueModel model = AnyVaryingModel();
  const Replicas few = *rc::gen::inRange(1, 200);
  const Replicas more = few + *rc::gen::inRange(1, 100);
  const double utilization = *rc::gen::inRange(1, 99) / 100.0;
  RC_ASSERT(Late(model, more, utilization * few / more) <= Above(Late(model, few, utilization)));
}

RC_GTEST_PROP(QueueingProperty, SharesAreShares, ()) {
  const QueueModel model = *AnyModel();
  const double late = Late(model, *rc::gen::inRange(1, 5'000), *rc::gen::inRange(1, 99) / 100.0);
  RC_ASSERT(late >= SlowServices(model.service, model.objective.seconds));
  RC_ASSERT(late <= 1 + 1e-6);
}

RC_GTEST_PROP(QueueingProperty, EachReplicaMoreCarriesMore, ()) {
  CapacityTable table(*AnyModel());
  Rate before = 0;
  for (Replicas replicas = 1; replicas < 120; ++replicas) {
    const Rate rate = table.RateOf(replicas);
    RC_ASSERT(rate > before);
    before = rate;
  }
}

RC_GTEST_PROP(QueueingProperty, MoreRateNeverNeedsFewerReplicas, ()) {
  CapacityTable table(*AnyModel());
  const double scale = Ceiling(table.model());
  const Rate rate = scale * *rc::gen::inRange(0, 100'000) / 500;
  const Rate more = rate + scale * *rc::gen::inRange(0, 1'000) / 500;
  const Replicas fewest = table.FewestReplicas(rate);
  RC_ASSERT(fewest <= table.FewestReplicas(more));
  if (fewest > 0) RC_ASSERT(table.RateOf(fewest) >= rate);
  if (fewest > 1) RC_ASSERT(table.RateOf(fewest - 1) < rate);
}

}  // namespace
}  // namespace tidegate::sizing
