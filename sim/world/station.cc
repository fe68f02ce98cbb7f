#include "sim/world/station.h"

#include <limits>

namespace tidegate::sim {

// Those who wait are the newest; their number is found by doubling, then by halving.
std::size_t WaitingLine::CountWaiting(double now) const {
  std::size_t waits = 1;  // at least
  std::size_t beyond = 2;
  while (beyond <= size_ && Newest(beyond - 1) > now) {
    waits = beyond;
    beyond *= 2;
  }
  beyond = std::min(beyond, size_ + 1);
  while (beyond - waits > 1) {
    const std::size_t middle = waits + (beyond - waits) / 2;
    (Newest(middle - 1) > now ? waits : beyond) = middle;
  }
  return waits;
}

// Forgets those who have gone; where that leaves less than half of the ring it grows, unrolled so
// that the oldest comes first.
void WaitingLine::MakeRoom(double now) {
  const std::size_t stay = Waiting(now);
  head_ += size_ - stay;
  size_ = stay;
  if (2 * size_ < ring_.size()) return;
  std::vector<double> larger(std::max<std::size_t>(16, 2 * ring_.size()));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = ring_[(head_ + i) & (ring_.size() - 1)];
  ring_ = std::move(larger);
  head_ = 0;
}

Stations::Slot Stations::Add() {
  Slot slot = 0;
  if (unused_.empty()) {
    slot = static_cast<Slot>(lines_.size());
    lines_.emplace_back();
    quitting_.emplace_back();
    nodes_.resize(nodes_.size() + 2 * leaves_);
  } else {
    slot = unused_.back();
    unused_.pop_back();
  }
  Clear(slot);
  return slot;
}

void Stations::Clear(Slot slot) {
  lines_[slot].Clear();
  quitting_[slot].Clear();
  Node* const tree = Tree(slot);
  for (std::size_t i = 0; i < leaves_; ++i) {
    tree[leaves_ + i] = {i < workers_ ? 0 : std::numeric_limits<double>::infinity(), leaves_ + i};
  }
  for (std::size_t i = leaves_ - 1; i > 0; --i) {
    tree[i] = tree[2 * i + 1].time < tree[2 * i].time ? tree[2 * i + 1] : tree[2 * i];
  }
}

}  // namespace tidegate::sim
