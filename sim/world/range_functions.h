#pragma once

#include <optional>
#include <span>

#include "policies/base/instant.h"
#include "policies/signals/estimator.h"

// What Prometheus answers for one series: rate(), increase(), irate() over a range, and the value
// of an instant selector. For scenarios whose signals are plain PromQL; where raw samples are read,
// signals::EstimateRate is used instead.

namespace tidegate::sim {

// Where the versions of Prometheus differ.
struct PromqlDialect {
  // A range (t - r, t] and a lookback (t - d, t] leave out their first instant. 2.x: no, 3.x: yes.
  bool left_open = false;
  // Near the start of a range, 2.x lets the counter's zero point replace the way to the range's
  // start and applies the threshold to the result; newer ones apply the threshold first.
  bool threshold_before_zero_point = false;

  bool operator==(const PromqlDialect&) const = default;
};
inline constexpr PromqlDialect kPrometheus2{};
inline constexpr PromqlDialect kPrometheus3{.left_open = true, .threshold_before_zero_point = true};

// The NaN, of one bit pattern, that Prometheus stores where a series ends or its target could not
// be scraped.
double StaleMarker();
bool IsStaleMarker(double value);

// One range selector's view of a series: x[range] at `at`.
struct RangeQuery {
  Instant at{};
  Duration range{60'000};  // > 0
  PromqlDialect dialect = kPrometheus2;
};

// The samples that the range selector picks, among them stale markers that the functions below
// skip. `samples` are in strictly increasing time order, here and below.
std::span<const signals::Sample> SelectRange(std::span<const signals::Sample> samples,
                                             const RangeQuery& query);

// increase(x[range]): the growth from the first sample to the last, a fall counting as a restart
// from zero, extrapolated towards both ends of the range: all the way where the gap to the end is
// less than 1.1 mean intervals between the samples, else by half a mean interval; towards the start
// never past the time at which the counter would have been zero. Unset with fewer than two samples.
// Source: extrapolatedRate in promql/functions.go of Prometheus.
std::optional<double> Increase(std::span<const signals::Sample> samples, const RangeQuery& query);
// rate(x[range]): increase per second of the range.
std::optional<double> PromqlRate(std::span<const signals::Sample> samples, const RangeQuery& query);
// irate(x[range]): per second between the last two samples, from zero where the counter fell.
std::optional<double> InstantRate(std::span<const signals::Sample> samples,
                                  const RangeQuery& query);

// An instant selector: the newest sample of the lookback (query.range; Prometheus's default is
// 5 m), unset where that one is a stale marker or there is none.
std::optional<signals::Sample> InstantValue(std::span<const signals::Sample> samples,
                                            const RangeQuery& query);

}  // namespace tidegate::sim
