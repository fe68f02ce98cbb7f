#include "traces/history/counters.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

using signals::Sample;
using signals::SampleSeries;

constexpr double kPlausible = 3;  // times the highest rate of a replica
// A first sample this many scrapes after the first possible one is that of a new series.
constexpr double kAppearsLater = 1.5;
constexpr int kLatestDiscovery = 3;  // scrape intervals from a replica's start to its first scrape

// What a counter grew by in a stretch of time, and how fast at either end of it.
struct Increase {
  Instant from{};
  Instant to{};
  double requests = 0;
  Rate at_from = 0;
  Rate at_to = 0;

  double length() const { return Seconds(to - from); }
  // Requests until a moment within it: the cubic with the rates given at the ends.
  double Until(Instant at) const {
    const double s = Seconds(at - from) / length();
    return s * s * (3 - 2 * s) * requests +
           s * (1 - s) * ((1 - s) * at_from - s * at_to) * length();
  }
};

// Spread evenly.
Increase Even(Instant from, Instant to, double requests) {
  const Rate rate = requests / Seconds(to - from);
  return {from, to, requests, rate, rate};
}

// The rate where two stretches of a counter meet: the weighted harmonic mean of Fritsch and Butland
// ("A method for constructing local monotone piecewise cubic interpolants", 1984). At most three
// times the lower of both rates, so that the cubics between never fall.
Rate WhereTheyMeet(const Increase& before, const Increase& after) {
  const Rate left = before.requests / before.length();
  const Rate right = after.requests / after.length();
  if (left <= 0 || right <= 0) return 0;
  const double to_left = 2 * after.length() + before.length();
  const double to_right = after.length() + 2 * before.length();
  return (to_left + to_right) / (to_left / left + to_right / right);
}

// What a counter grew by between two of its samples. After a reset only the last scrape interval is
// known to belong to the new count.
Increase Between(const Sample& before, const Sample& after, Duration scrape_interval) {
  if (after.value >= before.value) return Even(before.at, after.at, after.value - before.value);
  return Even(std::max(before.at, after.at - scrape_interval), after.at, after.value);
}

struct Stretch {
  Instant from{};
  Instant to{};
};

struct Bins {
  Instant begin{};
  Duration bin{0};
  std::size_t count = 0;

  explicit Bins(const HistoryOptions& options)
      : begin(options.begin),
        bin(options.bin),
        count(static_cast<std::size_t>((options.end - options.begin + bin - Duration(1)) / bin)) {}
  Instant Start(std::size_t i) const { return begin + bin * static_cast<Duration::rep>(i); }
  // The first bin that starts at or after a time; `count` where there is none.
  std::size_t From(Instant at) const {
    if (at <= begin) return 0;
    const auto i = (at - begin + bin - Duration(1)) / bin;
    return std::min(static_cast<std::size_t>(i), count);
  }
  // The first bin that does not end by a time.
  std::size_t EndBy(Instant at) const {
    return at <= begin ? 0 : std::min(static_cast<std::size_t>((at - begin) / bin), count);
  }
};

// Adds an increase to the bins that it lies in, what lies outside left out.
void Spread(const Increase& increase, const Bins& bins, std::vector<double>& requests) {
  Instant at = std::max(increase.from, bins.begin);
  while (at < increase.to) {
    const auto bin = static_cast<std::size_t>((at - bins.begin) / bins.bin);
    if (bin >= bins.count) return;
    const Instant next = std::min(increase.to, bins.Start(bin + 1));
    requests[bin] += increase.Until(next) - increase.Until(at);
    at = next;
  }
}

// What a series grew by between its samples. The rate has no jump where a counter goes on, unless a
// pause is too long to say how it went.
std::vector<Increase> IncreasesOf(std::span<const Sample> samples, const HistoryOptions& options) {
  std::vector<Increase> increases;
  bool goes_on = false;  // the last one's counter, into this one
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const Sample& before = samples[i - 1];
    const Sample& after = samples[i];
    Increase increase = Between(before, after, options.scrape_interval);
    const bool steady = after.value >= before.value && after.at - before.at <= options.longest_gap;
    if (steady && goes_on) {
      increase.at_from = increases.back().at_to = WhereTheyMeet(increases.back(), increase);
    }
    goes_on = steady;
    increases.push_back(increase);
  }
  return increases;
}

