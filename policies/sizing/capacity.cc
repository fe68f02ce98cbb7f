#include "policies/sizing/capacity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "policies/base/check.h"

namespace tidegate::sizing {
namespace {

constexpr double kTenth = 1.1;
constexpr double kPrecision = 1e-7;
constexpr double kLeastLate = 1e-300;  // so that it has a logarithm

// Sizes whose utilization is computed: 1 .. 8, then a quarter more each, up to kMaxReplicas.
const std::vector<Replicas>& Nodes() {
  static const std::vector<Replicas> kNodes = [] {
    std::vector<Replicas> nodes;
    for (Replicas size = 1; size < kMaxReplicas; size += std::max<Replicas>(1, size / 4)) {
      nodes.push_back(size);
    }
    nodes.push_back(kMaxReplicas);
    return nodes;
  }();
  return kNodes;
}

// The node at or below `replicas`.
std::size_t NodeBelow(Replicas replicas) {
  const std::vector<Replicas>& nodes = Nodes();
  return static_cast<std::size_t>(std::ranges::upper_bound(nodes, replicas) - nodes.begin()) - 1;
}

}  // namespace

double LateShareAllowed(const QueueModel& model) {
  return std::max(1 - model.objective.share,
                  kTenth * SlowServices(model.service, model.objective.seconds));
}

bool OutOfReach(const QueueModel& model) {
  return SlowServices(model.service, model.objective.seconds) > 1 - model.objective.share;
}

// By bisection of 1 - utilization in logarithms, steered by the excess in logarithms (the Illinois
// form of the false position): the share of late requests falls about exponentially there.
double UtilizationWithin(const QueueModel& model, Replicas replicas) {
  const double allowed = LateShareAllowed(model);
  const auto excess = [&](double utilization) {
    const Waiting waiting = WaitingAt(model, replicas, utilization);
    const double late = LateShare(model.service, waiting, model.objective.seconds);
    return std::log(std::max(late, kLeastLate) / allowed);
  };
  double low = kLeastUtilization, high = kMostUtilization;
  double at_high = excess(high);
  if (at_high <= 0) return high;
  double at_low = excess(low);
  if (at_low > 0) return low;
  int side = 0;
  while (high - low > kPrecision) {
    double middle = (low * at_high - high * at_low) / (at_high - at_low);
    // A step into the middle where the line clings to one end.
    const double edge = (high - low) / 64;
    middle = std::clamp(middle, low + edge, high - edge);
    const double at = excess(middle);
    if (at > 0) {
      high = middle;
      at_high = at;
      if (side == 1) at_low /= 2;
      side = 1;
    } else {
      low = middle;
      at_low = at;
      if (side == -1) at_high /= 2;
      side = -1;
    }
  }
  return low;
}

double CapacityTable::NodeUtilization(std::size_t node) {
  if (utilization_.empty()) utilization_.resize(Nodes().size());
  double& utilization = utilization_[node];
  if (utilization == 0) utilization = UtilizationWithin(model_, Nodes()[node]);
  return utilization;
}

double CapacityTable::UtilizationOf(Replicas replicas) {
  TIDEGATE_CHECK(replicas >= 1 && replicas <= kMaxReplicas, "a size of a pool");
  const std::size_t node = NodeBelow(replicas);
  const double below = NodeUtilization(node);
  const Replicas from = Nodes()[node];
  if (replicas == from) return below;
  const double above = NodeUtilization(node + 1);
  return below + (above - below) * (replicas - from) / (Nodes()[node + 1] - from);
}

Rate CapacityTable::RateOf(Replicas replicas) {
  return Ceiling(model_) * replicas * UtilizationOf(replicas);
}

Replicas CapacityTable::FewestReplicas(Rate rate) {
  TIDEGATE_CHECK(rate >= 0, "a rate");
  if (rate <= 0) return 0;
  const std::vector<Replicas>& nodes = Nodes();
  const double least = rate / (Ceiling(model_) * kMostUtilization);
  if (least > kMaxReplicas) return kMaxReplicas;
  // Fewer than `least` never suffice. The first node that does is near, so that few are computed.
  std::size_t node = NodeBelow(std::max<Replicas>(1, static_cast<Replicas>(least)));
  while (node + 1 < nodes.size() && RateOf(nodes[node]) < rate) ++node;
  Replicas enough = nodes[node], few = node == 0 ? 0 : nodes[node - 1];
  while (enough - few > 1) {
    const Replicas middle = few + (enough - few) / 2;
    (RateOf(middle) >= rate ? enough : few) = middle;
  }
  return enough;
}

}  // namespace tidegate::sizing
