#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policies/signals/estimator.h"
#include "policies/signals/snapshot.h"

namespace tidegate::testing {

// A pool whose replicas count their requests and are scraped each at its own phase, for tests of
// the estimator. Time runs in steps of 100 ms from Start(); the load is split by weight among the
// replicas that serve at that moment.
class ScrapedPool {
 public:
  // The load in requests per second at a time after the start.
  using Load = std::function<double(Duration)>;

  // `seed` draws scrape phases and jitter (up to `jitter` later than due).
  ScrapedPool(Duration scrape_interval, Duration jitter, std::uint64_t seed);

  static Instant Start() { return FromUnixMillis(1'800'000'000'000); }
  Instant Now() const { return Start() + elapsed_; }

  // A new replica that is ready now and gets `weight` parts of the load; discovered by the source
  // after `discovery_delay`.
  std::string Join(double weight = 1, Duration discovery_delay = Duration(0));
  // Gets no more load from now on; still scraped and listed as draining until Gone().
  void Drain(const std::string& replica);
  // Leaves the fleet's list and is scraped no more.
  void Gone(const std::string& replica);
  // Serves on, but is scraped no more.
  void StopScraping(const std::string& replica);

  void Run(Duration time, const Load& load);

  // What a range query over `window` returns now.
  std::vector<signals::SampleSeries> Query(Duration window) const;
  // What the fleet reports now.
  std::vector<signals::ReplicaView> Fleet() const;

 private:
  struct Replica {
    signals::ReplicaView view;
    double weight = 1;
    double count = 0;
    bool serving = true;
    bool listed = true;
    bool scraped = true;
    Duration next_scrape{};
    Duration due{};
    std::vector<signals::Sample> samples;
  };
  double Uniform();
  Replica& Find(const std::string& name);
  void Scrape(Replica& replica);

  Duration interval_;
  Duration jitter_;
  std::uint64_t random_;
  Duration elapsed_{0};
  std::vector<Replica> replicas_;
};

}  // namespace tidegate::testing
