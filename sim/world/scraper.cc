#include "sim/world/scraper.h"

#include <cmath>

namespace tidegate::sim {
namespace {

// FNV-1a: any hash that spreads names evenly does; this one is the same everywhere.
std::uint64_t Hash(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  }
  return hash;
}

}  // namespace

Scraper::Scraper(Calendar& calendar, FluidPool& pool, ScrapeModel model)
    : calendar_(calendar), pool_(pool), model_(model) {}

void Scraper::Discover(const std::string& replica) {
  const auto interval = static_cast<std::uint64_t>(model_.interval.count());
  const Duration phase(static_cast<std::int64_t>(Hash(replica) % interval));
  const Instant known = calendar_.Now() + model_.discovery;
  const Duration since = (known.time_since_epoch() - phase) % model_.interval;
  const Duration wait = since == Duration(0) ? since : model_.interval - since;
  calendar_.At(known + wait, [this, replica] { Scrape(replica); });
}

void Scraper::Scrape(const std::string& replica) {
  if (!pool_.Knows(replica)) {
    // Gone: its samples stay for as long as a query could still see them.
    calendar_.At(calendar_.Now() + model_.window, [this, replica] { samples_.erase(replica); });
    return;
  }
  pool_.Advance();
  auto& samples = samples_[replica];
  samples.push_back({calendar_.Now(), std::floor(pool_.Served(replica))});
  while (samples.front().at <= calendar_.Now() - model_.window - model_.interval) {
    samples.pop_front();
  }
  calendar_.At(calendar_.Now() + model_.interval, [this, replica] { Scrape(replica); });
}

std::vector<signals::SampleSeries> Scraper::Query() const {
  std::vector<signals::SampleSeries> all;
  const Instant oldest = calendar_.Now() - model_.window;
  for (const auto& [replica, samples] : samples_) {
    signals::SampleSeries series{replica, {}};
    for (const signals::Sample& sample : samples) {
      if (sample.at > oldest) series.samples.push_back(sample);
    }
    if (!series.samples.empty()) all.push_back(std::move(series));
  }
  return all;
}

}  // namespace tidegate::sim
