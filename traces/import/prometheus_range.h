#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/prometheus_response.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

// What a sample of a range query says of the step that ends at it.
enum class RangeValues {
  kRate,   // requests per second, as rate(x[1m]) gives
  kCount,  // requests, as increase(x[1m]) gives for a step of 1m
};
// What is made of steps without a sample. No data is not no load, so the default is to refuse them.
enum class RangeGaps { kRefuse, kZero, kLine /* between the neighbours */ };

struct RangeOptions {
  RangeValues values = RangeValues::kRate;
  RangeGaps gaps = RangeGaps::kRefuse;
  Duration step{0};         // 0: told by the samples, which must be at equal steps
  bool sum_series = false;  // else several series are an error
  // Times of the first and the last sample that were asked for, whole steps apart; none: those that
  // there are. With them, missing samples at the ends are gaps too.
  std::optional<Instant> first{}, last{};
};

struct RangeTrace {
  Trace trace;
  Instant start{};         // of the first bin: one step before the first sample
  std::size_t filled = 0;  // steps without a sample
};

// Samples of a range query as a trace: a bin for each step. Steps where one of several summed
// series has no sample count as having none, unless it has not begun or has ended: a series exists
// while its replica does. NaN is no sample. kInvalid for an answer that is no matrix, holds no or
// several series, negative or infinite values, samples at unequal steps, fewer than two steps, or
// gaps that are refused; kTooLarge past kMaxTraceBins.
Expected<RangeTrace> TraceOfRange(const Response& response, const RangeOptions& options);

// True if this is how Prometheus's answers begin.
bool LooksLikeRange(std::string_view begin);

}  // namespace tidegate::traces
