#include "sim/engine/calendar.h"

#include <algorithm>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::sim {

void Calendar::At(Instant at, std::function<void()> event) {
  TIDEGATE_CHECK(at >= now_, "an event can't lie in the past");
  events_.push_back({at, sequence_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), Later{});
}

void Calendar::Reach(Instant at) {
  TIDEGATE_CHECK(at >= now_, "time goes on");
  if (flow_ && at > now_) flow_(at);
  now_ = at;
}

void Calendar::RunUntil(Instant end) {
  while (!events_.empty() && events_.front().at <= end) {
    std::pop_heap(events_.begin(), events_.end(), Later{});
    const Event event = std::move(events_.back());
    events_.pop_back();
    Reach(event.at);
    event.run();
  }
  Reach(end);
}

}  // namespace tidegate::sim
