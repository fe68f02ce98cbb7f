#include "traces/generate/arrivals.h"

#include <algorithm>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

constexpr std::uint64_t kArrivalStream = 4;

}  // namespace

Arrivals::Arrivals(const Trace& trace, const ArrivalOptions& options)
    : trace_(trace), options_(options), random_(options.seed, kArrivalStream) {
  TIDEGATE_CHECK(options.compress > 0 && std::isfinite(options.compress), "compress is above 0");
  TIDEGATE_CHECK(options.scale >= 0 && std::isfinite(options.scale), "scale is not negative");
  bin_s_ = Seconds(trace.bin) / options.compress;
}

std::optional<std::chrono::microseconds> Arrivals::Next() {
  while (left_ < 1) {
    if (next_bin_ == trace_.requests.size()) return std::nullopt;
    const double exact = trace_.requests[next_bin_] * options_.scale / options_.compress + carried_;
    // The tolerance keeps ten tenths from being nine tenths and a bit.
    total_ = std::floor(exact + 1e-9);
    carried_ = exact - total_;
    left_ = total_;
    at_ = 0;
    ++next_bin_;
  }
  if (options_.poisson) {
    // The smallest of `left_` uniform times in the rest of the bin.
    at_ += (1 - at_) * (1 - std::pow(1 - random_.Uniform(), 1 / left_));
  } else {
    at_ = (total_ - left_ + 0.5) / total_;
  }
  --left_;
  const double at_s = (static_cast<double>(next_bin_ - 1) + std::min(at_, 1.0)) * bin_s_;
  return std::chrono::microseconds(std::llround(at_s * 1e6));
}

std::chrono::microseconds PlayedLength(const Trace& trace, const ArrivalOptions& options) {
  return std::chrono::microseconds(std::llround(Seconds(Length(trace)) / options.compress * 1e6));
}

double PlayedRequests(const Trace& trace, const ArrivalOptions& options) {
  return TotalRequests(trace) * options.scale / options.compress;
}

}  // namespace tidegate::traces
