#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/ports/clock.h"

namespace tidegate::sim {

// Events in time order; events of one instant run in the order in which they were added. It is the
// simulated world's clock.
class Calendar : public ports::Clock {
 public:
  explicit Calendar(Instant start) : now_(start) {}

  Instant Now() override { return now_; }
  // Precondition: at >= Now().
  void At(Instant at, std::function<void()> event);
  // `flow` is told each time that is about to be reached, before the event there runs: for what
  // goes on all the time (requests, scrapes) and would cost too much as events. Now() is still the
  // time before. It must not add events.
  void Between(std::function<void(Instant)> flow) { flow_ = std::move(flow); }
  // Runs events up to and including `end`; Now() is `end` afterwards. An event may call it too: it
  // then goes on later, when others have run. Precondition: end >= Now().
  void RunUntil(Instant end);

 private:
  struct Event {
    Instant at;
    std::uint64_t sequence;
    std::function<void()> run;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };
  void Reach(Instant at);

  Instant now_;
  std::uint64_t sequence_ = 0;
  std::vector<Event> events_;  // a heap by Later
  std::function<void(Instant)> flow_;
};

}  // namespace tidegate::sim
