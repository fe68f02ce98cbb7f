#include "scheduler/adapters/system_clock.h"

#include <algorithm>
#include <chrono>

namespace tidegate::adapters {

Instant SystemClock::Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  last_ = std::max(last_, Instant(std::chrono::duration_cast<Duration>(since)));
  return last_;
}

}  // namespace tidegate::adapters
