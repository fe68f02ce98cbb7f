#pragma once

#include <deque>

namespace tidegate::sim {

// The fewest requests that miss a deadline, given when replicas were ready: a fluid is served first
// come, first served, and what has waited for as long as the deadline leaves unserved. No other
// order serves more in time. What the simulated pool itself did with its queue does not matter.
class DeadlineQueue {
 public:
  // A request is in time if it is served within this many seconds of its arrival; >= 0.
  explicit DeadlineQueue(double wait_seconds) : wait_(wait_seconds) {}

  // `arrived` requests come evenly in the next `seconds`, while at most `capacity` a second are
  // served.
  void Advance(double seconds, double arrived, double capacity);
  // Forgets who waits.
  void Clear();

  // Requests that left unserved.
  double missed() const { return missed_; }

 private:
  // Arrivals at `rate` until the time `until`; since `head_` for the first, since the previous
  // one's end for others.
  struct Arrivals {
    double until;
    double rate;
  };

  // The head moves along the time of arrivals: by service at `speed`, and where that is too slow so
  // that it stays within the deadline. Goes on until either changes, at most for `most` seconds;
  // gives how long that is. Precondition: the head is not over `first`, and can move without
  // passing the present.
  double Step(const Arrivals& first, double speed, double most);

  double wait_;
  double now_ = 0;
  double head_ = 0;  // who arrived before this has left
  std::deque<Arrivals> waiting_;
  double missed_ = 0;
};

}  // namespace tidegate::sim
