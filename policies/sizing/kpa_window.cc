#include "policies/sizing/kpa_window.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace tidegate::sizing {
namespace {

constexpr Duration kBucket{1'000};
constexpr Duration kSlot{2'000};
constexpr double kDigits = 1e6;
constexpr double kLeastCoefficient = 0.2;
constexpr double kAllWeights = 0.9999;

std::int64_t Buckets(Duration length) { return length / kBucket; }

// Buckets that are older than the last write and the window of `length` that ends at `now`.
struct Valid {
  std::int64_t missing = 0;  // newest ones that were not written
  std::int64_t inside = 0;   // the others inside the window
};
Valid ValidAt(const KpaWindow& window, Duration length, Instant now) {
  const std::int64_t missing =
      std::max<std::int64_t>(0, Buckets(KpaBucket(now) - *window.last_write));
  return {missing, std::max<std::int64_t>(0, Buckets(length) - missing)};
}

double LinearMean(const KpaWindow& window, std::int64_t inside, std::int64_t written) {
  const auto size = static_cast<std::int64_t>(window.values.size());
  double sum = 0;
  for (std::int64_t i = std::max<std::int64_t>(0, size - inside); i < size; ++i) {
    sum += window.values[static_cast<std::size_t>(i)];
  }
  const double mean = sum / static_cast<double>(std::min(inside, written));
  return std::round(mean * kDigits) / kDigits;
}

double WeightedMean(const KpaWindow& window, std::int64_t buckets, const Valid& valid) {
  const double coefficient =
      std::max(1 - std::pow(1 - kAllWeights, 1 / static_cast<double>(buckets)), kLeastCoefficient);
  double weight = coefficient * std::pow(1 - coefficient, static_cast<double>(valid.missing));
  const auto size = static_cast<std::int64_t>(window.values.size());
  double mean = 0;
  for (std::int64_t i = size - 1; i >= std::max<std::int64_t>(0, size - valid.inside); --i) {
    mean += window.values[static_cast<std::size_t>(i)] * weight;
    weight *= 1 - coefficient;
  }
  return mean;
}

}  // namespace

Instant KpaBucket(Instant at) {
  return Instant(std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()));
}

void Record(KpaWindow& window, const KpaLengths& lengths, Instant at, double value) {
  const Instant bucket = KpaBucket(at);
  const Duration passed =
      window.last_write ? bucket - *window.last_write : lengths.stable;  // as if for long
  if (passed < Duration(0) && passed > -lengths.stable) return;
  const bool fresh = std::chrono::abs(passed) >= lengths.stable;
  if (fresh) window.values.assign(1, 0.0);
  if (fresh || passed >= lengths.panic) window.panic_begin = bucket;
  if (!fresh) {
    window.values.insert(window.values.end(), static_cast<std::size_t>(Buckets(passed)), 0.0);
    const auto most = static_cast<std::ptrdiff_t>(Buckets(lengths.stable));
    const auto surplus = static_cast<std::ptrdiff_t>(window.values.size()) - most;
    if (surplus > 0) window.values.erase(window.values.begin(), window.values.begin() + surplus);
  }
  window.values.back() = std::min(window.values.back() + value, KpaWindow::kMostValue);
  window.last_write = bucket;
}

bool IsEmpty(const KpaWindow& window, Duration length, Instant now) {
  return !window.last_write || KpaBucket(now) - *window.last_write > length;
}

double Mean(const KpaWindow& window, const KpaLengths& lengths, Duration length,
            KpaAggregation aggregation, Instant now) {
  if (IsEmpty(window, length, now)) return 0;
  const Valid valid = ValidAt(window, length, now);
  if (valid.inside == 0) return 0;
  if (aggregation == KpaAggregation::kWeightedExponential) {
    return WeightedMean(window, Buckets(length), valid);
  }
  const std::int64_t written = length == lengths.stable
                                   ? static_cast<std::int64_t>(window.values.size())
                                   : Buckets(*window.last_write - window.panic_begin) + 1;
  return LinearMean(window, valid.inside, written);
}

Replicas RecordDelayed(std::vector<KpaDelayed>& kept, Duration delay, Instant now,
                       Replicas replicas) {
  const std::int64_t slots = (delay + kSlot - Duration(1)) / kSlot;
  const std::int64_t slot =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) / kSlot;
  std::erase_if(kept, [&](const KpaDelayed& one) {
    return slot - one.slot >= slots || one.replicas <= replicas || one.slot > slot;
  });
  // Of several sizes in one slot the largest stays, and it is in `kept`.
  if (kept.empty() || kept.back().slot != slot) kept.push_back({slot, replicas});
  return kept.front().replicas;
}

}  // namespace tidegate::sizing
