#pragma once

#include <cstdint>
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

// How Prometheus sees a pool, and what of it gets lost. Without the losses and delays it is what a
// Prometheus beside the pool does.
struct ScrapeModel {
  Duration interval{15'000};  // of the job; >= 1 s
  Duration window{60'000};    // that is kept
  Duration discovery{1'000};  // until a new replica is known as a target
  double lost = 0;            // share of scrapes that get no answer; 0 .. 1
  std::uint64_t seed = 0;     // which ones
  int first_lost = 0;         // scrapes of each new target that get no answer; >= 0
  // Whether a replica's series begins with its first request, as counters with labels of the
  // request do, instead of at zero. rate() never sees what such a series begins with.
  bool born_by_request = false;
  // From a sample's time until a query can return it: the scrape's own latency, and that of what
  // lies between (remote write, a store that is far away). >= 0.
  Duration latency{0};
  std::vector<Outage> outages = {};
};

// What Prometheus would hold of a pool: each replica's counter at its own phase of the interval
// (Prometheus spreads targets by a hash), from its discovery to its end; samples of replicas that
// are gone stay until they age out.
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
  // Samples by replica, sorted by name, as a query at `now` would return them: none that has aged
  // out, each series' first samples perhaps older than the window. Valid until the next scrape.
  std::span<const signals::SampleSeries> Query(Instant now);

 private:
  struct Target {
    Instant due{};  // the next scrape, or, of a replica that is gone, its series' end
    std::string replica;
    bool gone = false;
    int scrapes = 0;  // so far
  };
  // A sample that no query returns yet.
  struct OnItsWay {
    std::string replica;
    signals::Sample sample;
  };
  struct Later {
    bool operator()(const Target& a, const Target& b) const {
      return a.due != b.due ? a.due > b.due : a.replica > b.replica;
    }
  };
  void Scrape(Target& target);
  bool Lost(const Target& target) const;
  void Deliver(Instant now);
  signals::SampleSeries& SeriesOf(const std::string& replica);
  void Forget(const std::string& replica);

  PoolModel& pool_;
  ScrapeModel model_;
  std::vector<Target> targets_;                // a heap by Later
  std::vector<OnItsWay> on_its_way_;           // oldest first
  std::vector<signals::SampleSeries> series_;  // sorted by replica; none is without a sample
};

}  // namespace tidegate::sim
