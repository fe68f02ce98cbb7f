#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/estimator.h"
#include "sim/world/pool_model.h"

namespace tidegate::sim {

// Prometheus is down from `from` until before `until`: nothing is scraped, and no query is
// answered.
struct Outage {
  Instant from{};
  Instant until{};
};

// When Prometheus gives a scrape up by default: after ten seconds, or the interval where that is
// shorter.
Duration ScrapeTimeout(Duration interval);

// How Prometheus sees a pool, and what of it gets lost. Without the losses and delays it is what a
// Prometheus beside the pool does.
struct ScrapeModel {
  Duration interval{15'000};  // of the job; >= 1 s
  Duration window{60'000};    // that is kept
  Duration discovery{1'000};  // until a new replica is known as a target, and until one is dropped
  double lost = 0;            // share of scrapes that get no answer; 0 .. 1
  std::uint64_t seed = 0;     // which ones, and each target's phase
  int first_lost = 0;         // scrapes of each new target that get no answer; >= 0
  // Whether a replica's series begins with its first request, as counters with labels of the
  // request do, instead of at zero. rate() never sees what such a series begins with.
  bool born_by_request = false;
  // How long a scrape takes. Its sample has the time and the value of its beginning and is stored
  // at its end. 0 .. ScrapeTimeout(interval).
  Duration latency{0};
  // How far behind queries are: one at t sees what was stored up to t - query_delay (remote write,
  // a store that is far away). >= 0.
  Duration query_delay{0};
  std::vector<Outage> outages = {};
  // When the first targets are scraped, in the order of their discovery: since whole multiples of
  // the interval, 0 .. interval. The phases of all others are drawn.
  std::vector<Duration> phases = {};
};

// What Prometheus would hold of a pool: each replica's counter at its own phase of the interval
// (Prometheus spreads targets by a hash of their labels and of its own host's name, so that the
// phases of no other server can be known: here the seed and the replica's name decide), from its
// discovery to its end; samples of replicas that are gone stay until they age out.
class Scraper {
 public:
  // The pool must outlive the scraper.
  Scraper(PoolModel& pool, const ScrapeModel& model) : pool_(pool), model_(model) {}

  // To be called when a replica was started.
  void Discover(Instant now, const std::string& replica);
  // Whether queries at `at` get no answer.
  bool IsDown(Instant at) const;
  // When the next scrape is due; unset: there is no target.
  std::optional<Instant> NextDue() const;
  // Makes all scrapes that are due up to and at `at`, in time order, and lets the pool's requests
  // flow to each. Precondition: as of PoolModel::AdvanceTo.
  void AdvanceTo(Instant at);
  // Samples by replica, sorted by name, as a query for raw samples (x[window]) at `now` would
  // return them: without stale markers, none that has aged out, each series' first samples perhaps
  // older than the window. Valid until the next scrape.
  std::span<const signals::SampleSeries> Query(Instant now);
  // The same with its stale markers (range_functions.h), as instant selectors see it. A series gets
  // one at the time of the first scrape that fails, stored when that times out; and one where the
  // next scrape would have been when discovery drops a target, stored 1.1 intervals after that
  // time. It gets none where Prometheus is down in between: it forgets which series it had seen.
  // (scrape/scrape.go of Prometheus: scrapeAndReport and endOfRunStaleness.)
  std::vector<signals::SampleSeries> Stored(Instant now);

 private:
  struct Target {
    Instant due{};  // the next scrape, or, of a replica that is gone, its series' end
    std::string replica;
    bool gone = false;
    int scrapes = 0;  // so far
    // The last scrape, where it gave a sample: the series is marked if the next one gives none.
    std::optional<Instant> sampled = std::nullopt;
  };
  // A sample or a stale marker that no query returns yet.
  struct OnItsWay {
    Instant seen{};  // by queries from then on
    std::string replica;
    signals::Sample sample;
  };
  struct Marker {
    std::string replica;
    Instant at{};
  };
  Duration NextPhase(const std::string& replica);
  void Enter(Target target);
  void Scrape(Target target);
  void Leave(Target& target);
  double Draw(const Target& target, std::uint64_t what) const;
  bool Lost(const Target& target) const;
  bool DownWithin(Instant from, Instant to) const;
  void Store(const std::string& replica, const signals::Sample& sample, Instant stored);
  void Mark(Target& target, Instant stored);
  void Deliver(Instant now);
  void Put(const std::string& replica, const signals::Sample& sample);
  signals::SampleSeries& SeriesOf(const std::string& replica);
  void Forget(const std::string& replica);

  PoolModel& pool_;
  ScrapeModel model_;
  std::size_t discovered_ = 0;                 // targets so far
  std::deque<Target> targets_;                 // by due, and then by replica
  std::vector<OnItsWay> on_its_way_;           // by when it is seen, and then as it was stored
  std::vector<signals::SampleSeries> series_;  // sorted by replica; none is without a sample
  std::vector<Marker> markers_;                // in the order in which they were seen
};

}  // namespace tidegate::sim
