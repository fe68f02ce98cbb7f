#include "traces/import/binner.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 2;

}  // namespace

Binner::Binner(const BinOptions& options)
    : options_(options),
      bin_ms_(options.bin.count()),
      origin_ms_(options.start ? UnixMillis(*options.start) : 0),
      reorder_ms_(options.reorder.count()),
      latest_ms_(kNever) {
  TIDEGATE_CHECK(bin_ms_ > 0 && options.max_bins >= 2, "bins have a length");
  TIDEGATE_CHECK(!options.start || !options.end || *options.start < *options.end, "a stretch");
}

std::int64_t Binner::BinOf(std::int64_t at_ms) const {
  const std::int64_t since = at_ms - origin_ms_;
  return since / bin_ms_ - (since % bin_ms_ < 0 ? 1 : 0);
}

Binner::Outcome Binner::AddSlowly(std::int64_t at_ms) {
  if (options_.start && at_ms < UnixMillis(*options_.start)) return Outcome::kOutside;
  if (options_.end && at_ms >= UnixMillis(*options_.end)) return Outcome::kOutside;
  if (at_ms < latest_ms_ - reorder_ms_) return Outcome::kLate;
  const std::int64_t bin = BinOf(at_ms);
  if (counts_.empty()) first_bin_ = bin;
  const std::int64_t past_last =
      std::max(first_bin_ + static_cast<std::int64_t>(counts_.size()), bin + 1);
  if (past_last - std::min(first_bin_, bin) > static_cast<std::int64_t>(options_.max_bins)) {
    return Outcome::kTooWide;
  }
  while (bin < first_bin_) {
    counts_.push_front(0);
    --first_bin_;
  }
  while (first_bin_ + static_cast<std::int64_t>(counts_.size()) < past_last) counts_.push_back(0);
  latest_ms_ = std::max(latest_ms_, at_ms);
  current_ = &counts_[static_cast<std::size_t>(bin - first_bin_)];
  current_begin_ms_ = origin_ms_ + bin * bin_ms_;
  current_end_ms_ = current_begin_ms_ + bin_ms_;
  if (options_.end) current_end_ms_ = std::min(current_end_ms_, UnixMillis(*options_.end));
  ++*current_;
  return Outcome::kCounted;
}

void Binner::NextFile() { latest_ms_ = kNever; }

Instant Binner::last() const {
  return first() + Duration(bin_ms_ * static_cast<std::int64_t>(counts_.size()));
}

Duration Binner::BinFor(std::int64_t at_ms) const {
  static constexpr std::array<std::int64_t, 12> kRound = {
      10,     100,     1'000,     5'000,      10'000,      30'000,
      60'000, 300'000, 3'600'000, 86'400'000, 604'800'000, 31'536'000'000};
  const std::int64_t begin = std::min(UnixMillis(first()), at_ms);
  const std::int64_t end = std::max(UnixMillis(last()), at_ms + 1);
  const std::int64_t least = (end - begin) / static_cast<std::int64_t>(options_.max_bins - 1) + 1;
  for (const std::int64_t bin : kRound) {
    if (bin >= least) return Duration(bin);
  }
  return Duration(least);
}

Expected<Trace> Binner::Finish() const {
  std::int64_t begin = first_bin_;
  std::int64_t end = first_bin_ + static_cast<std::int64_t>(counts_.size());
  if (options_.start) begin = 0;
  if (options_.end) end = BinOf(UnixMillis(*options_.end) - 1) + 1;
  if (end - begin > static_cast<std::int64_t>(options_.max_bins)) {
    return Fail(ErrorCode::kTooLarge,
                fmt::format("the stretch from --start to --end has {} bins of {}; at most {} are "
                            "kept: use a longer --bin",
                            end - begin, FormatDuration(options_.bin), options_.max_bins));
  }
  if (end - begin < 2) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("all requests are in one bin of {}, and a trace has at least two: use a "
                    "shorter --bin",
                    FormatDuration(options_.bin)));
  }
  Trace trace{.bin = options_.bin, .requests = {}};
  trace.requests.assign(static_cast<std::size_t>(end - begin), 0);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto to = static_cast<std::size_t>(first_bin_ - begin) + i;
    trace.requests[to] = std::min(static_cast<double>(counts_[i]), kMaxRequestsPerBin);
  }
  return trace;
}

}  // namespace tidegate::traces
