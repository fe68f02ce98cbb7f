#include "policies/sizing/bottleneck.h"

#include <algorithm>

namespace tidegate::sizing {
namespace {

constexpr double kFull = 1;
constexpr double kFullNoLonger = 0.8;
constexpr double kGrowth = 1.25;
constexpr double kShare = 0.25;
constexpr double kServesMore = 1.1;
constexpr int kMostDoublings = 5;
constexpr Rate kMostRate = 1e15;

void Begin(const PoolObserved& observed, int in_vain, BottleneckMemory& memory) {
  memory = {};
  memory.in_vain = in_vain;
  memory.full_since = observed.now;
  memory.ready = observed.ready;
  memory.served = std::min(*observed.rate, kMostRate);
}

bool IsFromTheFuture(const std::optional<Instant>& at, Instant now) { return at && *at > now; }

}  // namespace

bool IsBehindThePool(const BottleneckOptions& options, int workers, const PoolObserved& observed,
                     BottleneckMemory& memory) {
  const Instant now = observed.now;
  if (IsFromTheFuture(memory.full_since, now) || IsFromTheFuture(memory.held_since, now)) {
    memory = {};  // the clock was set back
  }
  if (!observed.rate || !observed.inflight || observed.ready <= 0) {
    return memory.held_since.has_value();
  }
  const double busy = *observed.inflight / (static_cast<double>(observed.ready) * workers);
  if (busy < kFullNoLonger) {
    memory = {};
    return false;
  }
  if (memory.held_since) {
    // What is held was judged at least once, whatever a memory that was handed in says.
    const Duration hold = options.hold * (1 << std::clamp(memory.in_vain - 1, 0, kMostDoublings));
    if (*observed.rate > memory.served * kServesMore) {
      Begin(observed, 0, memory);
    } else if (now - *memory.held_since >= hold) {
      Begin(observed, memory.in_vain, memory);
    }
    return memory.held_since.has_value();
  }
  if (busy < kFull) return false;
  if (!memory.full_since || observed.ready < memory.ready) {
    Begin(observed, memory.in_vain, memory);
    return false;
  }
  if (observed.ready < memory.ready * kGrowth) {
    memory.grown_at.reset();
    return false;
  }
  if (!memory.grown_at) memory.grown_at = now;
  if (now - *memory.grown_at < options.settle) return false;
  const double share = static_cast<double>(observed.ready) / memory.ready - 1;
  if (*observed.rate >= memory.served * (1 + kShare * share)) {
    Begin(observed, 0, memory);
    return false;
  }
  memory.in_vain = std::min(memory.in_vain, kMostDoublings) + 1;
  memory.held_since = now;
  memory.ready = observed.ready;
  memory.served = std::min(*observed.rate, kMostRate);
  return true;
}

}  // namespace tidegate::sizing
