#include "sim/world/scraper.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace tidegate::sim {
namespace {

using signals::Sample;
using signals::SampleSeries;

// FNV-1a: any hash that spreads names evenly does; this one is the same everywhere.
std::uint64_t Hash(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  }
  return hash;
}

}  // namespace

void Scraper::Discover(Instant now, const std::string& replica) {
  const auto interval = static_cast<std::uint64_t>(model_.interval.count());
  const Duration phase(static_cast<std::int64_t>(Hash(replica) % interval));
  const Instant known = now + model_.discovery;
  const Duration since = (known.time_since_epoch() - phase) % model_.interval;
  const Duration wait = since == Duration(0) ? since : model_.interval - since;
  targets_.push_back({known + wait, replica, false});
  std::push_heap(targets_.begin(), targets_.end(), Later{});
}

std::optional<Instant> Scraper::NextDue() const {
  return targets_.empty() ? std::nullopt : std::optional(targets_.front().due);
}

void Scraper::AdvanceTo(Instant at) {
  while (!targets_.empty() && targets_.front().due <= at) {
    std::pop_heap(targets_.begin(), targets_.end(), Later{});
    Scrape(targets_.back());
  }
}

// `target` is the last of targets_ and not part of the heap for the moment.
void Scraper::Scrape(Target& target) {
  if (target.gone) {
    Forget(target.replica);
    targets_.pop_back();
    return;
  }
  pool_.AdvanceTo(target.due);
  if (const auto served = pool_.Served(target.replica)) {
    SeriesOf(target.replica).samples.push_back({target.due, std::floor(*served)});
    target.due += model_.interval;
  } else {
    // Its samples stay for as long as a query could still see them.
    target.gone = true;
    target.due += model_.window;
  }
  std::push_heap(targets_.begin(), targets_.end(), Later{});
}

SampleSeries& Scraper::SeriesOf(const std::string& replica) {
  const auto at = std::ranges::lower_bound(series_, replica, {}, &SampleSeries::replica);
  if (at != series_.end() && at->replica == replica) return *at;
  return *series_.insert(at, {replica, {}});
}

void Scraper::Forget(const std::string& replica) {
  std::erase_if(series_, [&](const SampleSeries& series) { return series.replica == replica; });
}

std::span<const SampleSeries> Scraper::Query(Instant now) {
  const Instant oldest = now - model_.window;
  // Samples that are too old are dropped a window's worth at a time: moving the rest down with
  // each scrape would cost more than reading past them.
  const auto most = static_cast<std::size_t>(2 * (model_.window / model_.interval) + 2);
  bool aged_out = false;
  for (SampleSeries& series : series_) {
    aged_out = aged_out || series.samples.back().at <= oldest;
    if (series.samples.size() <= most) continue;
    const auto young = std::ranges::find_if(
        series.samples, [&](const Sample& sample) { return sample.at > oldest; });
    series.samples.erase(series.samples.begin(), young);
  }
  if (aged_out) {
    std::erase_if(series_, [&](const SampleSeries& series) {
      return series.samples.empty() || series.samples.back().at <= oldest;
    });
  }
  return series_;
}

}  // namespace tidegate::sim
