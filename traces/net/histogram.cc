#include "traces/net/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::net {
namespace {

// A value with more than kBits significant bits loses its lowest `shift` ones. Each shift has
// kHalf buckets, since the highest bit of the rest is always set.
constexpr int kBits = 11;
constexpr std::uint64_t kExact = std::uint64_t{1} << kBits;
constexpr std::uint64_t kHalf = kExact / 2;

std::size_t BucketOf(std::uint64_t value) {
  if (value < kExact) return value;
  const auto shift = static_cast<std::uint64_t>(std::bit_width(value) - kBits);
  return kExact + (shift - 1) * kHalf + ((value >> shift) - kHalf);
}

std::uint64_t HighestIn(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const std::uint64_t shift = (bucket - kExact) / kHalf + 1;
  const std::uint64_t rest = (bucket - kExact) % kHalf + kHalf;
  return ((rest + 1) << shift) - 1;
}

}  // namespace

void Histogram::Record(std::uint64_t value, std::uint64_t times) {
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

void Histogram::Merge(const Histogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = 0;
  sum_ = 0;
  min_ = kMaxValue;
  max_ = 0;
}

double Histogram::Mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::Quantile(double q) const {
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

}  // namespace tidegate::net
