#include "policies/signals/history.h"

#include <algorithm>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::signals {

History::History(Duration bin, Duration span)
    : bin_(bin), most_(bin > Duration(0) ? span / bin : 0) {
  TIDEGATE_CHECK(most_ >= 1 && most_ <= kMostBins, "a history is 1 .. 20160 bins");
}

std::int64_t History::BinOf(Instant at) const {
  const std::int64_t millis = UnixMillis(at);
  const std::int64_t width = bin_.count();
  return millis >= 0 ? millis / width : -((width - 1 - millis) / width);
}

void History::Complete(std::int64_t until) {
  means_.push_back(count_ > 0 ? static_cast<float>(sum_ / count_) : kNone);
  const std::int64_t gap = until - end_ - 1;
  if (gap >= most_) {
    means_.clear();  // a pause longer than the span leaves nothing to keep
  } else {
    means_.resize(means_.size() + static_cast<std::size_t>(gap), kNone);
  }
  while (static_cast<std::int64_t>(means_.size()) > most_) means_.pop_front();
  end_ = until;
  sum_ = 0;
  count_ = 0;
}

void History::Append(Instant at, double value) {
  if (!(value >= 0) || !std::isfinite(value)) return;
  const std::int64_t bin = BinOf(at);
  if (means_.empty() && count_ == 0) end_ = std::max(bin, end_);
  if (bin < end_) return;
  if (bin > end_) Complete(bin);
  sum_ += std::min(value, kMostValue);
  ++count_;
}

void History::Refill(std::int64_t first, std::span<const float> means) {
  const auto known = [](float mean) { return mean >= 0 && mean <= static_cast<float>(kMostValue); };
  const std::int64_t size = static_cast<std::int64_t>(means.size());
  if (means_.empty() && count_ == 0) end_ = first + size;
  const std::int64_t oldest = std::max(first, end_ - most_);
  const std::int64_t until = std::min(first + size, end_);
  while (begin() > oldest && oldest < until) means_.push_front(kNone);
  for (std::int64_t bin = oldest; bin < until; ++bin) {
    float& mean = means_[static_cast<std::size_t>(bin - begin())];
    const float given = means[static_cast<std::size_t>(bin - first)];
    if (!(mean >= 0) && known(given)) mean = given;
  }
}

double History::Peak(std::int64_t from) const {
  double peak = 0;
  for (std::int64_t bin = std::max(from, begin()); bin < end_; ++bin) {
    if (At(bin) > 0) peak = std::max(peak, static_cast<double>(At(bin)));
  }
  return peak;
}

}  // namespace tidegate::signals
