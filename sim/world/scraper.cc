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

// Steele, Lea and Flood's splitmix64 finaliser: all bits of the result depend on all of the
// argument.
std::uint64_t Mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

}  // namespace

bool Scraper::IsDown(Instant at) const {
  return std::ranges::any_of(
      model_.outages, [&](const Outage& outage) { return outage.from <= at && at < outage.until; });
}

void Scraper::Discover(Instant now, const std::string& replica) {
  const auto interval = static_cast<std::uint64_t>(model_.interval.count());
  const Duration phase(static_cast<std::int64_t>(Hash(replica) % interval));
  const Instant known = now + model_.discovery;
  const Duration since = (known.time_since_epoch() - phase) % model_.interval;
  const Duration wait = since == Duration(0) ? since : model_.interval - since;
  targets_.push_back({known + wait, replica});
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
    const double count = std::floor(*served);
    if (!Lost(target) && (count > 0 || !model_.born_by_request)) {
      const Sample sample{target.due, count};
      if (model_.latency > Duration(0)) {
        on_its_way_.push_back({target.replica, sample});
      } else {
        SeriesOf(target.replica).samples.push_back(sample);
      }
    }
    ++target.scrapes;
    target.due += model_.interval;
  } else {
    // Its samples stay for as long as a query could still see them.
    target.gone = true;
    target.due += model_.window + model_.latency;
  }
  std::push_heap(targets_.begin(), targets_.end(), Later{});
}

// Drawn from what the scrape is, not from a stream: how many others there were changes nothing.
bool Scraper::Lost(const Target& target) const {
  if (target.scrapes < model_.first_lost || IsDown(target.due)) return true;
  if (model_.lost <= 0) return false;
  const auto due = static_cast<std::uint64_t>(UnixMillis(target.due));
  const std::uint64_t bits = Mix(Mix(model_.seed + Hash(target.replica)) + due);
  return static_cast<double>(bits >> 11) * 0x1p-53 < model_.lost;
}

void Scraper::Deliver(Instant now) {
  const auto late = std::ranges::find_if(
      on_its_way_, [&](const OnItsWay& one) { return one.sample.at + model_.latency > now; });
  for (auto one = on_its_way_.begin(); one != late; ++one) {
    SeriesOf(one->replica).samples.push_back(one->sample);
  }
  on_its_way_.erase(on_its_way_.begin(), late);
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
  if (!on_its_way_.empty()) Deliver(now);
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
