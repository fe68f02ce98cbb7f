#include "traces/generate/generator.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidegate::traces {
namespace {

// Jumps inside a bin are met to a thirty-second of it.
constexpr int kPointsPerBin = 32;

// Separates the counts from the randomness of the rate itself.
constexpr std::uint64_t kCountStream = 1;

}  // namespace

Expected<Trace> FromRate(const GenerateOptions& options, const RateFunction& rate) {
  if (options.bin <= Duration(0) || options.length < options.bin * 2) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("a trace of {} in bins of {} has fewer than two bins",
                            FormatDuration(options.length), FormatDuration(options.bin)));
  }
  const auto bins = static_cast<std::size_t>(options.length / options.bin);
  if (bins > kMaxTraceBins) {
    return Fail(
        ErrorCode::kTooLarge,
        fmt::format("the trace would have {} bins; at most {} are made", bins, kMaxTraceBins));
  }
  Random random(options.seed, kCountStream);
  Trace trace{.bin = options.bin, .requests = {}};
  trace.requests.reserve(bins);
  const double bin_s = Seconds(options.bin);
  for (std::size_t i = 0; i < bins; ++i) {
    double sum = 0;
    for (int point = 0; point < kPointsPerBin; ++point) {
      sum += rate((static_cast<double>(i) + (point + 0.5) / kPointsPerBin) * bin_s);
    }
    const double mean = std::min(sum / kPointsPerBin * bin_s, kMaxRequestsPerBin);
    trace.requests.push_back(options.poisson ? random.Poisson(mean) : mean);
  }
  return trace;
}

}  // namespace tidegate::traces
