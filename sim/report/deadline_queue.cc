#include "sim/report/deadline_queue.h"

#include <algorithm>

namespace tidegate::sim {
namespace {

constexpr double kInstant = 1e-9;  // seconds; shorter is rounding

}  // namespace

void DeadlineQueue::Clear() {
  waiting_.clear();
  now_ = head_ = 0;  // small times keep their digits
}

void DeadlineQueue::Advance(double seconds, double arrived, double capacity) {
  if (seconds <= 0) return;
  const double end = now_ + seconds;
  waiting_.push_back({end, arrived / seconds});
  while (end - now_ > kInstant) {
    const Arrivals& first = waiting_.front();
    const bool over = first.until - head_ <= kInstant;
    if (over || first.rate <= 0) {
      if (!over && first.until > now_) return Clear();  // nobody waits, and nobody comes
      head_ = std::max(head_, first.until);
      waiting_.pop_front();
      continue;
    }
    const double speed = capacity / first.rate;
    if (now_ - head_ <= kInstant && speed >= 1) return Clear();  // served as they come
    now_ += Step(first, speed, end - now_);
  }
  now_ = end;
}

double DeadlineQueue::Step(const Arrivals& first, double speed, double most) {
  const double slack = head_ - (now_ - wait_);
  if (speed < 1 && slack <= kInstant) {
    const double step = std::min(most, first.until - head_);
    missed_ += first.rate * (1 - speed) * step;
    head_ += step;
    return step;
  }
  double step = most;
  if (speed > 0) step = std::min(step, (first.until - head_) / speed);
  if (speed < 1) step = std::min(step, slack / (1 - speed));
  if (speed > 1) step = std::min(step, (now_ - head_) / (speed - 1));
  head_ += step * speed;
  return step;
}

}  // namespace tidegate::sim
