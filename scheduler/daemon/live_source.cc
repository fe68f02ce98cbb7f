#include "scheduler/daemon/live_source.h"

#include <algorithm>
#include <utility>

namespace tidegate::daemon {

Expected<void> LiveSource::Configure(const config::CompiledConfig& config) {
  std::unique_ptr<adapters::PrometheusSource> prometheus;
  if (config.daemon.prometheus) {
    TIDEGATE_TRY(prometheus, adapters::PrometheusSource::Create(*config.daemon.prometheus));
  }
  prometheus_ = std::move(prometheus);
  if (pasts_ && pasts_->config() != config.daemon.prometheus) pasts_.reset();
  config_ = &config;
  return {};
}

Expected<signals::Snapshot> LiveSource::Observe(Instant now,
                                                std::span<const decision::PoolSpec> pools) {
  signals::Snapshot snapshot{now, {}};
  snapshot.pools.reserve(pools.size());
  std::vector<adapters::PoolQuery> queries;
  for (const decision::PoolSpec& spec : pools) {
    signals::PoolSnapshot pool{
        spec.id, spec.declared, fleet_.Observe(spec.id), {}, fleet_.PoolError(spec.id)};
    // Where the state was lost, what runs is what was wanted: the first decision starts from it.
    if (spec.scaled) pool.declared = std::max(pool.declared, signals::Count(pool.replicas).live());
    snapshot.pools.push_back(std::move(pool));
  }
  if (!prometheus_) return snapshot;
  for (const signals::PoolSnapshot& pool : snapshot.pools) {
    queries.push_back({pool.id, &pool.replicas, &config_->Find(pool.id)->signals});
  }
  auto readings = prometheus_->Read(now, queries);
  for (std::size_t i = 0; i < readings.size(); ++i)
    snapshot.pools[i].readings = std::move(readings[i]);
  return snapshot;
}

std::vector<ports::Past> LiveSource::TakePasts(Instant now, std::span<const PastWanted> wanted) {
  std::vector<ports::Past> pasts;
  const auto refuse = [&](const PastWanted& one, std::string why) {
    if (pasts.size() < ports::kMostPasts) pasts.push_back({*one.pool, 0, {}, std::move(why)});
  };
  if (!pasts_ && prometheus_ && !wanted.empty()) {
    if (auto reader = adapters::PastReader::Create(*config_->daemon.prometheus); reader) {
      pasts_ = *std::move(reader);
    }
  }
  for (const PastWanted& one : wanted) {
    const auto& signals = config_->Find(*one.pool)->signals;
    const auto signal = std::ranges::find(signals, *one.signal, &config::SignalDefinition::name);
    if (!pasts_) {
      refuse(one, "there is no Prometheus to ask");
    } else if (signal == signals.end() ||
               (signal->promql.empty() && signal->metric != config::SignalMetric::kRequests)) {
      refuse(one, "the signal does not count requests");
    } else {
      pasts_->Ask(*one.pool, *signal, now);
    }
  }
  if (pasts_) {
    for (ports::Past& past : pasts_->Take(ports::kMostPasts - pasts.size())) {
      pasts.push_back(std::move(past));
    }
  }
  return pasts;
}

std::span<const adapters::QueryStats> LiveSource::query_stats() const {
  if (!prometheus_) return {};
  return prometheus_->stats();
}

}  // namespace tidegate::daemon
