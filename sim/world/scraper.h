#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/signals/estimator.h"
#include "sim/engine/calendar.h"
#include "sim/world/fluid_pool.h"

namespace tidegate::sim {

struct ScrapeModel {
  Duration interval{15'000};  // of the job; >= 1 s
  Duration window{60'000};    // that is kept
  Duration discovery{1'000};  // until a new replica is known as a target
};

// What Prometheus would hold of a pool: each replica's counter at its own phase of the interval
// (Prometheus spreads targets by a hash), from its discovery to its end; samples of replicas that
// are gone stay until they age out.
class Scraper {
 public:
  // The references must outlive the scraper.
  Scraper(Calendar& calendar, FluidPool& pool, ScrapeModel model);

  // To be called when a replica was started.
  void Discover(const std::string& replica);
  // The raw samples inside the window, as a query at now would return them.
  std::vector<signals::SampleSeries> Query() const;

 private:
  void Scrape(const std::string& replica);

  Calendar& calendar_;
  FluidPool& pool_;
  ScrapeModel model_;
  std::map<std::string, std::deque<signals::Sample>> samples_;
};

}  // namespace tidegate::sim
