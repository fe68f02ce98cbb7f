#include "sim/runner/simulate.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scheduler/loop/control_loop.h"
#include "sim/engine/calendar.h"
#include "sim/ports/slow_ports.h"
#include "sim/ports/world_ports.h"
#include "sim/report/deadline_queue.h"
#include "sim/report/worst_minute.h"
#include "sim/runner/fleet.h"
#include "sim/runner/loads.h"
#include "sim/runner/past.h"
#include "sim/runner/run_check.h"
#include "sim/runner/scenario_names.h"
#include "sim/runner/tick_events.h"
#include "sim/world/fluid_pool.h"
#include "sim/world/request_pool.h"

namespace tidegate::sim {
namespace {

using decision::PoolSpec;

constexpr Duration kMoment{1'000};
// Decisions repeat for most of a run; a record now and then is enough, as in the daemon.
constexpr Duration kRecordEvery{60'000};

// Rates look back over four scrapes and are stale after two and a half, as the daemon's defaults
// are.
signals::EstimateOptions EstimateFor(const Scenario& scenario) {
  const Duration interval = scenario.scrape_interval;
  return {.window = scenario.metrics.window.value_or(interval * 4),
          .scrape_interval = interval,
          .stale_after = interval * 5 / 2};
}

// How each signal that counts requests is read.
Expected<RateSignals> RatesFor(const Scenario& scenario, const config::CompiledConfig& manifests) {
  RateSignals rates;
  rates.estimate = EstimateFor(scenario);
  rates.dialect = scenario.metrics.prometheus_version == 3 ? kPrometheus3 : kPrometheus2;
  for (const PoolSpec& spec : manifests.pools) {
    for (const config::SignalDefinition& signal : manifests.Find(spec.id)->signals) {
      RateSignal rate{signal.name, std::nullopt};
      if (!signal.promql.empty()) {
        TIDEGATE_TRY(rate.promql, ParsePromqlSignal(signal.promql, rates.estimate.window));
      } else if (signal.metric != config::SignalMetric::kRequests) {
        continue;
      } else if (scenario.metrics.promql) {
        rate.promql = PromqlSignal{RangeFunction::kRate, rates.estimate.window};
      }
      rates.by_pool[spec.id].push_back(std::move(rate));
    }
  }
  return rates;
}

// What Prometheus keeps must cover the longest range that is asked for.
ScrapeModel ScrapesFor(const Scenario& scenario, const RateSignals& rates, const PoolId& pool) {
  ScrapeModel model{.interval = scenario.scrape_interval,
                    .window = rates.estimate.window,
                    .discovery = scenario.discovery,
                    .lost = scenario.metrics.lost_scrapes,
                    .seed = scenario.seed,
                    .first_lost = scenario.metrics.first_scrapes_lost,
                    .born_by_request = scenario.metrics.born_by_request,
                    .latency = scenario.metrics.latency,
                    .query_delay = scenario.metrics.query_delay};
  for (const MetricsOutage& outage : scenario.metrics.outages) {
    const Instant from = scenario.start + outage.at;
    model.outages.push_back({from, from + outage.lasts});
  }
  for (const Duration phase : scenario.metrics.phases) {
    model.phases.push_back((scenario.start.time_since_epoch() + phase) % model.interval);
  }
  const auto signals = rates.by_pool.find(pool);
  if (signals == rates.by_pool.end()) return model;
  for (const RateSignal& signal : signals->second) {
    if (signal.promql) model.window = std::max(model.window, Needed(*signal.promql));
  }
  return model;
}

// Tells what another source says on the way.
class ToldSource : public ports::SignalSource {
 public:
  // All must outlive this object.
  ToldSource(ports::SignalSource& source, RunCheck& check, const Recorder& recorder)
      : source_(source), check_(check), recorder_(recorder) {}
  Expected<signals::Snapshot> Observe(Instant now, std::span<const PoolSpec> pools) override {
    auto snapshot = source_.Observe(now, pools);
    if (snapshot) check_.Observed(*snapshot);
    if (snapshot && recorder_.snapshot) recorder_.snapshot(*snapshot);
    return snapshot;
  }
  std::vector<ports::Past> TakePasts(Instant now, std::span<const PastWanted> wanted) override {
    return source_.TakePasts(now, wanted);
  }

 private:
  ports::SignalSource& source_;
  RunCheck& check_;
  const Recorder& recorder_;
};

// What a Deployment makes of its budgets now.
rollout::BudgetUse UseOf(const Deployment& deployment) {
  const DeploymentStatus status = StatusOf(deployment);
  const Fenceposts posts = Resolve(deployment);
  return {.surge = std::max(0, status.replicas - deployment.replicas),
          .surge_limit = posts.surge,
          .unavailable = std::max(0, deployment.replicas - status.available),
          .unavailable_limit = posts.unavailable,
          .live_limit = posts.most,
          .available_floor = posts.least};
}

// What is known of single requests where the pool has them.
std::optional<RequestResult> RequestsOf(PoolModel& pool, const Flow& flow) {
  const Histogram* latencies = pool.latencies();
  if (latencies == nullptr) return std::nullopt;
  const auto at = [&](double q) { return static_cast<double>(latencies->Quantile(q)) * 1e-6; };
  return RequestResult{.p50 = at(0.5),
                       .p90 = at(0.9),
                       .p99 = at(0.99),
                       .p999 = at(0.999),
                       .longest = static_cast<double>(latencies->max()) * 1e-6,
                       .mean = latencies->Mean() * 1e-6,
                       .flow = flow};
}

class Run {
 public:
  Run(const Scenario& scenario, const config::CompiledConfig& manifests, const traces::Trace& trace,
      Loads loads, RateSignals rates, const Recorder& recorder)
      : scenario_(scenario),
        pools_(SpecsFor(scenario.fleet, manifests.pools)),
        loads_(std::move(loads)),
        recorder_(recorder),
        end_(scenario.start + traces::Length(trace) + scenario.tail),
        calendar_(scenario.start),
        waiting_(calendar_, end_),
        ticks_(calendar_, end_, TicksEarly(scenario), [this](Duration late) { return Tick(late); }),
        fleet_(calendar_, world_, scenario.fleet, manifests.pools),
        check_(pools_, scenario),
        accounted_(scenario.start) {
    for (const PoolSpec& spec : pools_) {
      AddPool(spec, ScrapesFor(scenario, rates, spec.id));
      const auto& signals = rates.by_pool[spec.id];
      if (!signals.empty()) requests_[spec.id] = signals.front().name;
    }
    Chain();
    source_ = std::make_unique<WorldSource>(world_, std::move(rates));
    if (scenario.history)
      source_->Precede(scenario.start, MinuteMeans(*scenario.history, scenario.scale));
    told_ = std::make_unique<ToldSource>(*source_, check_, recorder_);
    slow_source_ = std::make_unique<SlowSource>(*told_, scenario.tick_takes, waiting_);
    slow_actuator_ =
        std::make_unique<SlowActuator>(fleet_.actuator(), scenario.tick_takes, waiting_);
    loop_ = std::make_unique<loop::ControlLoop>(calendar_, *slow_source_, *slow_actuator_, journal_,
                                                loop::Options{.period = scenario.tick,
                                                              .checkpoint_every = kRecordEvery,
                                                              .record_every = kRecordEvery});
    loop_->Configure(pools_);
  }

  RunResult Go() {
    // The declared replicas are up and scraped when the trace begins.
    const Duration settled = Settled();
    calendar_.At(scenario_.start + settled, [this] { CountFromHere(); });
    ticks_.Begin(scenario_.start + scenario_.first_tick.value_or(settled));
    const auto& rollouts = scenario_.fleet.rollouts;
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
      calendar_.At(scenario_.start + rollouts[i], [this, i] {
        // The daemon reads its manifests between two ticks.
        ticks_.ticking() ? held_rollouts_.push_back(i + 1) : RollOut(i + 1);
      });
    }
    fleet_.Begin([this](const PoolId& pool, const DeploymentController& controller,
                        const DeploymentLook& look) { Looked(pool, controller, look); });
    calendar_.Between([this](Instant at) { FlowTo(at); });
    Look(scenario_.start);
    calendar_.RunUntil(end_);
    return Finish();
  }

 private:
  Duration Settled() const {
    Duration longest{0};
    for (const PoolSpec& spec : pools_) {
      longest = std::max(longest, ServiceOf(scenario_, spec.id).startup);
    }
    return longest + Duration(1);
  }

  void AddPool(const PoolSpec& spec, const ScrapeModel& scrapes) {
    WorldPool world;
    world.pool = fleet_.Place(spec.id, MakePool(spec.id));
    world.scraper = std::make_unique<Scraper>(*world.pool, scrapes);
    for (Replicas i = 1; i <= spec.declared; ++i) {
      const std::string name = fmt::format("{}-{}-{}", spec.id.name, spec.revision, i);
      world.pool->Adopt(name, spec.revision);
      world.scraper->Discover(scenario_.start, name);
    }
    world.pool->OnChange([this] { ticks_.Happened(); });
    world_.emplace(spec.id, std::move(world));
    PoolResult result;
    result.id = spec.id;
    result.least_ready = kMaxReplicas;
    result.least_paid = kMaxReplicas;
    results_.emplace(spec.id, std::move(result));
    known_[spec.id].desired = spec.declared;
  }

  // Each pool draws its own numbers.
  std::unique_ptr<PoolModel> MakePool(const PoolId& id) {
    const std::uint64_t seed = scenario_.seed + (world_.size() << 40);
    if (scenario_.mode == Mode::kFluid) {
      return std::make_unique<FluidPool>(calendar_, loads_.Of(id), scenario_.start,
                                         ServiceOf(scenario_, id), seed);
    }
    auto pool = std::make_unique<RequestPool>(calendar_, loads_.Of(id), scenario_.start,
                                              ServiceOf(scenario_, id), seed);
    chained_[id] = pool.get();
    return pool;
  }

  // Each pool of the chain but the first takes what the one before has served.
  void Chain() {
    for (std::size_t i = 1; i < scenario_.chain.size(); ++i) {
      chained_.at(scenario_.chain[i])->FollowOn(*chained_.at(scenario_.chain[i - 1]));
    }
  }

  // Other events run while the loop waits for its queries and steps.
  Instant Tick(Duration late) {
    const Instant begin = calendar_.Now();
    const Instant due = loop_->Step();
    Decided();
    if (recorder_.tick) {
      recorder_.tick(*loop_, world_, {.took = calendar_.Now() - begin, .late = late});
    }
    for (const std::size_t count : std::exchange(held_rollouts_, {})) RollOut(count);
    return due;
  }

  void Decided() {
    check_.Decided(*loop_->last());
    fleet_.Decided(loop_->last()->decisions);
    for (const decision::Decision& decision : loop_->last()->decisions) {
      if (recorder_.decision) recorder_.decision(decision);
      PoolResult& result = results_.at(decision.pool);
      result.peak_desired = std::max(result.peak_desired, decision.desired.replicas);
      for (const rollout::Step& step : decision.plan.steps) {
        if (decision.dry_run) break;
        ++(step.kind == rollout::StepKind::kStart ? result.starts : result.drains);
      }
      known_[decision.pool] = KnownAt(decision);
    }
  }

  // All pools get another template.
  void RollOut(std::size_t count) {
    for (PoolSpec& spec : pools_) {
      spec.revision = NextRevision(spec.revision, count);
      fleet_.Changed(spec.id, spec.revision);
    }
    loop_->Configure(pools_);
    ticks_.Happened();
  }

  // A Deployment did something.
  void Looked(const PoolId& pool, const DeploymentController& controller,
              const DeploymentLook& look) {
    PoolResult& result = results_.at(pool);
    result.starts += static_cast<int>(look.started.size());
    result.drains += static_cast<int>(look.drained.size());
    check_.Looked(pool, look.at, controller.deployment(), world_.at(pool).pool->Views());
  }

  // The part of a moment that holds from one tick to the next.
  Moment KnownAt(const decision::Decision& decision) const {
    rollout::BudgetUse use = decision.plan.use;
    if (const auto* controller = fleet_.FindDeployment(decision.pool)) {
      use = UseOf(controller->deployment());
    }
    Moment known{.desired = decision.desired.replicas,
                 .surge = use.surge,
                 .surge_limit = use.surge_limit,
                 .unavailable = use.unavailable,
                 .unavailable_limit = use.unavailable_limit};
    const auto signal = requests_.find(decision.pool);
    for (const signals::Reading& reading : decision.readings) {
      if (signal == requests_.end() || reading.signal != signal->second) continue;
      known.blind = !signals::MayGrow(reading.quality);
      if (!known.blind) known.view = reading.value;
    }
    return known;
  }

  // Requests flow, replicas are scraped and looked at, all in time order.
  void FlowTo(Instant at) {
    while (next_look_ <= at) Look(next_look_);
    Account(at);
    for (auto& [id, world] : world_) {
      world.scraper->AdvanceTo(at);
      world.pool->AdvanceTo(at);
    }
  }

  // What replicas cost and what their capacity is worth. Their phases are the same from the last
  // time accounted for to `at`.
  void Account(Instant at) {
    if (at <= accounted_) return;
    for (auto& [id, result] : results_) {
      const PoolModel& pool = *world_.at(id).pool;
      const auto counts = signals::Count(pool.Views());
      const Replicas paid = counts.live() + counts.draining;
      result.replica_seconds += paid * Seconds(at - accounted_);
      result.least_paid = std::min(result.least_paid, paid);
      if (queues_.contains(id)) {
        result.counted_arrived += Queue(queues_.at(id), id, at, counts.ready * pool.capacity());
      }
    }
    accounted_ = at;
  }

  // Puts what arrives by the trace up to `at` into the queue, bin by bin; gives its sum.
  double Queue(DeadlineQueue& queue, const PoolId& id, Instant at, double capacity) const {
    const PoolModel& pool = *world_.at(id).pool;
    const Duration wide = loads_.Of(id).bin;
    double sum = 0;
    for (Instant from = accounted_; from < at;) {
      const auto bin = (from - scenario_.start) / wide;
      const Instant edge = std::min(at, scenario_.start + wide * (bin + 1));
      const double arrived = pool.arrival_rate(from) * Seconds(edge - from);
      queue.Advance(Seconds(edge - from), arrived, capacity);
      sum += arrived;
      from = edge;
    }
    return sum;
  }

  // What is bad before the first replicas are ready is no policy's fault.
  void CountFromHere() {
    for (const auto& [id, result] : results_) {
      const Duration wait = LongestGoodWait(scenario_, id);
      queues_.emplace(id, DeadlineQueue(Seconds(wait)));
    }
  }

  void Look(Instant at) {
    Account(at);
    for (auto& [id, world] : world_) {
      world.scraper->AdvanceTo(at);
      world.pool->AdvanceTo(at);
      Add(results_.at(id), *world.pool, id, at);
    }
    next_look_ = at + kMoment;
  }

  void Add(PoolResult& result, PoolModel& pool, const PoolId& id, Instant at) {
    const auto counts = signals::Count(pool.Views());
    const double capacity = counts.ready * pool.capacity();
    const Flow total = pool.total();
    Moment moment = known_[id];
    moment.at = at - scenario_.start;
    moment.demand = pool.arrival_rate(at);
    moment.capacity = capacity;
    moment.backlog = pool.backlog();
    moment.lost = (total.lost - result.lost) / Seconds(kMoment);
    moment.starting = counts.starting;
    moment.ready = counts.ready;
    moment.draining = counts.draining;
    moment.failed = counts.failed;
    moment.latency = pool.RecentLatency();
    result.lost = total.lost;
    moment.replica_seconds = result.replica_seconds;
    result.peak_live = std::max(result.peak_live, counts.live());
    if (moment.at > Settled()) result.least_ready = std::min(result.least_ready, counts.ready);
    if (moment.demand > capacity && moment.at > Settled()) result.short_of_capacity += kMoment;
    if (capacity > 0) {
      result.longest_wait_seconds =
          std::max(result.longest_wait_seconds, pool.backlog() / capacity);
    }
    result.time_line.Add(moment);
    LookAtMinute(result, total, pool.latencies() != nullptr, at);
    if (recorder_.look) recorder_.look(id, at, moment, pool.total());
  }

  // Who is bad: where requests are known one by one they tell, else the queue does.
  void LookAtMinute(const PoolResult& result, const Flow& total, bool known, Instant at) {
    const auto queue = queues_.find(result.id);
    if (queue == queues_.end()) return;
    minutes_[result.id].Look(at, known ? total.arrived : result.counted_arrived,
                             known ? total.lost + total.slow : queue->second.missed());
  }

  RunResult Finish() {
    RunResult run;
    run.summary.scenario = scenario_.name;
    run.summary.length = calendar_.Now() - scenario_.start;
    run.summary.counted_from = Settled();
    run.summary.digest = fmt::format("{:016x}", decision::Digest(loop_->state()));
    run.decisions = journal_.decisions();
    run.breaches = check_.breaches();
    for (auto& [id, result] : results_) {
      PoolModel& pool = *world_.at(id).pool;
      const Flow flow = pool.total();
      result.requests = RequestsOf(pool, flow);
      result.arrived = flow.arrived;
      result.served = flow.served;
      result.lost = flow.lost;
      if (queues_.contains(id)) result.counted_bad = queues_.at(id).missed();
      result.worst_minute = minutes_[id].share();
      run.summary.pools.push_back(std::move(result));
    }
    return run;
  }

  const Scenario& scenario_;
  std::vector<PoolSpec> pools_;
  Loads loads_;
  const Recorder& recorder_;
  Instant end_;
  Calendar calendar_;
  WaitingWorld waiting_;
  TickEvents ticks_;
  std::vector<std::size_t> held_rollouts_;  // for the end of the tick
  World world_;
  Fleet fleet_;
  RunCheck check_;
  std::map<PoolId, RequestPool*> chained_;  // in mode requests; owned by world_
  std::unique_ptr<WorldSource> source_;
  std::unique_ptr<ToldSource> told_;
  std::unique_ptr<SlowSource> slow_source_;
  std::unique_ptr<SlowActuator> slow_actuator_;
  MemoryJournal journal_;
  std::unique_ptr<loop::ControlLoop> loop_;
  std::map<PoolId, PoolResult> results_;
  std::map<PoolId, Moment> known_;          // at the last tick
  std::map<PoolId, std::string> requests_;  // the signal that counts them, the first one
  Instant next_look_{};
  Instant accounted_;
  std::map<PoolId, DeadlineQueue> queues_;  // from Settled() on
  std::map<PoolId, WorstMinute> minutes_;   // as long as queues_
};

}  // namespace

Expected<RunResult> Simulate(const Scenario& scenario, const config::CompiledConfig& manifests,
                             const traces::Trace& trace, const Recorder& recorder) {
  if (manifests.pools.empty()) {
    return Fail(ErrorCode::kInvalid,
                "the manifests declare no IstioGateway; there is nothing to simulate");
  }
  if (trace.requests.empty()) return Fail(ErrorCode::kInvalid, "the trace has no bins");
  TIDEGATE_TRY_VOID(
      Validate(scenario.fleet, manifests.pools, traces::Length(trace) + scenario.tail));
  TIDEGATE_TRY_VOID(CheckNames(scenario, manifests));
  TIDEGATE_TRY(Loads loads, Loads::Make(scenario, trace));
  TIDEGATE_TRY(RateSignals rates, RatesFor(scenario, manifests));
  return Run(scenario, manifests, trace, std::move(loads), std::move(rates), recorder).Go();
}

}  // namespace tidegate::sim
