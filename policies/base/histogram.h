#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tidegate {

// Counts of non-negative integers (latencies in microseconds, say) in log-linear buckets, as HDR
// histograms do: values below 2^kBits exactly, larger ones in 2^(kBits - 1) buckets per power of
// two, so that a reported value is at most 1 / 2^(kBits - 1) above the true one. Memory is bounded
// whatever is recorded. Histograms of several runs can be merged without loss.
template <int kBits>
class BasicHistogram {
 public:
  static constexpr std::uint64_t kMaxValue = (std::uint64_t{1} << 32) - 1;

  // Values above kMaxValue count as kMaxValue.
  void Record(std::uint64_t value, std::uint64_t times = 1) {
    if (times == 0) return;
    value = std::min(value, kMaxValue);
    const std::size_t bucket = BucketOf(value);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    buckets_[bucket] += times;
    count_ += times;
    sum_ += static_cast<double>(value) * static_cast<double>(times);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }
  // Each of them once. Faster than one by one: sums stay in registers.
  void RecordAll(std::span<const std::uint64_t> values) {
    std::uint64_t least = min_, most = max_, sum = 0;
    for (const std::uint64_t given : values) {
      const std::uint64_t value = std::min(given, kMaxValue);
      const std::size_t bucket = BucketOf(value);
      if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
      ++buckets_[bucket];
      sum += value;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    count_ += values.size();
    sum_ += static_cast<double>(sum);
    min_ = least;
    max_ = most;
  }
  void Merge(const BasicHistogram& other);
  void Clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact; 0 if empty
  std::uint64_t max() const { return max_; }                    // exact; 0 if empty
  double Mean() const;                                          // exact; 0 if empty

  // The smallest recorded value v (to the precision above, rounded up) such that at least a share q
  // of all values is <= v: Quantile(0.99) is p99. 0 if empty. Precondition: 0 <= q <= 1.
  std::uint64_t Quantile(double q) const;

 private:
  // A value with more than kBits significant bits loses its lowest `shift` ones. Each shift has
  // kHalf buckets, since the highest bit of the rest is always set.
  static constexpr std::uint64_t kExact = std::uint64_t{1} << kBits;
  static constexpr std::uint64_t kHalf = kExact / 2;
  static std::size_t BucketOf(std::uint64_t value) {
    if (value < kExact) return value;
    const auto shift = static_cast<std::uint64_t>(std::bit_width(value) - kBits);
    return kExact + (shift - 1) * kHalf + ((value >> shift) - kHalf);
  }
  static std::uint64_t HighestIn(std::size_t bucket);

  std::vector<std::uint64_t> buckets_;  // grown to the largest value seen
  std::uint64_t count_ = 0;
  std::uint64_t min_ = kMaxValue;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

extern template class BasicHistogram<11>;
extern template class BasicHistogram<6>;

using Histogram = BasicHistogram<11>;       // to 0.1 %; at most 190 KiB
using CoarseHistogram = BasicHistogram<6>;  // to 3 %; at most 7 KiB

}  // namespace tidegate
