#include "scheduler/adapters/prometheus/prometheus_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "policies/signals/leavers.h"
#include "scheduler/adapters/prometheus/query_client.h"
#include "scheduler/adapters/prometheus/query_plan.h"
#include "traces/format/prometheus_response.h"
#include "traces/import/prometheus_client.h"
#include "traces/net/http_client.h"

namespace tidegate::adapters {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostClients = 4;  // queries at once; Prometheus has other users

}  // namespace

struct PrometheusSource::Impl {
  config::PrometheusConfig config;
  std::vector<net::HttpClient> clients;  // one for each thread of a call
  std::vector<QueryStats> stats;
  std::map<PoolId, signals::Leavers> leavers;

  Expected<void> AddClient();
  std::vector<Expected<traces::Response>> AskAll(Instant now,
                                                 const std::vector<PlannedQuery>& queries);
  // The same pools; replicas that left one lately are put into `more`, together with its others.
  std::vector<PoolQuery> WithLeavers(Instant now, std::span<const PoolQuery> pools,
                                     std::deque<std::vector<signals::ReplicaView>>& more);
};

std::vector<PoolQuery> PrometheusSource::Impl::WithLeavers(
    Instant now, std::span<const PoolQuery> pools,
    std::deque<std::vector<signals::ReplicaView>>& more) {
  std::vector<PoolQuery> queries(pools.begin(), pools.end());
  std::map<PoolId, signals::Leavers> kept;  // few pools have any; those that are gone are forgotten
  for (PoolQuery& query : queries) {
    signals::Leavers own;
    const auto known = leavers.find(query.pool);
    if (known != leavers.end()) own = std::move(known->second);
    std::vector<signals::ReplicaView> all = own.With(now, *query.replicas, config.window);
    if (all.size() > query.replicas->size()) query.replicas = &more.emplace_back(std::move(all));
    if (!own.empty()) kept.emplace(query.pool, std::move(own));
  }
  leavers = std::move(kept);
  return queries;
}

Expected<void> PrometheusSource::Impl::AddClient() {
  TIDEGATE_TRY(net::HttpClient client, MakePrometheusClient(config));
  clients.push_back(std::move(client));
  return {};
}

std::vector<Expected<traces::Response>> PrometheusSource::Impl::AskAll(
    Instant now, const std::vector<PlannedQuery>& queries) {
  const auto begin = steady_clock::now();
  std::vector<Expected<traces::Response>> answers(queries.size());
  stats.assign(queries.size(), {});
  std::atomic<std::size_t> next = 0;
  const auto work = [&](net::HttpClient& client) {
    for (std::size_t i = next++; i < queries.size(); i = next++) {
      const auto asked = steady_clock::now();
      const auto spent = std::chrono::duration_cast<Duration>(asked - begin);
      answers[i] = traces::AskPrometheus(
          client, "/api/v1/query",
          {{"query", queries[i].query.promql}, {"time", traces::PrometheusTime(now)}},
          queries[i].labels, config.timeout - spent);
      stats[i].query = queries[i].name;
      stats[i].took = std::chrono::duration_cast<Duration>(steady_clock::now() - asked);
      if (!answers[i]) stats[i].error = answers[i].error().code;
      stats[i].empty = answers[i].has_value() && answers[i]->series.empty();
    }
  };
  const std::size_t wanted = std::min(queries.size(), kMostClients);
  while (clients.size() < wanted && AddClient()) {
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(wanted, clients.size()); ++i)
    threads.emplace_back(work, std::ref(clients[i]));
  if (!queries.empty()) work(clients[0]);
  for (std::thread& thread : threads) thread.join();
  return answers;
}

PrometheusSource::PrometheusSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrometheusSource::~PrometheusSource() = default;

Expected<std::unique_ptr<PrometheusSource>> PrometheusSource::Create(
    const config::PrometheusConfig& config) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  TIDEGATE_TRY_VOID(impl->AddClient());
  return std::unique_ptr<PrometheusSource>(new PrometheusSource(std::move(impl)));
}

std::vector<std::vector<signals::Reading>> PrometheusSource::Read(
    Instant now, std::span<const PoolQuery> pools) {
  std::vector<std::vector<signals::Reading>> readings(pools.size());
  for (std::size_t i = 0; i < pools.size(); ++i) readings[i].resize(pools[i].signals->size());
  const auto queries = PlanQueries(pools, impl_->config);
  const auto answers = impl_->AskAll(now, queries);
  std::deque<std::vector<signals::ReplicaView>> more;  // whose elements stay where they are
  const auto remembered = impl_->WithLeavers(now, pools, more);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    FillReadings(now, queries[i], answers[i], impl_->config, remembered, readings);
  }
  return readings;
}

const std::vector<QueryStats>& PrometheusSource::stats() const { return impl_->stats; }

}  // namespace tidegate::adapters
