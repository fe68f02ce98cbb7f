#include "sim/faults/faulty_answer.h"

#include <limits>
#include <utility>

namespace tidegate::sim {

using signals::Sample;
using signals::SampleSeries;

std::vector<SampleSeries> FaultyAnswers::Scraped(std::span<const SampleSeries> series) const {
  std::vector<SampleSeries> scraped;
  for (const SampleSeries& one : series) {
    SampleSeries kept{one.replica, {}};
    for (const Sample& sample : one.samples) {
      const std::int64_t at = UnixMillis(sample.at);
      const bool faulty = sample.at < plan_.until;
      if (faulty && chance_.Hits(plan_.scrape_lost, "scrape_lost", one.replica, at)) continue;
      const bool nan = faulty && chance_.Hits(plan_.scrape_nan, "scrape_nan", one.replica, at);
      kept.samples.push_back(
          {sample.at, nan ? std::numeric_limits<double>::quiet_NaN() : sample.value});
    }
    if (!kept.samples.empty()) scraped.push_back(std::move(kept));
  }
  return scraped;
}

std::vector<SampleSeries> FaultyAnswers::Answer(Instant now, std::span<const SampleSeries> series) {
  if (now < thaws_) return frozen_;
  std::vector<SampleSeries> answer = Scraped(series);
  if (now >= plan_.until) return answer;
  const std::int64_t at = UnixMillis(now);
  if (chance_.Hits(plan_.query_empty, "query_empty", "", at)) return {};
  if (chance_.Hits(plan_.query_frozen, "query_frozen", "", at)) {
    thaws_ = std::min(plan_.until, now + chance_.Upto(plan_.frozen_max, "frozen for", "", at));
    frozen_ = answer;
  }
  return answer;
}

}  // namespace tidegate::sim
