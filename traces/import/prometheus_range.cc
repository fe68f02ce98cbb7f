#include "traces/import/prometheus_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "traces/format/trace_file.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kShownGaps = 5;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

Error Bad(std::string what) {
  return {ErrorCode::kInvalid, "the range cannot be made a trace: " + std::move(what)};
}

struct Steps {
  Instant first{};
  Duration step{0};
  std::size_t count = 0;
};

// The grid on which all samples lie.
Expected<Steps> StepsOf(const Response& response, const RangeOptions& options) {
  Instant first = Instant::max(), last = Instant::min();
  for (const ResponseSeries& one : response.series) {
    if (one.samples.empty()) continue;
    first = std::min(first, one.samples.front().at);
    last = std::max(last, one.samples.back().at);
  }
  first = std::min(first, options.first.value_or(first));
  last = std::max(last, options.last.value_or(last));
  if (first >= last) return Fail(Bad("it has fewer than two samples"));
  Duration::rep common = options.step.count();
  std::size_t samples = 0;
  for (const ResponseSeries& one : response.series) {
    for (const signals::Sample& sample : one.samples) {
      common = std::gcd(common, (sample.at - first).count());
    }
    samples = std::max(samples, one.samples.size());
  }
  if (options.step > Duration(0) && common != options.step.count()) {
    return Fail(
        Bad(fmt::format("its samples are not at steps of {}", FormatDuration(options.step))));
  }
  const auto count = static_cast<std::size_t>((last - first).count() / common) + 1;
  if (Duration(common) > kMaxTraceBin) return Fail(Bad("its samples are centuries apart"));
  // Scrapes come a few milliseconds early or late; that many steps have never been asked for.
  if (options.step == Duration(0) && count / 100 > samples) {
    return Fail(
        Bad(fmt::format("its samples are not at equal steps ({} samples on a grid of {}); "
                        "use /api/v1/query_range, whose samples are",
                        samples, FormatDuration(Duration(common)))));
  }
  if (count > kMaxTraceBins) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("the range has {} steps; at most {} are read", count, kMaxTraceBins));
  }
  return Steps{first, Duration(common), count};
}

// Adds a series to the sums; its gaps become gaps of the sum.
Expected<void> AddSeries(const ResponseSeries& one, const Steps& steps, std::vector<double>& sums,
                         std::vector<bool>& seen) {
  const auto index = [&](Instant at) {
    return static_cast<std::size_t>((at - steps.first) / steps.step);
  };
  std::size_t next = one.samples.empty() ? 0 : index(one.samples.front().at);
  for (const signals::Sample& sample : one.samples) {
    const std::size_t at = index(sample.at);
    for (; next < at; ++next) sums[next] = kMissing;
    next = at + 1;
    if (sample.value < 0 || std::isinf(sample.value)) {
      return Fail(
          Bad(fmt::format("it has the value {} at {}; expected numbers of requests, which "
                          "are not negative",
                          sample.value, FormatInstant(sample.at))));
    }
    sums[at] += sample.value;  // NaN stays NaN
    seen[at] = true;
  }
  return {};
}

// Bins without a value get one from the neighbours that have one.
void FillByLine(std::vector<double>& bins) {
  std::size_t known = bins.size();  // the last known bin; none yet
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (std::isnan(bins[i])) continue;
    const std::size_t begin = known == bins.size() ? 0 : known + 1;
    for (std::size_t j = begin; j < i; ++j) {
      const double left = known == bins.size() ? bins[i] : bins[known];
      const double share = static_cast<double>(j + 1 - begin) / static_cast<double>(i + 1 - begin);
      bins[j] = left + (bins[i] - left) * share;
    }
    known = i;
  }
  if (known == bins.size()) return;
  std::fill(bins.begin() + static_cast<std::ptrdiff_t>(known), bins.end(), bins[known]);
}

Expected<std::size_t> FillGaps(std::vector<double>& bins, const Steps& steps, RangeGaps gaps) {
  std::size_t filled = 0;
  std::string shown;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (!std::isnan(bins[i])) continue;
    if (++filled > kShownGaps) continue;
    const Instant at = steps.first + steps.step * static_cast<Duration::rep>(i);
    shown += (shown.empty() ? "" : ", ") + FormatInstant(at);
  }
  if (filled == 0) return filled;
  if (filled == bins.size()) return Fail(Bad("no step has a value"));
  if (gaps == RangeGaps::kRefuse) {
    return Fail(
        Bad(fmt::format("{} of {} steps have no sample ({}{}), and no data is not no load; "
                        "--gaps line fills them from their neighbours, --gaps zero with 0",
                        filled, bins.size(), shown, filled > kShownGaps ? ", ..." : "")));
  }
  if (gaps == RangeGaps::kLine) {
    FillByLine(bins);
  } else {
    std::replace_if(
        bins.begin(), bins.end(), [](double x) { return std::isnan(x); }, 0.0);
  }
  return filled;
}

}  // namespace

Expected<RangeTrace> TraceOfRange(const Response& response, const RangeOptions& options) {
  if (response.type != ResponseType::kMatrix) {
    return Fail(Bad("it is no matrix; expected the answer to /api/v1/query_range"));
  }
  if (response.series.empty()) return Fail(Bad("it has no series: the query found nothing"));
  if (response.series.size() > 1 && !options.sum_series) {
    return Fail(
        Bad(fmt::format("it has {} series; put sum(...) around the query, or use "
                        "--sum-series",
                        response.series.size())));
  }
  TIDEGATE_TRY(const Steps steps, StepsOf(response, options));
  std::vector<double> bins(steps.count, 0);
  std::vector<bool> seen(steps.count, false);
  for (const ResponseSeries& one : response.series) {
    TIDEGATE_TRY_VOID(AddSeries(one, steps, bins, seen));
  }
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (!seen[i]) bins[i] = kMissing;
  }
  TIDEGATE_TRY(const std::size_t filled, FillGaps(bins, steps, options.gaps));
  const double factor = options.values == RangeValues::kRate ? Seconds(steps.step) : 1;
  for (double& value : bins) {
    value *= factor;
    if (value > kMaxRequestsPerBin) return Fail(Bad("a step has more than 1e12 requests"));
  }
  return RangeTrace{.trace = {.bin = steps.step, .requests = std::move(bins)},
                    .start = steps.first - steps.step,
                    .filled = filled};
}

bool LooksLikeRange(std::string_view begin) {
  const std::size_t at = begin.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos) return false;
  begin.remove_prefix(at);
  return begin.starts_with("{\"status\":") && begin.find("\"resultType\"") < 200;
}

}  // namespace tidegate::traces
