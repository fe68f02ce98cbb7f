#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/prometheus_response.h"
#include "traces/net/http_client.h"

namespace tidegate::traces {

// One expression over a stretch of time, evaluated at begin, begin + step, ... up to end, both
// included.
struct RangeQuery {
  std::string promql;
  Instant begin{};
  Instant end{};                    // >= begin
  Duration step{15'000};            // >= 1 ms
  std::vector<std::string> labels;  // that tell the series apart; series equal in them are refused
};

// Is told the share of a query's time that has been read, 0 .. 1, rising.
using RangeProgress = std::function<void(double share)>;

// Reads long histories from Prometheus, or anything that speaks its HTTP API, in pieces: Prometheus
// refuses more than 11,000 points a series in one query, and we ask for at most 10,000. A piece
// that is too large or too slow to answer is halved, and the rest is read in pieces of that size.
class RangeReader {
 public:
  // Most samples that one query may give; 16 bytes each.
  static constexpr std::size_t kMostSamples = 20'000'000;

  // `timeout` holds for each piece.
  RangeReader(net::HttpClient client, Duration timeout)
      : client_(std::move(client)), timeout_(timeout) {}

  // Sorted by labels, samples in order of time. Errors
  // as of AskPrometheus, with the piece's begin and end; kTooLarge past kMostSamples; kInvalid
  // where the labels do not tell the series apart.
  Expected<std::vector<ResponseSeries>> Read(const RangeQuery& query,
                                             const RangeProgress& progress);

  // Pieces that were asked for so far, tries that failed included.
  std::size_t pieces() const { return pieces_; }

 private:
  net::HttpClient client_;
  Duration timeout_;
  std::size_t pieces_ = 0;
};

}  // namespace tidegate::traces
