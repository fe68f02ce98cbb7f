#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/signals/estimator.h"

namespace tidegate::traces {

// Bounds on what an answer may hold; past one the answer is kTooLarge.
struct ResponseLimits {
  std::size_t series = 1'000'000;
  std::size_t samples_per_series = 20'000;
};

// One series of an answer: the labels that were asked for, in that order ("" where it has none),
// and its samples.
struct ResponseSeries {
  std::vector<std::string> labels;
  std::vector<signals::Sample> samples;
};

enum class ResponseType { kMatrix, kVector, kScalar };
struct Response {
  ResponseType type = ResponseType::kVector;
  std::vector<ResponseSeries> series;  // a scalar is one series without labels
};

// Reads the body of a Prometheus answer to /api/v1/query or query_range. An answer of status
// "error" is an error: kTimeout for Prometheus's own time-outs, else kInvalid, with its message.
// Values may be NaN or infinite; samples are in the order of the answer, and ones that are not
// later than the one before are left out.
Expected<Response> ParseResponse(std::string_view body, std::span<const std::string> labels,
                                 const ResponseLimits& limits);

}  // namespace tidegate::traces
