#include "policies/sizing/queueing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

// Why 0.7 of what the objective allows: three hours of traffic (a slow day, a noisy one, a bursty
// one) on replicas of 8 workers, scraped every 15 s, ready 20 s after their start, kept 99.9 %
// within 250 ms at 0.8 (1.36, 1.30 and 1.55 times the cost of the oracle), missed it at 0.9
// (0.4, 4.5 and 18 % late), and cost 1.54, 1.48 and 1.75 at 0.7, which leaves a step for rougher
// loads.
namespace tidegate::sizing {
namespace {

constexpr double kStep = 1.02;
constexpr double kDrainSeconds = 30;  // within which a backlog is to be gone
// So much slower than configured is worth saying.
constexpr double kSlow = 1.5;

// Up to the next power of kStep, or the value itself where it is one.
double RoundUp(double seconds) {
  constexpr double kDust = 1e-9;
  return std::pow(kStep, std::ceil(std::log(seconds) / std::log(kStep) - kDust));
}

CapacityTable& TableOf(const QueueModel& model, QueueingMemory& memory) {
  if (!memory.table || !(memory.table->model() == model)) memory.table.emplace(model);
  return *memory.table;
}

// Requests per second that the backlog adds.
Rate Backlog(const QueueModel& model, const PoolObserved& observed) {
  if (!observed.inflight) return 0;
  const double waiting = *observed.inflight - static_cast<double>(observed.ready) * model.workers;
  return std::clamp(waiting / kDrainSeconds, 0.0, *observed.rate);
}

std::string Explain(const QueueModel& model, const QueueModel& configured,
                    const PoolObserved& observed, Rate demand, Replicas fewest,
                    CapacityTable& table) {
  const double used = fewest > 0 ? demand / (fewest * Ceiling(model)) : 0;
  std::string note = fmt::format(
      "{:.6g}/s at {:.0f} ms each keep {} replicas x {} workers {:.0f} % busy; {:g} % within "
      "{:.0f} "
      "ms allows {:.0f} %",
      demand, model.service.seconds * 1e3, fewest, model.workers, used * 100,
      model.objective.share * 100, model.objective.seconds * 1e3,
      fewest > 0 ? table.UtilizationOf(fewest) * 100 : 0);
  if (OutOfReach(model)) {
    note += fmt::format("; out of reach: {:.2g} % take longer by service alone",
                        SlowServices(model.service, model.objective.seconds) * 100);
  }
  const double workers = static_cast<double>(observed.ready) * model.workers;
  if (model.service.seconds > kSlow * configured.service.seconds) {
    note += fmt::format(
        "; requests take {:.0f} ms where {:.0f} ms are configured while {:.0f} % of the workers "
        "are busy: what is behind the pool is slow, and replicas don't make it faster",
        model.service.seconds * 1e3, configured.service.seconds * 1e3,
        workers > 0 ? demand * model.service.seconds / workers * 100 : 0);
  }
  return note;
}

}  // namespace

QueueModel LearnedModel(const LearnOptions& options, const QueueModel& configured,
                        const PoolObserved& observed, ServiceMemory& memory) {
  QueueModel model = configured;
  const double base = configured.service.seconds;
  // What nobody has learned is not rounded.
  if (options.enabled && memory.seconds > 0) {
    model.service.seconds =
        RoundUp(std::clamp(memory.seconds, base / options.most_factor, base * options.most_factor));
  }
  (void)LearnService(options, configured, observed, memory);
  return model;
}

bool IsFull(int workers, const PoolObserved& observed) {
  return observed.inflight && observed.ready > 0 &&
         *observed.inflight >= static_cast<double>(observed.ready) * workers;
}

Rate DemandOf(const QueueModel& model, const PoolObserved& observed) {
  return *observed.rate + Backlog(model, observed);
}

QueueingSize SizeByQueue(const QueueingOptions& options, const QueueModel& configured,
                         const PoolObserved& observed, Replicas size, QueueingMemory& memory) {
  const QueueModel model = LearnedModel(options.learn, configured, observed, memory.service);
  const bool behind =
      IsBehindThePool(options.bottleneck, model.workers, observed, memory.bottleneck);
  QueueingSize result;
  if (!observed.rate) return result;
  CapacityTable& table = TableOf(model, memory);
  const Rate demand = DemandOf(model, observed);
  Replicas fewest = table.FewestReplicas(demand / options.utilization);
  result.note = Explain(model, configured, observed, demand, fewest, table);
  result.per_replica = table.RateOf(std::max<Replicas>(1, fewest)) * options.utilization /
                       std::max<Replicas>(1, fewest);
  // Between two tries that brought nothing it may grow, but the finding stands.
  if (memory.bottleneck.in_vain > 0) {
    result.note += fmt::format(
        "; all workers of {} replicas are busy and the last ones added brought nothing: something "
        "behind the pool is short{}",
        observed.ready, behind ? ", so that it does not grow" : "");
  }
  // Of a full pool the rate is what it served, and says nothing of what there was to serve.
  if (IsFull(model.workers, observed)) fewest = std::max(fewest, size);
  if (behind) fewest = std::min(fewest, size);
  result.replicas = fewest;
  return result;
}

std::optional<QueueModel> ModelOf(const Capacity& capacity) {
  if (!capacity.workers || !capacity.service_time || !capacity.latency_objective) {
    return std::nullopt;
  }
  QueueModel model;
  model.workers = *capacity.workers;
  model.service = {Seconds(*capacity.service_time), capacity.service_variation.value_or(0.5)};
  model.balancing = capacity.balancing;
  model.objective = {Seconds(*capacity.latency_objective), capacity.latency_share.value_or(0.99)};
  return model;
}

PoolSignals Observe(const Input& input) {
  PoolSignals pool;
  pool.observed.now = input.now;
  pool.observed.ready = signals::Count(input.replicas).ready;
  const auto first = [&](signals::Measure measure) {
    return std::ranges::find(input.targets, measure, &SignalTarget::measure);
  };
  const auto value = [&](signals::Measure measure) -> std::optional<double> {
    const auto target = first(measure);
    if (target == input.targets.end()) return std::nullopt;
    const signals::Reading* reading = FindReading(input.readings, target->signal);
    if (reading == nullptr || !signals::MayShrink(reading->quality)) return std::nullopt;
    if (!std::isfinite(reading->value) || reading->value < 0) return std::nullopt;
    return reading->value;
  };
  if (const auto target = first(signals::Measure::kRequests); target != input.targets.end()) {
    pool.rate_signal = target->signal;
    pool.rate_reading = FindReading(input.readings, target->signal);
  }
  pool.observed.rate = value(signals::Measure::kRequests);
  if (pool.observed.rate) {
    pool.observed.inflight = value(signals::Measure::kInflight);
    pool.observed.latency = value(signals::Measure::kLatency);
  } else if (pool.rate_reading != nullptr && signals::MayGrow(pool.rate_reading->quality) &&
             std::isfinite(pool.rate_reading->value) && pool.rate_reading->value >= 0) {
    pool.observed.rate = pool.rate_reading->value;
  }
  return pool;
}

Sizing Queueing::Size(const Input& input, const Options& options, Memory& memory) {
  const PoolSignals pool = Observe(input);
  Proposal proposal;
  proposal.source = pool.rate_signal.empty() ? "requests" : pool.rate_signal;
  if (pool.rate_reading != nullptr) {
    proposal.quality = pool.rate_reading->quality;
    proposal.age = pool.rate_reading->age;
    proposal.note = pool.rate_reading->detail;
  }
  const auto model = ModelOf(input.capacity);
  if (pool.rate_signal.empty()) {
    proposal.note = "the policy needs a signal that measures requests";
  } else if (!model) {
    proposal.note = "the policy needs workers, service time and latency objective in capacity";
  } else if (pool.rate_reading == nullptr) {
    proposal.note = "the signal was not read";
  } else {
    QueueingSize size = SizeByQueue(options, *model, pool.observed, input.current, memory);
    proposal.target = size.per_replica;
    proposal.replicas = size.replicas;
    if (size.replicas) {
      proposal.value = *pool.observed.rate;
      proposal.note = std::move(size.note);
    } else if (signals::MayGrow(proposal.quality)) {
      proposal.quality = signals::Quality::kNaN;
      proposal.note = "the value is negative or not finite";
    }
  }
  return {{std::move(proposal)}, std::nullopt, {}};
}

}  // namespace tidegate::sizing
