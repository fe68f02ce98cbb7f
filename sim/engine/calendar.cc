#include "sim/engine/calendar.h"

#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {

void Calendar::At(Instant at, std::function<void()> event) {
  TIDEGATE_CHECK(at >= now_, "an event can't lie in the past");
  events_.push({at, sequence_++, std::move(event)});
}

void Calendar::RunUntil(Instant end) {
  while (!events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.run();
  }
  now_ = end;
}

}  // namespace tidegate::sim
