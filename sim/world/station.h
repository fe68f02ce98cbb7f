#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tidegate::sim {

// When requests left a line, or will: a ring that keeps those who still stand in it and, until it
// is full, some who have gone.
class WaitingLine {
 public:
  // Leaving times never go back.
  void Push(double leaves, double now) {
    if (size_ == ring_.size()) MakeRoom(now);
    ring_[(head_ + size_++) & (ring_.size() - 1)] = leaves;
  }
  // How many stand in it at `now`, which is not before the last Push's.
  std::size_t Waiting(double now) const {
    if (size_ == 0 || Newest(0) <= now) return 0;
    return CountWaiting(now);
  }
  void Clear() { size_ = 0; }

 private:
  double Newest(std::size_t back) const {
    return ring_[(head_ + size_ - 1 - back) & (ring_.size() - 1)];
  }
  std::size_t CountWaiting(double now) const;
  void MakeRoom(double now);

  std::vector<double> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

// Replicas as queueing stations: each has some workers and one first-come-first-served line before
// them. Nothing ever departs by an event: a request's start and end are known when it arrives, by
// Kiefer and Wolfowitz's recursion (1955, "On the theory of queues with many servers"): it starts
// when the worker that is free first is free, or at once. Times are in seconds, >= 0.
//
// The workers of a station are the leaves of a winner tree (Knuth, The Art of Computer Programming
// 3, 5.4.1): taking the worker that is free first and giving it a new end replays one path of a
// length known before, without a branch that depends on times. That is about twice as fast as a
// binary heap.
class Stations {
 public:
  using Slot = std::uint32_t;

  explicit Stations(std::size_t workers) : workers_(workers), leaves_(std::bit_ceil(workers)) {}

  // A station whose workers are all free.
  Slot Add();
  // All workers are free and nobody waits.
  void Clear(Slot slot);
  // Its slot may be given to another one.
  void Remove(Slot slot) { unused_.push_back(slot); }

  // When the worker that is free first is free.
  double FreeAt(Slot slot) const { return Tree(slot)[1].time; }
  // That worker is busy until `end` with a request that arrived at `now` and starts at `start`,
  // which is the later of `now` and FreeAt(). Requests come in order of `now`.
  void Take(Slot slot, double now, double start, double end) {
    lines_[slot].Push(start, now);
    Replay(Tree(slot), end);
  }
  // A request that arrived at `now` waits until `leaves`, which is before FreeAt(), and goes away.
  void GiveUp(Slot slot, double now, double leaves) {
    lines_[slot].Push(leaves, now);
    quitting_[slot].Push(leaves, now);
  }

  // Requests that wait at `now`, which is not before the last arrival.
  std::size_t Waiting(Slot slot, double now) const {
    // While a worker is free nobody waits.
    return FreeAt(slot) <= now ? 0 : lines_[slot].Waiting(now);
  }
  // Of those that wait at `now`, how many will give up.
  std::size_t Quitting(Slot slot, double now) const { return quitting_[slot].Waiting(now); }
  // Requests that wait or are served at `now`.
  std::size_t Inside(Slot slot, double now) const {
    if (FreeAt(slot) > now) return workers_ + lines_[slot].Waiting(now);
    const Node* const leaf = Tree(slot) + leaves_;
    std::size_t busy = 0;
    for (std::size_t i = 0; i < workers_; ++i) busy += leaf[i].time > now ? 1U : 0U;
    return busy;
  }

 private:
  // The earliest time below it and the leaf that has it. Node 1 is the root, the children of i are
  // 2 i and 2 i + 1.
  struct Node {
    double time;
    std::uint64_t leaf;
  };

  Node* Tree(Slot slot) { return nodes_.data() + slot * 2 * leaves_; }
  const Node* Tree(Slot slot) const { return nodes_.data() + slot * 2 * leaves_; }

  static void Replay(Node* tree, double end) {
    std::size_t at = tree[1].leaf;
    // Doubles that are not negative order as their bits do. What is earlier is chosen by masks: a
    // processor guesses a branch on it wrong half of the time.
    auto time = std::bit_cast<std::uint64_t>(end);
    std::uint64_t leaf = at;
    tree[at].time = end;
    while (at > 1) {
      const Node other = tree[at ^ 1];
      const auto others = std::bit_cast<std::uint64_t>(other.time);
      const std::uint64_t earlier = others < time ? ~std::uint64_t{0} : 0;
      time ^= (time ^ others) & earlier;
      leaf ^= (leaf ^ other.leaf) & earlier;
      at >>= 1;
      tree[at] = {std::bit_cast<double>(time), leaf};
    }
  }

  std::size_t workers_;
  std::size_t leaves_;  // a power of two; those beyond workers_ are never free
  std::vector<Node> nodes_;
  std::vector<WaitingLine> lines_;
  std::vector<WaitingLine> quitting_;  // of lines_, those who will give up
  std::vector<Slot> unused_;
};

}  // namespace tidegate::sim
