#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

struct BinOptions {
  Duration bin{1'000};                // > 0
  std::optional<Instant> start, end;  // only [start, end); bins begin at start, else at multiples
                                      // of `bin` since 1970
  Duration reorder{300'000};          // how far a line may be behind the latest of its file
  std::size_t max_bins = kMaxTraceBins;  // 2..kMaxTraceBins
};

// Counts requests by their time. Memory: 8 bytes a bin between the first and the last one.
class Binner {
 public:
  enum class Outcome { kCounted, kOutside, kLate, kTooWide };

  // Precondition: bin > 0, and start < end where both are given.
  explicit Binner(const BinOptions& options);

  // kOutside: not in [start, end). kLate: more than `reorder` behind the latest time of this file;
  // not counted. kTooWide: would need more than `max_bins` bins; not counted.
  Outcome Add(std::int64_t at_ms) {
    if (at_ms >= current_begin_ms_ && at_ms < current_end_ms_ &&
        at_ms >= latest_ms_ - reorder_ms_) {
      latest_ms_ = std::max(latest_ms_, at_ms);
      ++*current_;
      return Outcome::kCounted;
    }
    return AddSlowly(at_ms);
  }
  // Times of the next file may be anywhere.
  void NextFile();

  bool empty() const { return counts_.empty(); }
  Instant first() const { return FromUnixMillis(first_bin_ * bin_ms_ + origin_ms_); }
  Instant last() const;  // end of the last bin
  // What `bin` would have to be for a time to fit besides those counted so far: a round one.
  Duration BinFor(std::int64_t at_ms) const;
  // The bins, from `start` to `end` where they are given. kInvalid where there are fewer than two,
  // kTooLarge past max_bins.
  Expected<Trace> Finish() const;

 private:
  Outcome AddSlowly(std::int64_t at_ms);
  std::int64_t BinOf(std::int64_t at_ms) const;

  BinOptions options_;
  std::int64_t bin_ms_;
  std::int64_t origin_ms_;
  std::deque<std::uint64_t> counts_;
  std::int64_t first_bin_ = 0;  // number of counts_[0], from the origin
  std::int64_t reorder_ms_;
  std::int64_t latest_ms_;  // of this file
  // The bin of the line before, which mostly is that of the next.
  std::uint64_t* current_ = nullptr;
  std::int64_t current_begin_ms_ = 0, current_end_ms_ = 0;
};

}  // namespace tidegate::traces
