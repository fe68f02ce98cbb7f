#include "traces/import/range_reader.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "traces/import/prometheus_client.h"

namespace tidegate::traces {
namespace {

constexpr std::int64_t kMostPoints = 10'000;

// A smaller piece may be answered where this one was not.
bool MayHalve(const Error& error) {
  return error.code == ErrorCode::kTooLarge || error.code == ErrorCode::kTimeout ||
         error.message.find("too many samples") != std::string::npos ||
         error.message.find("exceeded maximum resolution") != std::string::npos;
}

// Puts the pieces of each series together.
class Collected {
 public:
  Expected<void> Add(Response piece) {
    for (ResponseSeries& one : piece.series) {
      auto& samples = series_[one.labels];
      if (!one.samples.empty() && !samples.empty() && samples.back().at >= one.samples.front().at) {
        return Fail(
            ErrorCode::kInvalid,
            one.labels.empty()
                ? "the query gives several series; put sum(...) around it"
                : fmt::format("the query gives several series with the same labels ({}); sum them",
                              fmt::join(one.labels, ", ")));
      }
      samples.insert(samples.end(), one.samples.begin(), one.samples.end());
      samples_ += one.samples.size();
    }
    if (samples_ <= RangeReader::kMostSamples) return {};
    return Fail(ErrorCode::kTooLarge,
                fmt::format("the history has more than {} samples; ask for less time or a longer "
                            "step",
                            RangeReader::kMostSamples));
  }

  std::vector<ResponseSeries> Take() {
    std::vector<ResponseSeries> all;
    for (auto& [labels, samples] : series_) all.push_back({labels, std::move(samples)});
    return all;
  }

 private:
  std::map<std::vector<std::string>, std::vector<signals::Sample>> series_;
  std::size_t samples_ = 0;
};

}  // namespace

Expected<std::vector<ResponseSeries>> RangeReader::Read(const RangeQuery& query,
                                                        const RangeProgress& progress) {
  TIDEGATE_CHECK(query.end >= query.begin && query.step > Duration(0), "a stretch of time");
  Collected collected;
  const std::int64_t points = (query.end - query.begin) / query.step + 1;
  std::int64_t piece = kMostPoints;
  for (std::int64_t done = 0; done < points;) {
    const std::int64_t count = std::min(piece, points - done);
    const Instant from = query.begin + query.step * done;
    const Instant to = from + query.step * (count - 1);
    ++pieces_;
    auto answer = AskPrometheus(client_, "/api/v1/query_range",
                                {{"query", query.promql},
                                 {"start", PrometheusTime(from)},
                                 {"end", PrometheusTime(to)},
                                 {"step", fmt::format("{:.3f}", Seconds(query.step))}},
                                query.labels, timeout_);
    if (!answer && count > 1 && MayHalve(answer.error())) {
      piece = (count + 1) / 2;
      continue;
    }
    if (!answer) {
      return Fail(answer.error().code, fmt::format("{} to {}: {}", FormatInstant(from),
                                                   FormatInstant(to), answer.error().message));
    }
    TIDEGATE_TRY_VOID(collected.Add(*std::move(answer)));
    done += count;
    if (progress) progress(static_cast<double>(done) / static_cast<double>(points));
  }
  return collected.Take();
}

}  // namespace tidegate::traces
