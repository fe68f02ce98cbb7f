#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/estimator.h"
#include "policies/signals/snapshot.h"
#include "sim/world/range_functions.h"

namespace tidegate::sim {

enum class RangeFunction { kRate, kIncrease, kIrate };

// A signal that Prometheus computes: sum(rate(x[1m])), or with increase or irate for rate; or, with
// a resolution, rate(sum(x)[1m:15s]). The latter is a known mistake, for the simulator to show: a
// series that ends looks like a counter that was reset.
struct PromqlSignal {
  RangeFunction function = RangeFunction::kRate;
  Duration range{60'000};
  std::optional<Duration> resolution = std::nullopt;  // of a sum over time; > 0

  bool operator==(const PromqlSignal&) const = default;
};

// How far an instant selector looks back: Prometheus's query.lookback-delta by default.
inline constexpr Duration kLookback{300'000};

// What must be kept of each series for such a signal to be computed.
Duration Needed(const PromqlSignal& signal);

// Reads the two forms of expression that can be simulated, of a counter of requests:
//   sum [by|without (labels)] ( rate|increase|irate ( metric{matchers} [range] ) )
//   rate|increase|irate ( sum [by|without (labels)] ( metric{matchers} ) [range:resolution] )
// {{window}} stands for `window`. The only series of a simulated pool are its replicas' request
// counters, so metric and matchers are taken to select them. kInvalid, saying what is expected,
// for any other expression: a simulated result must not be of another query than the live one.
Expected<PromqlSignal> ParsePromqlSignal(std::string_view promql, Duration window);

// What the daemon would read of a Prometheus that holds `series`, stale markers among the samples
// where the signal has a resolution: kEmpty where no series has two samples in the range, else
// their sum, always ok: PromQL can't say what is missing in it.
signals::Reading ReadPromqlSignal(const PromqlSignal& signal, Instant now,
                                  std::span<const signals::SampleSeries> series,
                                  PromqlDialect dialect);

}  // namespace tidegate::sim
