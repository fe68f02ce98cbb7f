#pragma once

#include <algorithm>

#include "policies/base/instant.h"

namespace tidegate::loop {

// When the control loop's next step is due: a period after the last one, or at once when something
// happened (a replica's phase changed, the configuration did), though not sooner than kLeastGap
// after the last one's end. Whoever hosts the loop asks this: the daemon before it sleeps, the
// simulator before it puts an event into its calendar.
class NextTick {
 public:
  static constexpr Duration kLeastGap{200};  // between two ticks, when events come thick

  // A tick has ended, and without an event the next one is due at `due`, as Step() returned it.
  void Ticked(Instant ended, Instant due) {
    ended_ = ended;
    due_ = due;
    early_ = false;
  }
  // Also for what happened while a tick ran; call it after Ticked() then.
  void Happened() { early_ = true; }

  // Before the first tick: at once.
  Instant At() const { return early_ ? std::min(due_, ended_ + kLeastGap) : due_; }
  // The next tick without an event.
  Instant due() const { return due_; }

 private:
  Instant ended_{};
  Instant due_{};
  bool early_ = false;
};

}  // namespace tidegate::loop
