// A whole tick of the daemon at three sizes: a query answered over HTTP as Prometheus would,
// parsed, estimated, decided and journalled. Prints time, queries and memory for each pool; the
// cost has to grow linearly.
//
// Memory is what operator new gave out and did not get back. `kept` stays from tick to tick: the
// pool's manifest compiled, its state, its last decision. `peak` is the most during a tick, above
// that; `history` is the part of it that holds the samples of the window: the answer's text and the
// samples read from it. (No sample is kept between ticks: Prometheus has them.) The test's own
// upstream, its texts and the fleet's views are made before and don't count.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "policies/signals/snapshot.h"
#include "scheduler/adapters/journal/sqlite_journal.h"
#include "scheduler/adapters/prometheus/prometheus_source.h"
#include "scheduler/loop/control_loop.h"
#include "tests/testing/child_process.h"
#include "tests/testing/heap.h"
#include "traces/format/prometheus_response.h"
#include "traces/net/http_server.h"

namespace tidegate {
namespace {

using std::chrono::steady_clock;

constexpr int kReplicas = 3;
constexpr int kTicks = 5;
constexpr Instant kStart = FromUnixMillis(1'795'651'200'000);
constexpr Duration kScrape{15'000};

std::string PoolName(int pool) { return fmt::format("edge-{:05}", pool); }

class BenchClock : public ports::Clock {
 public:
  Instant Now() override { return now; }
  Instant now = kStart;
};

// What Prometheus answers: five scrapes of each replica's counter, at 100 requests/s a pool.
std::string Matrix(int pools, Instant now) {
  std::string body = R"({"status":"success","data":{"resultType":"matrix","result":[)";
  for (int pool = 0; pool < pools; ++pool) {
    for (int replica = 0; replica < kReplicas; ++replica) {
      body += fmt::format(
          R"({}{{"metric":{{"__name__":"haproxy_frontend_http_requests_total","gateway":"{}",)"
          R"("namespace":"shop","replica":"{}-r1-{}","instance":"127.0.0.1:{}"}},"values":[)",
          body.back() == '[' ? "" : ",", PoolName(pool), PoolName(pool), replica + 1,
          20'000 + pool);
      for (int i = 4; i >= 0; --i) {
        const Instant at = now - kScrape * i - Duration(1'000 * replica);
        const double count = Seconds(at - kStart + std::chrono::hours(1)) * 100 / kReplicas;
        body += fmt::format(R"({}[{:.3f},"{:.0f}"])", i == 4 ? "" : ",",
                            static_cast<double>(UnixMillis(at)) / 1000, count);
      }
      body += "]}";
    }
  }
  return body + "]}}";
}

class BenchSource : public ports::SignalSource {
 public:
  BenchSource(adapters::PrometheusSource& prometheus, int pools) : prometheus_(prometheus) {
    signal_ = {
        {.name = "rps", .preset = "haproxy", .metric = {}, .promql = "", .per_replica = 50.0}};
    for (int pool = 0; pool < pools; ++pool) {
      std::vector<signals::ReplicaView> views;
      for (int i = 1; i <= kReplicas; ++i) {
        const Instant started = kStart - std::chrono::hours(1);
        views.push_back({fmt::format("{}-r1-{}", PoolName(pool), i), "r1", signals::Phase::kReady,
                         started, started, started});
      }
      views_.push_back(std::move(views));
    }
  }

  Expected<signals::Snapshot> Observe(Instant now,
                                      std::span<const decision::PoolSpec> pools) override {
    signals::Snapshot snapshot{now, {}};
    std::vector<adapters::PoolQuery> queries;
    for (std::size_t i = 0; i < pools.size(); ++i) {
      snapshot.pools.push_back({pools[i].id, kReplicas, views_[i], {}, ""});
      queries.push_back({pools[i].id, &views_[i], &signal_});
    }
    auto readings = prometheus_.Read(now, queries);
    for (std::size_t i = 0; i < readings.size(); ++i)
      snapshot.pools[i].readings = std::move(readings[i]);
    return snapshot;
  }

 private:
  adapters::PrometheusSource& prometheus_;
  std::vector<config::SignalDefinition> signal_;
  std::vector<std::vector<signals::ReplicaView>> views_;
};

class NoActuator : public ports::Actuator {
 public:
  Expected<void> Request(Instant, const PoolId&, const rollout::Step&) override { return {}; }
};

std::vector<decision::PoolSpec> Specs(int pools) {
  std::vector<decision::PoolSpec> specs;
  for (int pool = 0; pool < pools; ++pool) {
    decision::PoolSpec spec;
    spec.id = {"shop", PoolName(pool)};
    spec.revision = "r1";
    spec.declared = kReplicas;
    spec.scaled = true;
    spec.targets = {{"rps", 50.0}};
    specs.push_back(std::move(spec));
  }
  return specs;
}

// What the answer's text and the samples read from it take, for each pool.
double HistoryBytes(int pools, const std::string& body) {
  const auto parsed = traces::ParseResponse(body, {}, {});
  double bytes = static_cast<double>(body.size());
  for (const auto& series : parsed->series) {
    bytes += static_cast<double>(series.samples.capacity() * sizeof(signals::Sample));
  }
  return bytes / pools;
}

void Measure(int pools) {
  const testing::TempDir dir;
  BenchClock clock;
  std::atomic<int> queries = 0;
  std::string body = Matrix(pools, clock.now);
  auto server = net::HttpServer::Start({}, [&](const net::HttpRequest&) {
    ++queries;
    return net::MakeResponse(200, "application/json", body);
  });
  config::PrometheusConfig config;
  config.url = (*server)->url();
  config.scrape_interval = kScrape;
  config.window = kScrape * 4;
  config.stale_after = kScrape * 5 / 2;
  auto prometheus = adapters::PrometheusSource::Create(config);
  auto journal = adapters::SqliteJournal::Open({.path = (dir.path() / "journal.db").string()});
  BenchSource source(**prometheus, pools);
  NoActuator actuator;
  const long before = testing::HeapInUse();
  loop::ControlLoop loop(clock, source, actuator, **journal, {.period = Duration(1'000)});
  loop.Configure(Specs(pools));
  loop.Step();  // the first one builds everything up
  queries = 0;
  double worst = 0, total = 0;
  long kept = 0, peak = 0;
  for (int tick = 0; tick < kTicks; ++tick) {
    clock.now += Duration(5'000);
    body = Matrix(pools, clock.now);
    const long idle = testing::HeapInUse();
    testing::ForgetHeapPeak();
    const auto begin = steady_clock::now();
    loop.Step();
    const double took = std::chrono::duration<double>(steady_clock::now() - begin).count();
    // The server hands out a copy of the text: not the daemon's memory.
    peak = testing::HeapPeak() - idle - static_cast<long>(body.size());
    kept = testing::HeapInUse() - before;
    worst = std::max(worst, took);
    total += took;
  }
  const auto ok =
      std::ranges::count_if(loop.last()->decisions, [](const decision::Decision& decision) {
        return decision.readings[0].quality == signals::Quality::kOk &&
               decision.desired.replicas == kReplicas;
      });
  const double history = HistoryBytes(pools, body);
  fmt::print(
      "{:>7} pools  {:>7.1f} ms a tick (worst {:.1f})  {:>5.1f} us a pool  {:.1f} queries a tick   "
      "bytes a pool: {:>5.0f} kept, {:>5.0f} more at the peak, of which {:>5.0f} history   {} ok\n",
      pools, total / kTicks * 1e3, worst * 1e3, total / kTicks / pools * 1e6,
      double{1} * queries / kTicks, static_cast<double>(kept) / pools,
      static_cast<double>(peak) / pools, history, ok);
}

}  // namespace
}  // namespace tidegate

int main() {
  for (const int pools : {100, 1'000, 10'000}) tidegate::Measure(pools);
  return 0;
}
