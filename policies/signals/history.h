#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>

#include "policies/base/instant.h"

namespace tidegate::signals {

// The past of one signal: the mean of its readings in bins of equal width, NaN where there was
// none. Bins are numbered from 1970 on (bin 0 begins there), so that two histories of one signal
// agree on them whenever they began. Bounded: the oldest bins are dropped.
class History {
 public:
  static constexpr Duration kBin = std::chrono::minutes(1);
  static constexpr Duration kSpan = std::chrono::days(14);  // two weeks show a week twice
  static constexpr std::int64_t kMostBins = 20'160;         // kSpan in bins of kBin
  static constexpr double kMostValue = 1e30;                // larger ones count as this

  // Preconditions: bin > 0; bin <= span <= kMostBins * bin.
  explicit History(Duration bin = kBin, Duration span = kSpan);

  // A reading. Those of one bin are averaged, and the bin is complete as soon as a later one has a
  // reading. What is negative, not finite, or of a bin that is complete already, is left out.
  void Append(Instant at, double value);

  // Means of the bins from `first` on, as another memory has them. They fill what is missing here
  // and change nothing that is known; what lies before the span or is not complete is left out.
  void Refill(std::int64_t first, std::span<const float> means);

  Duration bin() const { return bin_; }
  std::int64_t BinOf(Instant at) const;
  Instant Center(std::int64_t bin) const { return FromUnixMillis(0) + bin * bin_ + bin_ / 2; }

  // Complete bins: [begin, end). Empty where both are equal.
  std::int64_t begin() const { return end_ - static_cast<std::int64_t>(means_.size()); }
  std::int64_t end() const { return end_; }
  bool empty() const { return means_.empty(); }
  // The mean of a bin; NaN where it is not known or not in [begin, end).
  float At(std::int64_t bin) const {
    const std::int64_t index = bin - begin();
    if (index < 0 || bin >= end_) return kNone;
    return means_[static_cast<std::size_t>(index)];
  }
  // The largest mean of the bins [from, end); 0 where none is known.
  double Peak(std::int64_t from) const;

 private:
  static constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

  // Closes the open bin; `until` is the next one.
  void Complete(std::int64_t until);

  Duration bin_;
  std::int64_t most_;
  std::deque<float> means_;
  std::int64_t end_ = 0;
  double sum_ = 0;  // of the readings of bin end_, which is open
  int count_ = 0;
};

}  // namespace tidegate::signals
