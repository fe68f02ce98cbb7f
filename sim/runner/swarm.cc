#include "sim/runner/swarm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "sim/checks/budget_check.h"
#include "sim/runner/swarm_daemon.h"
#include "sim/runner/swarm_draw.h"
#include "sim/runner/swarm_ports.h"
#include "sim/world/fluid_pool.h"

namespace tidegate::sim {
namespace {

using signals::Phase;
using signals::ReplicaView;

const Instant kStart = FromUnixMillis(1'767'225'600'000);
constexpr Duration kSecond{1'000};

BudgetPromise PromiseOf(const rollout::Options& options, const ServiceModel& service) {
  return {options.budget.surge,
          options.budget.unavailable,
          options.up == rollout::Pace::kRolling,
          options.down == rollout::Pace::kRolling,
          options.progress_deadline,
          service.drain};
}

class Life {
 public:
  Life(std::uint64_t seed, const SwarmOptions& options)
      : bug_(options.bug),
        trace_to_(options.trace),
        chance_(seed),
        plan_(DrawFaults(chance_, kStart + kFaulty)),
        trace_(DrawLoad(chance_)),
        spec_(DrawSpec(chance_, plan_)),
        service_(DrawService(chance_)),
        calendar_(kStart),
        interval_(kSecond * (2 + chance_.Below(9, "scrape interval"))),
        period_(kSecond * (1 + chance_.Below(5, "period"))),
        pool_(calendar_, std::make_unique<FluidPool>(calendar_, trace_, kStart, service_), plan_,
              chance_),
        scraper_(pool_, {.interval = interval_,
                         .window = interval_ * 4,
                         .discovery = kSecond,
                         .seed = chance_.Roll("scrapes")}),
        actuator_(calendar_, pool_, scraper_, plan_, chance_),
        journal_(plan_, chance_),
        check_(PromiseOf(spec_.rollout, service_)) {
    life_.seed = seed;
    life_.faults = ToText(plan_);
    for (Replicas i = 1; i <= spec_.declared; ++i) {
      const std::string name = fmt::format("{}-{}-{}", spec_.id.name, spec_.revision, i);
      actuator_.Take({rollout::StepKind::kStart, name, spec_.revision, {}});
    }
  }

  SwarmLife Run() {
    calendar_.Between([this](Instant at) { FlowTo(at); });
    calendar_.At(kStart + kSecond, [this] { Second(); });
    calendar_.RunUntil(kStart + service_.startup + kSecond);
    actuator_.Tell([this](const rollout::Step& step) { Requested(step); });
    journal_.Tell([this](const decision::Decision& decision) { Decided(decision); });
    Boot(SwarmSource(pool_, scraper_, plan_, chance_, [this](auto now, auto series, auto replicas) {
      return Estimate(now, series, replicas);
    }));
    calendar_.At(calendar_.Now(), [this] { Tick(); });
    const Instant faulty = kStart + kFaulty;
    calendar_.RunUntil(faulty);
    const Instant end = faulty + kSettles;
    while (calendar_.Now() < end && !life_.settled && life_.violations.empty()) {
      calendar_.RunUntil(calendar_.Now() + kSecond);
    }
    if (!life_.settled && life_.violations.empty()) Violate("convergence", ending_);
    life_.digest = fmt::format("{:016x}", digest_);
    return std::move(life_);
  }

 private:
  void Violate(const char* rule, std::string what) {
    Say("BREAKS {}: {}", rule, what);
    if (life_.violations.size() < 5) {
      life_.violations.push_back({calendar_.Now(), rule, std::move(what)});
    }
  }

  // A line of the trace, where one is wanted.
  template <class... Arguments>
  void Say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (!trace_to_) return;
    trace_to_(FormatInstant(calendar_.Now()) + " " +
              fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void Fold(std::uint64_t number) { digest_ = (digest_ ^ number) * 1099511628211U; }
  void Fold(std::string_view text) {
    for (const char byte : text) Fold(static_cast<unsigned char>(byte));
  }

  // A daemon starts, takes the pool, and goes on with what the journal holds.
  void Boot(SwarmSource source) {
    daemon_ =
        std::make_unique<SwarmDaemon>(calendar_, std::move(source), ownership_, actuator_, journal_,
                                      SwarmDaemon::Options{period_, bug_ == PlantedBug::kFence});
    auto restored = journal_.Restore();
    if (!restored) return Violate("restore", restored.error().message);
    if (bug_ == PlantedBug::kRestore) {
      for (auto& [pool, state] : restored->pools) {
        state.rollout.pending.clear();
        state.rollout.next_ordinal = 1;
      }
    }
    daemon_->loop().Restore(*std::move(restored));
    Configure();
  }

  void Configure() {
    decision::PoolSpec spec = spec_;
    if (bug_ == PlantedBug::kPlanner) {
      const IntOrPercent surge = spec.rollout.budget.surge;
      spec.rollout.budget.surge = {1 + ResolveUp(surge, spec.guards.max), false};
    }
    daemon_->loop().Configure({std::move(spec)});
  }

  signals::Reading Estimate(Instant now, std::span<const signals::SampleSeries> series,
                            std::span<const ReplicaView> replicas) {
    signals::Reading reading = signals::EstimateRate(
        now, series, replicas,
        {.window = interval_ * 4, .scrape_interval = interval_, .stale_after = interval_ * 5 / 2});
    if (bug_ == PlantedBug::kEstimator && reading.quality != signals::Quality::kEmpty) {
      reading.quality = signals::Quality::kOk;
    }
    if (trace_to_) SayReading(now, reading, series);
    JudgeReading(now, reading);
    return reading;
  }

  // Only where the estimator was told what is true: it takes the fleet's word for who serves. It
  // errs upwards where load falls while young replicas are unseen, so what was served earlier
  // bounds it from above.
  void JudgeReading(Instant now, const signals::Reading& reading) {
    if (reading.quality != signals::Quality::kOk || plan_.view_lag > 0 || plan_.fleet_fails > 0) {
      return;
    }
    const Instant since = now - interval_ * 6;
    if (served_.empty() || served_.front().first > since) return;
    double least = kMaxReplicas * 1e6;
    double most = 0;
    for (std::size_t i = 1; i < served_.size(); ++i) {
      const double rate = served_[i].second - served_[i - 1].second;
      most = std::max(most, rate);
      if (served_[i].first >= since) least = std::min(least, rate);
    }
    ++life_.readings;
    const double slack = 12;  // counters are whole numbers
    if (reading.value < least / 2 - slack || reading.value > most * 2 + slack) {
      Violate("reading", fmt::format("{:.1f}/s is called ok where {:.1f} to {:.1f} were served",
                                     reading.value, least, most));
    }
  }

  void SayReading(Instant now, const signals::Reading& reading,
                  std::span<const signals::SampleSeries> series) {
    Say("reads {:.1f}/s, {} {} ({} of {})", reading.value, signals::Name(reading.quality),
        reading.detail, reading.series, reading.expected);
    for (const signals::SampleSeries& one : series) {
      std::string samples;
      for (const signals::Sample& sample : one.samples) {
        samples += fmt::format(" {:.0f} ({} ago)", sample.value, FormatDuration(now - sample.at));
      }
      Say("  {}:{}", one.replica, samples);
    }
  }

  void SayDecision(const decision::Decision& decision) {
    std::string seen;
    for (const ReplicaView& view : daemon_->source().seen()) {
      seen += fmt::format(" {}:{}", view.name, signals::Name(view.phase));
    }
    Say("is shown{}", seen);
    Say("decides {}", decision::Summary(decision));
  }

  void Decided(const decision::Decision& decision) {
    if (trace_to_) SayDecision(decision);
    if (!decision.error.empty()) return;
    observed_ = decision.at;
    check_.Observe(decision.at, spec_.revision, decision.desired.replicas, spec_.rollout.quota,
                   daemon_->source().seen());
    Collect();
  }

  void Requested(const rollout::Step& step) {
    ++life_.steps;
    Say("requests {} of {} ({})", rollout::Name(step.kind), step.replica,
        rollout::Name(step.reason));
    check_.Request(calendar_.Now(), step);
    Collect();
  }

  void Collect() {
    for (std::size_t i = judged_; i < check_.breaches().size(); ++i) {
      const BudgetBreach& breach = check_.breaches()[i];
      Violate(breach.rule.c_str(), breach.what);
    }
    judged_ = check_.breaches().size();
  }

  void Tick() {
    SeeChanges();  // of the same instant
    const Instant now = calendar_.Now();
    const std::int64_t at = UnixMillis(now);
    const bool faulty = now < plan_.until;
    if (faulty && chance_.Hits(plan_.rollouts, "rollouts", "", at)) {
      spec_.revision = fmt::format("rev-{}", chance_.Below(3, "revision", "", at));
      Configure();
    }
    const bool dies = faulty && chance_.Hits(plan_.daemon_dies, "daemon_dies", "", at);
    if (dies) {
      const bool unwritten = chance_.Hits(300, "dies before it writes", "", at);
      // It writes ahead of its requests, and never which of them were refused.
      journal_.DieAfter(unwritten ? 0 : 1);
      actuator_.DieAfter(unwritten ? 0 : chance_.Below(4, "dies after requests", "", at),
                         !unwritten);
    }
    const bool overtaken =
        faulty && !dies && chance_.Hits(plan_.second_daemon, "second_daemon", "", at);
    if (overtaken) {
      daemon_->fence().StandStillAfter(chance_.Below(4, "stands still after", "", at));
    }
    if (dies) Say("the daemon dies in this tick");
    if (overtaken) Say("the daemon stands still in this tick");
    Instant next = Step(*daemon_);
    ++life_.ticks;
    if (dies) {
      next = Revive(now);
    } else if (overtaken) {
      next = Overtake(now);
    } else {
      Ticked(now);
    }
    if (faulty && chance_.Hits(plan_.overrun, "overrun", "", at)) {
      next += chance_.Upto(Duration(10'000), "overrun", "", at);
    }
    calendar_.At(next, [this] { Tick(); });
  }

  Instant Step(SwarmDaemon& daemon) {
    const Instant next = daemon.loop().Step();
    const loop::Tick& tick = *daemon.loop().last();
    if (!tick.observe_error.empty()) Say("sees nothing");
    for (const loop::StepFailure& failure : tick.failures) {
      Say("{} of {} is refused: {}", rollout::Name(failure.step.kind), failure.step.replica,
          failure.error.message);
    }
    return next;
  }

  Instant Revive(Instant now) {
    ++life_.restarts;
    journal_.DieAfter(std::nullopt);
    actuator_.DieAfter(std::nullopt, false);
    Boot(daemon_->source());
    return now + chance_.Upto(Duration(8'000), "down for", "", UnixMillis(now)) + kSecond;
  }

  // Another daemon takes the pool from one that stands still, and that one goes on later, for a
  // while, as if nothing had been.
  Instant Overtake(Instant now) {
    const std::int64_t at = UnixMillis(now);
    const int which = ++life_.takeovers;
    old_ = std::move(daemon_);
    Boot(old_->source());
    const Instant wakes = now + chance_.Upto(Duration(40'000), "stands still for", "", at);
    const Instant ends = wakes + chance_.Upto(Duration(60'000), "goes on for", "", at);
    calendar_.At(std::min(wakes, plan_.until), [this, which, ends] {
      if (which != life_.takeovers) return;  // a third one took over, and this one is gone
      Say("the old daemon goes on");
      old_->fence().WakeUp(calendar_.Now());
      life_.fenced += old_->fence().refused();
      TickOld(which, std::min(ends, plan_.until));
    });
    return now + chance_.Upto(Duration(8'000), "takes over in", "", at) + kSecond;
  }

  void TickOld(int which, Instant ends) {
    if (which != life_.takeovers || calendar_.Now() >= ends) return;
    SeeChanges();
    const int before = old_->fence().refused();
    const Instant next = Step(*old_);
    life_.fenced += old_->fence().refused() - before;
    ++life_.ticks;
    calendar_.At(next, [this, which, ends] { TickOld(which, ends); });
  }

  void Ticked(Instant now) {
    Fold(decision::Digest(daemon_->loop().state()));
    for (const decision::Decision& decision : daemon_->loop().last()->decisions) {
      if (observed_ < decision.at) Decided(decision);
      if (now >= plan_.until + spec_.rollout.progress_deadline) JudgeEnd(decision);
    }
  }

  // Once faults have stopped: the size that the load asks for, all of it ready, nothing left to do.
  void JudgeEnd(const decision::Decision& decision) {
    const auto& rollout = daemon_->loop().state().pools.at(decision.pool).rollout;
    const auto views = pool_.Views();
    // A quota may leave it with fewer replicas than the load needs; then what they serve counts.
    const double rate = std::min(pool_.arrival_rate(calendar_.Now()),
                                 signals::Count(views).ready * pool_.capacity());
    const Replicas desired = decision.desired.replicas;
    const Replicas goal = spec_.rollout.quota ? std::min(desired, *spec_.rollout.quota) : desired;
    const bool runs = static_cast<Replicas>(views.size()) == goal &&
                      std::ranges::all_of(views, [&](const ReplicaView& view) {
                        return view.phase == Phase::kReady && view.revision == spec_.revision;
                      });
    const bool sized = Sized(rate, static_cast<Replicas>(views.size()), desired);
    const bool idle = decision.plan.steps.empty() && rollout.pending.empty();
    const bool deadlock = !decision.plan.foresight.deadlock.empty() && idle;
    life_.settled = (runs && sized && idle) || deadlock;
    ending_ =
        fmt::format("{} replicas, goal {}, desired {}, load {:.1f}/s, {}, {}", views.size(), goal,
                    desired, rate, decision::Summary(decision), decision.readings.at(0).detail);
  }

  // Whether a pool of this size is right for the rate. Counters are whole numbers, so the rate is
  // known to one request per replica and scrape interval; what any rate in between asks for is
  // right, and so is a size that is off from that by no more than the tolerance.
  bool Sized(double rate, Replicas replicas, Replicas desired) const {
    const double noise = replicas / Seconds(interval_);
    const auto asked = [this](double load) {
      return std::clamp(static_cast<Replicas>(std::ceil(load / kPerReplica)), spec_.guards.min,
                        spec_.guards.max);
    };
    const Replicas least = asked(std::max(0.0, rate - noise));
    const Replicas most = asked(rate + noise);
    const auto tolerated = [desired](const guards::ScalingRules& rules) {
      return rules.tolerance.value_or(guards::kDefaultTolerance) * desired;
    };
    const auto& behavior = spec_.guards.behavior;
    return desired >= least - tolerated(behavior.up) && desired <= most + tolerated(behavior.down);
  }

  void FlowTo(Instant at) {
    if (at < flowed_) Violate("time", "an event lies before the one before it");
    flowed_ = at;
    SeeChanges();
    scraper_.AdvanceTo(at);
    pool_.AdvanceTo(at);
    const Flow flow = pool_.total();
    const double known = flow.served + flow.lost + pool_.backlog();
    if (std::abs(flow.arrived - known) > 1e-6 * (1 + flow.arrived)) {
      Violate("requests", fmt::format("{} arrived, {} are accounted for", flow.arrived, known));
    }
  }

  // What truly happened to replicas since the last event, at which it happened.
  void SeeChanges() {
    const Instant now = calendar_.Now();
    const auto views = pool_.Views();
    for (const ReplicaView& view : views) {
      const auto before = std::ranges::lower_bound(truth_, view.name, {}, &ReplicaView::name);
      const bool known = before != truth_.end() && before->name == view.name;
      if (known && before->phase == view.phase) continue;
      Say("{} is {}", view.name, signals::Name(view.phase));
      Fold(view.name);
      Fold(static_cast<std::uint64_t>(view.phase));
      if (view.phase == Phase::kFailed) ++life_.deaths;
      check_.Entered(now, view.name, view.phase);
    }
    for (const ReplicaView& view : truth_) {
      if (std::ranges::binary_search(views, view.name, {}, &ReplicaView::name)) continue;
      Say("{} is gone", view.name);
      check_.Gone(now, view.name);
    }
    check_.At(now);
    truth_.assign(views.begin(), views.end());
    Collect();
  }

  void Second() {
    pool_.Crashes();
    served_.emplace_back(calendar_.Now(), pool_.total().served);
    if (served_.front().first < calendar_.Now() - kFaulty) served_.pop_front();
    const auto series = scraper_.Query(calendar_.Now());
    const bool bounded = truth_.size() <= 100 && series.size() <= 200 &&
                         std::ranges::all_of(series, [](const signals::SampleSeries& one) {
                           return one.samples.size() <= 20;
                         });
    if (!bounded) Violate("memory", "more is kept than a pool of this size needs");
    calendar_.At(calendar_.Now() + kSecond, [this] { Second(); });
  }

  PlantedBug bug_;
  std::function<void(const std::string&)> trace_to_;
  Chance chance_;
  FaultPlan plan_;
  traces::Trace trace_;
  decision::PoolSpec spec_;
  ServiceModel service_;
  Calendar calendar_;
  Duration interval_;
  Duration period_;
  FaultyPool pool_;
  Scraper scraper_;
  SwarmActuator actuator_;
  SwarmJournal journal_;
  BudgetCheck check_;
  Ownership ownership_;
  std::unique_ptr<SwarmDaemon> daemon_;
  std::unique_ptr<SwarmDaemon> old_;  // has lost the pool to daemon_, and need not know
  SwarmLife life_;
  std::vector<ReplicaView> truth_;
  std::deque<std::pair<Instant, double>> served_;  // all that was served, each second
  std::size_t judged_ = 0;                         // breaches that were collected
  Instant observed_{};
  Instant flowed_{};
  std::uint64_t digest_ = 14695981039346656037U;
  std::string ending_ = "no tick since faults stopped";
};

constexpr std::array<const char*, 5> kNames{"none", "planner", "estimator", "restore", "fence"};

}  // namespace

const char* Name(PlantedBug bug) { return kNames[static_cast<std::size_t>(bug)]; }

std::optional<PlantedBug> ParsePlantedBug(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<PlantedBug>(at - kNames.begin());
}

SwarmLife RunSwarmLife(std::uint64_t seed, const SwarmOptions& options) {
  return Life(seed, options).Run();
}

std::string Explain(const SwarmLife& life, const SwarmOptions& options) {
  if (life.violations.empty()) return "";
  std::string text = fmt::format("seed {}: faults: {}\n", life.seed, life.faults);
  for (const SwarmViolation& violation : life.violations) {
    text +=
        fmt::format("  {} {}: {}\n", FormatInstant(violation.at), violation.rule, violation.what);
  }
  std::string how;
  if (options.bug != PlantedBug::kNone)
    how = fmt::format(" --break-for-test {}", Name(options.bug));
  return text + fmt::format("  again: tidesim swarm --seed {}{}\n", life.seed, how);
}

}  // namespace tidegate::sim
