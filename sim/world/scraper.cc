#include "sim/world/scraper.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include "sim/world/range_functions.h"

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

// What is drawn about a scrape.
constexpr std::uint64_t kAnswer = 0;
constexpr std::uint64_t kNotice = 0x6e6f746963650000ULL;

}  // namespace

Duration ScrapeTimeout(Duration interval) { return std::min(Duration(10'000), interval); }

bool Scraper::IsDown(Instant at) const {
  return std::ranges::any_of(
      model_.outages, [&](const Outage& outage) { return outage.from <= at && at < outage.until; });
}

bool Scraper::DownWithin(Instant from, Instant to) const {
  return std::ranges::any_of(model_.outages, [&](const Outage& outage) {
    return outage.from <= to && from < outage.until;
  });
}

void Scraper::Discover(Instant now, const std::string& replica) {
  const Instant known = now + model_.discovery;
  const Duration since = (known.time_since_epoch() - NextPhase(replica)) % model_.interval;
  const Duration wait = since == Duration(0) ? since : model_.interval - since;
  Enter({known + wait, replica});
}

// Who was just scraped is next one interval later, which is after nearly all others: its place is
// looked for from the end.
void Scraper::Enter(Target target) {
  const auto key = [](const Target& one) { return std::tie(one.due, one.replica); };
  auto at = targets_.end();
  while (at != targets_.begin() && key(*(at - 1)) > key(target)) --at;
  targets_.insert(at, std::move(target));
}

Duration Scraper::NextPhase(const std::string& replica) {
  const std::size_t place = discovered_++;
  if (place < model_.phases.size()) return model_.phases[place];
  const auto interval = static_cast<std::uint64_t>(model_.interval.count());
  const std::uint64_t bits = Mix(Mix(model_.seed) ^ Hash(replica));
  return Duration(static_cast<std::int64_t>(bits % interval));
}

std::optional<Instant> Scraper::NextDue() const {
  return targets_.empty() ? std::nullopt : std::optional(targets_.front().due);
}

void Scraper::AdvanceTo(Instant at) {
  while (!targets_.empty() && targets_.front().due <= at) {
    Target target = std::move(targets_.front());
    targets_.pop_front();
    Scrape(std::move(target));
  }
}

void Scraper::Scrape(Target target) {
  if (target.gone) return Forget(target.replica);
  pool_.AdvanceTo(target.due);
  if (const auto served = pool_.Served(target.replica)) {
    const double count = std::floor(*served);
    if (Lost(target)) {
      Mark(target, target.due + ScrapeTimeout(model_.interval));
    } else if (count > 0 || !model_.born_by_request) {
      Store(target.replica, {target.due, count}, target.due + model_.latency);
      target.sampled = target.due;
    }
    ++target.scrapes;
    target.due += model_.interval;
  } else {
    Leave(target);
  }
  Enter(std::move(target));
}

// When a replica ends isn't told: it did at any time since its last scrape. Where discovery has not
// dropped it since then, this scrape fails at once, as nobody listens there.
void Scraper::Leave(Target& target) {
  const double since = Draw(target, kNotice) * Seconds(model_.interval);
  const bool dropped = since >= Seconds(model_.discovery);
  const Duration wait = dropped ? model_.interval + model_.interval / 10 : Duration(0);
  Mark(target, target.due + wait);
  // Its samples stay for as long as a query could still see them.
  target.gone = true;
  target.due += model_.window + model_.latency + model_.query_delay;
}

// In [0, 1). From what the scrape is, not from a stream: how many others there were changes
// nothing.
double Scraper::Draw(const Target& target, std::uint64_t what) const {
  const auto due = static_cast<std::uint64_t>(UnixMillis(target.due));
  const std::uint64_t bits = Mix(Mix(model_.seed + Hash(target.replica)) + due + what);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Also one that is under way when Prometheus goes down.
bool Scraper::Lost(const Target& target) const {
  if (target.scrapes < model_.first_lost) return true;
  if (DownWithin(target.due, target.due + model_.latency)) return true;
  return model_.lost > 0 && Draw(target, kAnswer) < model_.lost;
}

void Scraper::Mark(Target& target, Instant stored) {
  if (target.sampled && !DownWithin(*target.sampled, stored)) {
    Store(target.replica, {target.due, StaleMarker()}, stored);
  }
  target.sampled.reset();
}

void Scraper::Store(const std::string& replica, const Sample& sample, Instant stored) {
  const Instant seen = stored + model_.query_delay;
  if (seen > sample.at) {
    const auto after = std::ranges::upper_bound(on_its_way_, seen, {}, &OnItsWay::seen);
    on_its_way_.insert(after, {seen, replica, sample});
  } else {
    Deliver(seen);  // so that a series' samples stay in order
    Put(replica, sample);
  }
}

void Scraper::Deliver(Instant now) {
  auto one = on_its_way_.begin();
  for (; one != on_its_way_.end() && one->seen <= now; ++one) Put(one->replica, one->sample);
  on_its_way_.erase(on_its_way_.begin(), one);
}

void Scraper::Put(const std::string& replica, const Sample& sample) {
  if (IsStaleMarker(sample.value)) {
    markers_.push_back({replica, sample.at});
  } else {
    SeriesOf(replica).samples.push_back(sample);
  }
}

SampleSeries& Scraper::SeriesOf(const std::string& replica) {
  const auto at = std::ranges::lower_bound(series_, replica, {}, &SampleSeries::replica);
  if (at != series_.end() && at->replica == replica) return *at;
  return *series_.insert(at, {replica, {}});
}

void Scraper::Forget(const std::string& replica) {
  std::erase_if(series_, [&](const SampleSeries& series) { return series.replica == replica; });
  std::erase_if(markers_, [&](const Marker& marker) { return marker.replica == replica; });
}

std::span<const SampleSeries> Scraper::Query(Instant now) {
  Deliver(now);
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
  if (!markers_.empty() && markers_.front().at <= oldest) {
    std::erase_if(markers_, [&](const Marker& marker) { return marker.at <= oldest; });
  }
  return series_;
}

std::vector<SampleSeries> Scraper::Stored(Instant now) {
  const auto plain = Query(now);
  std::vector<SampleSeries> all(plain.begin(), plain.end());
  for (const Marker& marker : markers_) {
    const auto series = std::ranges::lower_bound(all, marker.replica, {}, &SampleSeries::replica);
    if (series == all.end() || series->replica != marker.replica) continue;
    const auto after = std::ranges::upper_bound(series->samples, marker.at, {}, &Sample::at);
    series->samples.insert(after, {marker.at, StaleMarker()});
  }
  return all;
}

}  // namespace tidegate::sim
