#include "tests/testing/scraped_pool.h"

#include <algorithm>
#include <cmath>

#include "policies/base/check.h"

namespace tidegate::testing {
namespace {
constexpr Duration kStep{100};
}  // namespace

ScrapedPool::ScrapedPool(Duration scrape_interval, Duration jitter, std::uint64_t seed)
    : interval_(scrape_interval), jitter_(jitter), random_(seed * 2 + 1) {}

double ScrapedPool::Uniform() {  // splitmix64
  random_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1.0p-53;
}

std::string ScrapedPool::Join(double weight, Duration discovery_delay) {
  Replica replica;
  replica.view.name = "replica-" + std::to_string(100 + replicas_.size());
  replica.view.phase = signals::Phase::kReady;
  replica.view.started = Now() - kStep;
  replica.view.since = Now();
  replica.view.ready_at = Now();
  replica.weight = weight;
  replica.due = elapsed_ + discovery_delay + FromSeconds(Seconds(interval_) * Uniform());
  replica.next_scrape = replica.due;
  replicas_.push_back(replica);
  return replica.view.name;
}

ScrapedPool::Replica& ScrapedPool::Find(const std::string& name) {
  const auto found = std::find_if(replicas_.begin(), replicas_.end(),
                                  [&](const Replica& one) { return one.view.name == name; });
  TIDEGATE_CHECK(found != replicas_.end(), "no such replica in the test's pool");
  return *found;
}

void ScrapedPool::Drain(const std::string& replica) {
  Replica& found = Find(replica);
  found.serving = false;
  found.view.phase = signals::Phase::kDraining;
  found.view.since = Now();
}

void ScrapedPool::Gone(const std::string& replica) {
  Replica& found = Find(replica);
  found.serving = false;
  found.listed = false;
  found.scraped = false;
}

void ScrapedPool::StopScraping(const std::string& replica) { Find(replica).scraped = false; }

void ScrapedPool::Scrape(Replica& replica) {
  if (!replica.scraped || elapsed_ < replica.next_scrape) {
    return;
  }
  replica.samples.push_back({Now(), std::floor(replica.count)});
  replica.due += interval_;
  replica.next_scrape = replica.due + FromSeconds(Seconds(jitter_) * Uniform());
}

void ScrapedPool::Run(Duration time, const Load& load) {
  const Duration end = elapsed_ + time;
  for (; elapsed_ < end; elapsed_ += kStep) {
    double weights = 0;
    for (const Replica& replica : replicas_) {
      weights += replica.serving ? replica.weight : 0;
    }
    const double amount = load(elapsed_) * Seconds(kStep);
    for (Replica& replica : replicas_) {
      Scrape(replica);
      if (replica.serving) {
        replica.count += amount * replica.weight / weights;
      }
    }
  }
}

std::vector<signals::SampleSeries> ScrapedPool::Query(Duration window) const {
  std::vector<signals::SampleSeries> result;
  for (const Replica& replica : replicas_) {
    signals::SampleSeries series;
    series.replica = replica.view.name;
    for (const signals::Sample& sample : replica.samples) {
      if (sample.at > Now() - window) {
        series.samples.push_back(sample);
      }
    }
    if (!series.samples.empty()) {
      result.push_back(std::move(series));
    }
  }
  return result;
}

std::vector<signals::ReplicaView> ScrapedPool::Fleet() const {
  std::vector<signals::ReplicaView> views;
  for (const Replica& replica : replicas_) {
    if (replica.listed) {
      views.push_back(replica.view);
    }
  }
  return views;
}

}  // namespace tidegate::testing
