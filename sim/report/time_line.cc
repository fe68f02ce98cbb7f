#include "sim/report/time_line.h"

#include <algorithm>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::sim {
namespace {

// Of two numbers that may be NaN, one that isn't wins.
struct Least {
  template <class T>
  void operator()(T& into, T other) const {
    into = std::min(into, other);
  }
  void operator()(double& into, double other) const { into = std::fmin(into, other); }
};
struct Most {
  template <class T>
  void operator()(T& into, T other) const {
    into = std::max(into, other);
  }
  void operator()(double& into, double other) const { into = std::fmax(into, other); }
};

template <class Up>
void MergeLatency(Moment& into, const Moment& other, Up up) {
  if (!other.latency) return;
  if (!into.latency) {
    into.latency = other.latency;
    return;
  }
  up(into.latency->p50, other.latency->p50);
  up(into.latency->p90, other.latency->p90);
  up(into.latency->p99, other.latency->p99);
}

// `up` takes the end where more is worse, `down` the one where less is.
template <class Up, class Down>
void Merge(Moment& into, const Moment& other, Up up, Down down) {
  up(into.demand, other.demand);
  down(into.capacity, other.capacity);
  up(into.backlog, other.backlog);
  up(into.lost, other.lost);
  up(into.desired, other.desired);
  up(into.starting, other.starting);
  down(into.ready, other.ready);
  up(into.draining, other.draining);
  up(into.failed, other.failed);
  up(into.replica_seconds, other.replica_seconds);
  down(into.view, other.view);
  up(into.blind, other.blind);
  up(into.surge, other.surge);
  down(into.surge_limit, other.surge_limit);
  up(into.unavailable, other.unavailable);
  down(into.unavailable_limit, other.unavailable_limit);
  MergeLatency(into, other, up);
}

void MergeWorst(Moment& into, const Moment& other) { Merge(into, other, Most(), Least()); }
void MergeBest(Moment& into, const Moment& other) { Merge(into, other, Least(), Most()); }

}  // namespace

void TimeLine::Add(const Moment& worst, const Moment& best) {
  if (!worst_.empty() && in_last_ < looks_) {
    MergeWorst(worst_.back(), worst);
    MergeBest(best_.back(), best);
    ++in_last_;
    return;
  }
  if (worst_.size() == most_) Halve();
  worst_.push_back(worst);
  best_.push_back(best);
  in_last_ = 1;
}

void TimeLine::Halve() {
  for (std::size_t i = 0; i < most_ / 2; ++i) {
    worst_[i] = worst_[2 * i];
    MergeWorst(worst_[i], worst_[2 * i + 1]);
    best_[i] = best_[2 * i];
    MergeBest(best_[i], best_[2 * i + 1]);
  }
  worst_.resize(most_ / 2);
  best_.resize(most_ / 2);
  looks_ *= 2;
}

TimeLine TimeLine::Thinned(std::size_t most) const {
  TIDEGATE_CHECK(most >= 2 && most % 2 == 0, "rows are halved");
  TimeLine thinned(most);
  for (std::size_t i = 0; i < worst_.size(); ++i) thinned.Add(worst_[i], best_[i]);
  return thinned;
}

}  // namespace tidegate::sim