// How fast the replicas that were scraped served, on average over them.
class MeanRate {
 public:
  void Add(const std::vector<Increase>& increases) {
    for (const Increase& increase : increases) {
      const Rate rate = increase.requests / increase.length();
      changes_.push_back({increase.from, rate, 1});
      changes_.push_back({increase.to, -rate, -1});
    }
  }

  // To be called after the last Add().
  void Finish() {
    std::ranges::sort(changes_, {}, &Change::at);
    for (std::size_t i = 1; i < changes_.size(); ++i) {
      changes_[i].rate += changes_[i - 1].rate;
      changes_[i].replicas += changes_[i - 1].replicas;
    }
  }

  // When a replica began that had served `requests` by `until`, as fast as the others did, or at
  // `alone` where there were none. No earlier than `earliest`.
  Instant Began(double requests, Instant until, Rate alone, Instant earliest) const {
    if (requests <= 0) return until;
    auto change = std::ranges::lower_bound(changes_, until, {}, &Change::at);
    while (until > earliest) {
      const bool first = change == changes_.begin();
      if (!first) --change;
      const Rate rate = first || change->replicas == 0 ? alone : change->rate / change->replicas;
      const Instant from = first ? earliest : std::max(change->at, earliest);
      const double served = rate * Seconds(until - from);
      if (served >= requests) return until - FromSeconds(requests / rate);
      requests -= served;
      until = from;
    }
    return earliest;
  }

 private:
  struct Change {
    Instant at{};
    Rate rate = 0;  // of all replicas: by how much it changes, and what it is after Finish()
    int replicas = 0;
  };
  std::vector<Change> changes_;
};

// Since when a new series' first count was gathered. Service discovery may let several scrapes of a
// new replica pass, so this is not simply the last one; and a replica that is started for a rise is
// busier at first than later, but no busier than the others are then.
Instant CountsSince(std::span<const Sample> samples, const MeanRate& others,
                    Duration scrape_interval) {
  const Sample& first = samples.front();
  const bool goes_on = samples.size() > 1 && samples[1].value > first.value;
  const Rate own = goes_on ? (samples[1].value - first.value) / Seconds(samples[1].at - first.at)
                           : first.value / Seconds(scrape_interval);
  const Instant earliest = first.at - scrape_interval * kLatestDiscovery;
  return std::min(first.at - Duration(1), others.Began(first.value, first.at, own, earliest));
}

// Which bins lie wholly in the union of the stretches.
std::vector<bool> Covered(std::vector<Stretch> stretches, const Bins& bins) {
  std::vector<bool> covered(bins.count, false);
  std::ranges::sort(stretches, {}, &Stretch::from);
  for (std::size_t i = 0; i < stretches.size();) {
    Stretch all = stretches[i];
    while (++i < stretches.size() && stretches[i].from <= all.to) {
      all.to = std::max(all.to, stretches[i].to);
    }
    for (std::size_t bin = bins.From(all.from); bin < bins.EndBy(all.to); ++bin)
      covered[bin] = true;
  }
  return covered;
}

// How many of the stretches each bin's start lies in.
std::vector<Replicas> CountAt(const std::vector<Stretch>& stretches, const Bins& bins) {
  std::vector<Replicas> counts(bins.count + 1, 0);
  for (const Stretch& stretch : stretches) {
    ++counts[bins.From(stretch.from)];
    --counts[bins.From(stretch.to)];
  }
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  counts.pop_back();
  return counts;
}

// Puts a line from the value before `begin` to the one at `end`; level where there is one side.
void Draw(std::vector<double>& values, std::size_t begin, std::size_t end) {
  if (begin == 0 && end == values.size()) return;
  const double left = begin > 0 ? values[begin - 1] : values[end];
  const double right = end < values.size() ? values[end] : left;
  const double steps = static_cast<double>(end - begin + 1);
  for (std::size_t i = begin; i < end; ++i) {
    values[i] = left + (right - left) * static_cast<double>(i - begin + 1) / steps;
  }
}

// Calls `visit(begin, end)` for each run of bins that are not `known`.
template <class Visit>
void ForUnknown(const std::vector<bool>& known, const Visit& visit) {
  for (std::size_t i = 0; i < known.size();) {
    std::size_t end = i;
    while (end < known.size() && !known[end]) ++end;
    if (end > i) visit(i, end);
    i = std::max(end, i + 1);
  }
}

