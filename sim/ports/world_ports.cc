#include "sim/ports/world_ports.h"

#include <algorithm>
#include <utility>

namespace tidegate::sim {

Expected<signals::Snapshot> WorldSource::Observe(Instant now,
                                                 std::span<const decision::PoolSpec> pools) {
  signals::Snapshot snapshot{now, {}};
  for (const decision::PoolSpec& spec : pools) {
    WorldPool& world = world_.at(spec.id);
    const auto views = world.pool->Views();
    signals::PoolSnapshot pool{spec.id, spec.declared, {views.begin(), views.end()}, {}, ""};
    const auto& rates = rates_.by_pool[spec.id];
    const auto series = world.scraper->Query(now);
    const auto replicas = leavers_[spec.id].With(now, pool.replicas, rates_.estimate.window);
    for (const sizing::SignalTarget& target : spec.targets) {
      signals::Reading reading;
      if (world.scraper->IsDown(now)) {
        reading.signal = target.signal;
        reading.detail = "Prometheus is down";
        pool.readings.push_back(std::move(reading));
        continue;
      }
      const auto rate = std::ranges::find(rates, target.signal, &RateSignal::name);
      if (rate != rates.end() && rate->promql) {
        reading =
            rate->promql->resolution
                ? ReadPromqlSignal(*rate->promql, now, world.scraper->Stored(now), rates_.dialect)
                : ReadPromqlSignal(*rate->promql, now, series, rates_.dialect);
      } else if (rate != rates.end()) {
        signals::EstimateOptions options = rates_.estimate;
        options.each_replica = target.each_replica;
        reading = signals::EstimateRate(now, series, replicas, options);
      } else {
        reading.detail = "the fluid model has request rates only";
      }
      reading.signal = target.signal;
      if (rate != rates.end() && rate == rates.begin() && signals::MayShrink(reading.quality)) {
        past_.try_emplace(spec.id, before_).first->second.Append(now, reading.value);
      }
      pool.readings.push_back(std::move(reading));
    }
    snapshot.pools.push_back(std::move(pool));
  }
  return snapshot;
}

void WorldSource::Precede(Instant end, std::span<const float> means) {
  before_.Refill(before_.BinOf(end) - static_cast<std::int64_t>(means.size()), means);
}

std::vector<ports::Past> WorldSource::TakePasts(Instant /*now*/,
                                                std::span<const PastWanted> wanted) {
  std::vector<ports::Past> pasts;
  for (const PastWanted& one : wanted.first(std::min(wanted.size(), ports::kMostPasts))) {
    const auto known = past_.find(*one.pool);
    const signals::History& history = known == past_.end() ? before_ : known->second;
    ports::Past past{*one.pool, history.begin(), {}, ""};
    for (std::int64_t bin = history.begin(); bin < history.end(); ++bin) {
      past.means.push_back(history.At(bin));
    }
    pasts.push_back(std::move(past));
  }
  return pasts;
}

Expected<void> WorldActuator::Request(Instant now, const PoolId& pool, const rollout::Step& step) {
  WorldPool& world = world_.at(pool);
  if (step.kind == rollout::StepKind::kDrain) {
    world.pool->Drain(step.replica);
    return {};
  }
  if (world.pool->Knows(step.replica)) return {};
  world.pool->Start(step.replica, step.revision);
  world.scraper->Discover(now, step.replica);
  return {};
}

Expected<void> MemoryJournal::Append(Instant /*now*/,
                                     std::span<const ports::JournalEntry> entries) {
  for (const ports::JournalEntry& entry : entries) {
    if (entry.decision != nullptr) decisions_.push_back(*entry.decision);
  }
  return {};
}

}  // namespace tidegate::sim
