#include "policies/base/histogram.h"

#include <algorithm>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate {

template <int kBits>
std::uint64_t BasicHistogram<kBits>::HighestIn(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const std::uint64_t shift = (bucket - kExact) / kHalf + 1;
  const std::uint64_t rest = (bucket - kExact) % kHalf + kHalf;
  return ((rest + 1) << shift) - 1;
}

template <int kBits>
void BasicHistogram<kBits>::Merge(const BasicHistogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

template <int kBits>
void BasicHistogram<kBits>::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = 0;
  sum_ = 0;
  min_ = kMaxValue;
  max_ = 0;
}

template <int kBits>
double BasicHistogram<kBits>::Mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

template <int kBits>
std::uint64_t BasicHistogram<kBits>::Quantile(double q) const {
  TIDEGATE_CHECK(q >= 0 && q <= 1, "a quantile is a share between 0 and 1");
  if (count_ == 0) return 0;
  const auto rank = std::max(1.0, std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= rank) return std::clamp(HighestIn(i), min_, max_);
  }
  return max_;
}

template class BasicHistogram<11>;
template class BasicHistogram<6>;

}  // namespace tidegate
