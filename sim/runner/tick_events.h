#pragma once

#include <cstdint>
#include <functional>

#include "policies/base/instant.h"
#include "scheduler/loop/next_tick.h"
#include "sim/engine/calendar.h"

namespace tidegate::sim {

// Puts the control loop's ticks into the calendar, when the daemon would run them.
class TickEvents {
 public:
  // Runs the loop's step, `late` after it was due, and returns what it returned.
  using Step = std::function<Instant(Duration late)>;

  // `early`: a tick doesn't wait for its period once something happened. The calendar must outlive
  // this, and runs to `end`.
  TickEvents(Calendar& calendar, Instant end, bool early, Step step);

  // The first tick is at `first`. Call once.
  void Begin(Instant first);
  // A replica's phase changed, or the configuration did. No effect before the first tick.
  void Happened();
  // A step that waits for others lets events run meanwhile.
  bool ticking() const { return ticking_; }

 private:
  void PutNext();
  void Run(std::uint64_t number);

  Calendar& calendar_;
  Instant end_;
  bool early_;
  Step step_;
  loop::NextTick next_tick_;
  Instant planned_{};         // the next tick's event
  std::uint64_t number_ = 0;  // of that event: those before it that have not run don't count
  bool begun_ = false;
  bool ticking_ = false;
  bool happened_ = false;  // while it ticked
};

}  // namespace tidegate::sim
