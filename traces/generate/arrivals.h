#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "traces/format/trace.h"
#include "traces/generate/random.h"

namespace tidegate::traces {

struct ArrivalOptions {
  // Time runs this many times faster while rates stay what they are: a day at 24 takes an hour,
  // with a twenty-fourth of the requests. > 0, finite.
  double compress = 1;
  double scale = 1;  // rates are multiplied by this; >= 0, finite
  // true: requests fall at random within their bin, as independent users do. false: evenly spaced.
  bool poisson = true;
  std::uint64_t seed = 1;
};

// The single requests that a trace stands for, in time order, one at a time: no list is kept. Each
// bin gets exactly its count; where compression and scaling leave fractions, they add up from bin
// to bin, so that the total is right to one request. A Poisson process given its count is a set of
// independent uniform times, so exact counts and random times go together.
class Arrivals {
 public:
  // `trace` must outlive this.
  Arrivals(const Trace& trace, const ArrivalOptions& options);

  // The next request's time since the start, never before the last one; nothing at the end.
  std::optional<std::chrono::microseconds> Next();

 private:
  const Trace& trace_;
  ArrivalOptions options_;
  Random random_;
  double bin_s_ = 0;          // as played
  std::size_t next_bin_ = 0;  // the bin after the one being played
  double carried_ = 0;        // the fraction of a request left over by the bins so far
  double left_ = 0;           // requests still to come in this bin
  double total_ = 0;          // requests of this bin
  double at_ = 0;             // the last request's place in this bin, 0..1
};

// How long the arrivals of a trace take, and how many there are (to one request).
std::chrono::microseconds PlayedLength(const Trace& trace, const ArrivalOptions& options);
double PlayedRequests(const Trace& trace, const ArrivalOptions& options);

}  // namespace tidegate::traces