void CountGuesses(const std::vector<bool>& known, ObservedLoad& load) {
  ForUnknown(known, [&](std::size_t begin, std::size_t end) {
    load.guessed += end - begin;
    load.longest_guess = std::max(load.longest_guess, end - begin);
  });
}

// The highest rate of any replica between two samples that are not far apart.
Rate HighestRate(std::span<const SampleSeries> series, const HistoryOptions& options) {
  Rate highest = 0;
  for (const SampleSeries& one : series) {
    for (std::size_t i = 1; i < one.samples.size(); ++i) {
      const Sample& before = one.samples[i - 1];
      const Sample& after = one.samples[i];
      if (after.value < before.value || after.at - before.at > options.longest_gap) continue;
      highest = std::max(highest, (after.value - before.value) / Seconds(after.at - before.at));
    }
  }
  return highest;
}

void CheckOptions(const HistoryOptions& options) {
  TIDEGATE_CHECK(options.bin > Duration(0) && options.end > options.begin, "a stretch of time");
  TIDEGATE_CHECK(options.scrape_interval > Duration(0), "scrapes have an interval");
}

}  // namespace

ObservedLoad LoadFromCounters(std::span<const SampleSeries> series, const HistoryOptions& options) {
  CheckOptions(options);
  const Bins bins(options);
  const Duration interval = options.scrape_interval;
  const double most = kPlausible * HighestRate(series, options) * Seconds(interval);
  ObservedLoad load;
  load.trace = {options.bin, std::vector<double>(bins.count, 0)};
  MeanRate mean;
  for (const SampleSeries& one : series) {
    const std::vector<Increase> increases = IncreasesOf(one.samples, options);
    for (const Increase& increase : increases) Spread(increase, bins, load.trace.requests);
    mean.Add(increases);
  }
  mean.Finish();
  std::vector<Stretch> counted, seen, running;
  for (const SampleSeries& one : series) {
    if (one.samples.empty()) continue;
    const Sample& first = one.samples.front();
    const bool appears = Seconds(first.at - options.asked_from) > kAppearsLater * Seconds(interval);
    const bool from_zero = appears && first.value <= most;
    Instant since = from_zero ? CountsSince(one.samples, mean, interval) : first.at;
    load.old_counters += appears && !from_zero ? 1 : 0;
    if (from_zero) Spread(Even(since, first.at, first.value), bins, load.trace.requests);
    counted.push_back({since, one.samples.back().at});
    running.push_back({since, one.samples.back().at + interval});
    load.scraped.push_back({first.at, one.samples.back().at});
    for (std::size_t i = 1; i < one.samples.size(); ++i) {
      const Sample& before = one.samples[i - 1];
      const Sample& after = one.samples[i];
      if (after.at - before.at <= options.longest_gap) continue;
      seen.push_back({since, before.at});
      since = after.at;
    }
    seen.push_back({since, one.samples.back().at});
  }
  ForUnknown(Covered(std::move(counted), bins),
             [&](std::size_t begin, std::size_t end) { Draw(load.trace.requests, begin, end); });
  CountGuesses(Covered(std::move(seen), bins), load);
  for (double& requests : load.trace.requests) requests = std::min(requests, kMaxRequestsPerBin);
  load.replicas = CountAt(running, bins);
  std::ranges::sort(load.scraped);
  return load;
}

ObservedLoad LoadFromRates(std::span<const Sample> rates, const HistoryOptions& options) {
  CheckOptions(options);
  const Bins bins(options);
  ObservedLoad load;
  load.trace = {options.bin, std::vector<double>(bins.count, 0)};
  std::vector<bool> known(bins.count, false);
  for (const Sample& sample : rates) {
    const Duration into = sample.at - options.begin - options.bin;
    if (into < Duration(0) || !std::isfinite(sample.value) || sample.value < 0) continue;
    const auto bin = static_cast<std::size_t>(into / options.bin);
    if (bin >= bins.count) continue;
    known[bin] = true;
    load.trace.requests[bin] = std::min(sample.value * Seconds(options.bin), kMaxRequestsPerBin);
  }
  ForUnknown(known,
             [&](std::size_t begin, std::size_t end) { Draw(load.trace.requests, begin, end); });
  CountGuesses(known, load);
  return load;
}

}  // namespace tidegate::traces
