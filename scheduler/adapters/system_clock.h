#pragma once

#include "scheduler/ports/clock.h"

namespace tidegate::adapters {

// The machine's UTC clock, made monotone: while the clock is set back it stands still. The only
// place that reads the time for decisions.
class SystemClock : public ports::Clock {
 public:
  Instant Now() override;

 private:
  Instant last_{};
};

}  // namespace tidegate::adapters
