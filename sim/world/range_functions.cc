#include "sim/world/range_functions.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tidegate::sim {
namespace {

using signals::Sample;

// value.StaleNaN of Prometheus: one signalling NaN; all others are ordinary values.
constexpr std::uint64_t kStaleBits = 0x7ff0000000000002ULL;

// How far beyond the mean interval a gap may be for another sample to be expected there.
constexpr double kGapAllowance = 1.1;

// What the samples of a range say, markers left out.
struct Growth {
  std::size_t count = 0;
  Sample first;
  Sample last;
  double amount = 0;  // last - first, and what the counter had before each of its falls
};

Growth Grow(std::span<const Sample> samples) {
  Growth growth;
  for (const Sample& sample : samples) {
    if (IsStaleMarker(sample.value)) continue;
    if (growth.count == 0) growth.first = sample;
    if (growth.count > 0 && sample.value < growth.last.value) growth.amount += growth.last.value;
    growth.last = sample;
    ++growth.count;
  }
  growth.amount = growth.last.value - growth.first.value + growth.amount;
  return growth;
}

// The time until the first sample at which the counter would have been zero, at its mean slope;
// unset where it has no slope.
std::optional<double> SecondsSinceZero(const Growth& growth, double sampled) {
  if (!(growth.amount > 0) || !(growth.first.value >= 0)) return std::nullopt;
  return sampled * (growth.first.value / growth.amount);
}

}  // namespace

double StaleMarker() { return std::bit_cast<double>(kStaleBits); }

bool IsStaleMarker(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleBits; }

std::span<const Sample> SelectRange(std::span<const Sample> samples, const RangeQuery& query) {
  const Instant start = query.at - query.range;
  const auto from = query.dialect.left_open
                        ? std::ranges::upper_bound(samples, start, {}, &Sample::at)
                        : std::ranges::lower_bound(samples, start, {}, &Sample::at);
  const auto to = std::upper_bound(from, samples.end(), query.at,
                                   [](Instant at, const Sample& sample) { return at < sample.at; });
  return {from, to};
}

std::optional<double> Increase(std::span<const Sample> samples, const RangeQuery& query) {
  const Growth growth = Grow(SelectRange(samples, query));
  if (growth.count < 2) return std::nullopt;
  const double sampled = Seconds(growth.last.at - growth.first.at);
  const double interval = sampled / static_cast<double>(growth.count - 1);
  const double threshold = interval * kGapAllowance;
  const auto bounded = [&](double gap) { return gap < threshold ? gap : interval / 2; };

  const double gap_at_start = Seconds(growth.first.at - (query.at - query.range));
  const double since_zero = SecondsSinceZero(growth, sampled).value_or(gap_at_start);
  const double before = query.dialect.threshold_before_zero_point
                            ? std::min(bounded(gap_at_start), since_zero)
                            : bounded(std::min(gap_at_start, since_zero));
  const double after = bounded(Seconds(query.at - growth.last.at));
  return growth.amount * ((sampled + before + after) / sampled);
}

std::optional<double> PromqlRate(std::span<const Sample> samples, const RangeQuery& query) {
  const auto increase = Increase(samples, query);
  if (!increase) return std::nullopt;
  return *increase / Seconds(query.range);
}

std::optional<double> InstantRate(std::span<const Sample> samples, const RangeQuery& query) {
  const auto selected = SelectRange(samples, query);
  std::optional<Sample> last;
  for (auto sample = selected.rbegin(); sample != selected.rend(); ++sample) {
    if (IsStaleMarker(sample->value)) continue;
    if (!last) {
      last = *sample;
      continue;
    }
    const double growth = last->value < sample->value ? last->value : last->value - sample->value;
    return growth / Seconds(last->at - sample->at);
  }
  return std::nullopt;
}

std::optional<Sample> InstantValue(std::span<const Sample> samples, const RangeQuery& query) {
  const auto selected = SelectRange(samples, query);
  if (selected.empty() || IsStaleMarker(selected.back().value)) return std::nullopt;
  return selected.back();
}

}  // namespace tidegate::sim
