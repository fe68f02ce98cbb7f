#pragma once

#include <cstdint>
#include <vector>

namespace tidegate::net {

// Counts of non-negative integers (latencies in microseconds, say) in log-linear buckets, as HDR
// histograms do: values below 2048 exactly, larger ones in 1024 buckets per power of two, so that a
// reported value is at most 0.1 % above the true one. Memory is bounded (at most 190 KiB)
// whatever is recorded. Histograms of several runs can be merged without loss.
class Histogram {
 public:
  static constexpr std::uint64_t kMaxValue = (std::uint64_t{1} << 32) - 1;

  // Values above kMaxValue count as kMaxValue.
  void Record(std::uint64_t value, std::uint64_t times = 1);
  void Merge(const Histogram& other);
  void Clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact; 0 if empty
  std::uint64_t max() const { return max_; }                    // exact; 0 if empty
  double Mean() const;                                          // exact; 0 if empty

  // The smallest recorded value v (to the precision above, rounded up) such that at least a share q
  // of all values is <= v: Quantile(0.99) is p99. 0 if empty. Precondition: 0 <= q <= 1.
  std::uint64_t Quantile(double q) const;

 private:
  std::vector<std::uint64_t> buckets_;  // grown to the largest value seen
  std::uint64_t count_ = 0;
  std::uint64_t min_ = kMaxValue;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace tidegate::net
