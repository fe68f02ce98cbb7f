#pragma once

#include <span>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/signals/estimator.h"
#include "policies/signals/snapshot.h"
#include "sim/world/range_functions.h"

namespace tidegate::sim {

enum class RangeFunction { kRate, kIncrease, kIrate };

// A signal that Prometheus computes: sum(rate(x[1m])), or with increase or irate for rate.
struct PromqlSignal {
  RangeFunction function = RangeFunction::kRate;
  Duration range{60'000};

  bool operator==(const PromqlSignal&) const = default;
};

// Reads the one form of expression that can be simulated, of a counter of requests:
//   sum [by|without (labels)] ( rate|increase|irate ( metric{matchers} [range] ) )
// {{window}} stands for `window`. The only series of a simulated pool are its replicas' request
// counters, so metric and matchers are taken to select them. kInvalid, saying what is expected,
// for any other expression: a simulated result must not be of another query than the live one.
Expected<PromqlSignal> ParsePromqlSignal(std::string_view promql, Duration window);

// What the daemon would read of a Prometheus that holds `series`: kEmpty where no series has two
// samples in the range, else their sum, always ok: PromQL can't say what is missing in it.
signals::Reading ReadPromqlSignal(const PromqlSignal& signal, Instant now,
                                  std::span<const signals::SampleSeries> series,
                                  PromqlDialect dialect);

}  // namespace tidegate::sim
