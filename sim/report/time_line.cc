#include "sim/report/time_line.h"

#include <algorithm>

namespace tidegate::sim {
namespace {

void Merge(Moment& into, const Moment& other) {
  into.demand = std::max(into.demand, other.demand);
  into.capacity = std::min(into.capacity, other.capacity);
  into.backlog = std::max(into.backlog, other.backlog);
  into.desired = std::max(into.desired, other.desired);
  into.starting = std::max(into.starting, other.starting);
  into.ready = std::min(into.ready, other.ready);
  into.draining = std::max(into.draining, other.draining);
}

}  // namespace

void TimeLine::Add(const Moment& moment) {
  if (!moments_.empty() && in_last_ < looks_) {
    Merge(moments_.back(), moment);
    ++in_last_;
    return;
  }
  if (moments_.size() == kMostMoments) {
    for (std::size_t i = 0; i < kMostMoments / 2; ++i) {
      moments_[i] = moments_[2 * i];
      Merge(moments_[i], moments_[2 * i + 1]);
    }
    moments_.resize(kMostMoments / 2);
    looks_ *= 2;
  }
  moments_.push_back(moment);
  in_last_ = 1;
}

}  // namespace tidegate::sim
