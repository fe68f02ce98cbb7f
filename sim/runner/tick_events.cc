#include "sim/runner/tick_events.h"

#include <algorithm>
#include <utility>

namespace tidegate::sim {

TickEvents::TickEvents(Calendar& calendar, Instant end, bool early, Step step)
    : calendar_(calendar), end_(end), early_(early), step_(std::move(step)) {}

void TickEvents::Begin(Instant first) {
  next_tick_.Ticked(calendar_.Now(), first);
  PutNext();
}

void TickEvents::Happened() {
  if (!early_ || !begun_) return;
  if (ticking_) {
    happened_ = true;
    return;
  }
  next_tick_.Happened();
  if (std::max(next_tick_.At(), calendar_.Now()) < planned_) PutNext();
}

void TickEvents::PutNext() {
  planned_ = std::max(next_tick_.At(), calendar_.Now());
  calendar_.At(planned_, [this, number = ++number_] { Run(number); });
}

void TickEvents::Run(std::uint64_t number) {
  if (number != number_) return;  // an earlier one took its place
  begun_ = true;
  ticking_ = true;
  const Instant due = step_(std::max(Duration(0), calendar_.Now() - next_tick_.due()));
  ticking_ = false;
  const Instant now = calendar_.Now();
  next_tick_.Ticked(now, due);
  if (std::exchange(happened_, false)) next_tick_.Happened();
  const bool cut_short = now == end_ && due < now;  // the run ended while it waited
  if (!cut_short) PutNext();
}

}  // namespace tidegate::sim
