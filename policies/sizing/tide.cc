#include "policies/sizing/tide.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/growth.h"
#include "policies/sizing/queueing.h"
#include "policies/sizing/target.h"

namespace tidegate::sizing {
namespace {

// The greatest ages are forgotten by half in so long, so that one slow scrape does not count for
// ever.
constexpr double kAgeHalfSeconds = 1'730;
// More requests per second are a mistake of who counts them.
constexpr Rate kMostRate = 1e12;
// A start that takes longer is stuck, and none that rules can be judged by (kMostLag).
constexpr double kLongestStartup = 300;
constexpr Duration kLongestTick = std::chrono::minutes(1);
// A pool that was given this share of all that it could serve may be asked for more than any
// counter tells: what waits or is turned away is not counted. It doubles then, which is what one
// wave may bring (DESIGN: B3), unless its rule says more, and sees the next reading.
// It lies between all and what a pool is sized for (kMostUtilization): a rate over 15 s of a pool
// that is busy throughout varies by 0.01 / sqrt(replicas). 0.985, which calm pools reach by being
// well sized, made them double and shrink all day: 1.22 times the oracle's cost instead of 1.03.
constexpr double kSaturated = 0.995;
constexpr double kBeyond = 2;
// Doubling is an insurance, and floods are rare: where little headroom is right, since the load is
// calm or much may be late, a pool is saturated by being well sized, again and again. So what
// doubling asks for beyond the rules is at most this share of what the load needed; in the first
// hour of a pool, of what its replicas are in an hour. Of 42 recorded loads (scrapes of 15 s) as
// many keep the objective as without a bound, 34 at 1.44 times the oracle's cost, with 0.003 33 at
// 1.43. And a lateShare of 0.01 costs 1.28 times it in place of 1.34, which was more than 0.001
// cost on twelve of them, and is on one.
constexpr double kDoubledShare = 0.005;
constexpr double kDoubledAtFirst = 3'600;
// Rates are means of the time between two samples of each replica, which are so far apart at least.
// How far is learned from the oldest sample that counts; it matters three times:
//  - A pool is held against the replicas that served one interval ago. With those of the newest
//    sample every doubling waited for samples of the last one, and the late share of the days with
//    the highest bursts was a quarter to a half larger.
//  - An estimate is one of them old in the mean, which is part of the lead time that rules are
//    judged by, but for half of it: the trend is ahead of the estimate by more, and with that taken
//    for the whole truth rules are thought to fail less than they do. With 2.5 s more taken off 31
//    of 42 recorded loads (kPenalty 1.4) keep the objective at 1.39 times the oracle's cost, in
//    place of 35 at 1.45, and with 2.5 s less 34 at 1.45.
//  - A burst is taken over one of them (shadow_panel.cc).
constexpr Duration kApart{15'000};
constexpr Duration kCounted{7'500};
// Scrapes that are closer are believed where replicas tell the ages of their samples, the oldest of
// which has been younger than that, and not before so much was judged.
constexpr double kCloseSeconds = 8;
constexpr double kJudgedSeconds = 1'800;
// Until rules were judged for so long nothing is known that would tell how few replicas do.
constexpr double kMetSeconds = 60;
// Where growth is not rolling, a decision is there one start-up later, whatever its size.
constexpr double kAtOnce = 1e6;

// What one signal's demand is sized by.
struct Sized {
  PanelPool pool;
  CapacityTable* table = nullptr;  // null: by the target
  double target = 0;
  Rate most_served = 0;  // by one replica; 0: not known
  bool full = false;     // as many requests are inside as there are workers
};

// The line through the capacities of 1 and 30 replicas: between them it is within a hundredth of
// the table (0.995 n - 0.14 replicas' worth for 8 workers, lognormal 50 ms, cv 0.5, 99.9 % in
// 250 ms), so that a panel of rules needs no search.
void FitLine(CapacityTable& table, PanelPool& pool) {
  constexpr Replicas kFar = 30;
  const Rate one = table.RateOf(1), far = table.RateOf(kFar);
  pool.per_replica = (far - one) / (kFar - 1);
  pool.spare = std::max(0.0, 1 - one / pool.per_replica);
  pool.most_each = Ceiling(table.model()) * kMostUtilization;
}

Duration ApartOf(const TideMemory& memory) {
  const Duration oldest(static_cast<std::int64_t>(memory.oldest_seconds * 1e3));
  const bool close = memory.trend.at && memory.panel.seconds >= kJudgedSeconds &&
                     memory.oldest_seconds < kCloseSeconds;
  return std::clamp(oldest, close ? kPanelStep : kApart, kLongestTick);
}

Duration OldestOf(const Input& input, const Proposal& proposal) {
  Duration oldest = proposal.age;
  const signals::Reading* reading = FindReading(input.readings, proposal.source);
  if (reading == nullptr) return oldest;
  for (const signals::ReplicaValue& one : reading->each) oldest = std::max(oldest, one.age);
  return oldest;
}

// How soon a change of load becomes capacity: until it is read, decided and served.
void FitLead(const Input& input, const TideOptions& options, TideMemory& memory, PanelPool& pool) {
  if (const auto startup = MeasuredStartup(input.replicas)) {
    memory.startup_seconds = std::min(kLongestStartup, Seconds(*startup));
  }
  const double startup =
      memory.startup_seconds > 0 ? memory.startup_seconds : Seconds(options.startup);
  const double wave = std::max(1.0, startup + memory.tick_seconds);
  pool.apart = ApartOf(memory);
  pool.lead = pool.apart - std::min(kCounted, pool.apart / 2) +
              Duration(static_cast<std::int64_t>(wave * 1e3));
  pool.wave = Duration(static_cast<std::int64_t>(wave * 1e3));
  constexpr Replicas kHundred = 100;
  pool.growth = input.rolling_up ? 1 + std::max(1, ResolveUp(input.surge, kHundred)) /
                                           static_cast<double>(kHundred)
                                 : kAtOnce;
  pool.min = input.min;
  pool.max = input.max;
}

// Replicas that have served for so long.
Replicas ServedAt(const Input& input, Duration age) {
  return static_cast<Replicas>(
      std::ranges::count_if(input.replicas, [&](const signals::ReplicaView& replica) {
        return replica.phase == signals::Phase::kReady && replica.since <= input.now - age;
      }));
}

// Whether replicas say means over time of it.
bool IsRate(const Input& input, std::string_view source) {
  const auto target = std::ranges::find(input.targets, source, &SignalTarget::signal);
  return target != input.targets.end() && target->measure == signals::Measure::kRequests;
}

std::string Explain(const PanelChoice& choice, const PanelPool& pool, Rate rate,
                    const std::optional<Trend>& trend) {
  const RuleBase base = BaseOf(choice.rule);
  fmt::memory_buffer note;
  const auto out = fmt::appender(note);
  fmt::format_to(out, "{:.6g}/s", rate);
  if (trend) {
    fmt::format_to(out, " ({:.6g}/s by the newest samples, {:+.3g}/s each second)", trend->level,
                   trend->slope);
  }
  fmt::format_to(out,
                 "; {:.6g}/s are asked for, the mean of {} rules by how well they did; most counts "
                 "({:.0f} %) {:.3g} x the highest of {}",
                 choice.asked, kRules, choice.weight * 100, HeadroomOf(choice.rule),
                 FormatDuration(base.window));
  if (base.reach > 0)
    fmt::format_to(out, " or of what there will be in {:.3g} s", Seconds(pool.wave) * base.reach);
  fmt::format_to(
      out, ", which was {:.2g} % late at {:.2f} times the need; {} from a reading to replicas",
      choice.late_share * 100, choice.cost, FormatDuration(pool.lead));
  if (choice.load > choice.asked)
    fmt::format_to(out, "; {:.6g}/s were asked for within that time", choice.load);
  return fmt::to_string(note);
}

// Where the demand is and goes, as far as replicas tell.
std::optional<Trend> TrendOf(const Input& input, const Proposal& proposal, Rate demand,
                             TideMemory& memory) {
  const signals::Reading* const reading = FindReading(input.readings, proposal.source);
  if (reading == nullptr) return std::nullopt;
  const double apart = std::clamp(memory.oldest_seconds, 1.0, Seconds(kLongestTick));
  std::optional<Trend> trend =
      FollowTrend({.now = input.now,
                   .reading = *reading,
                   .replicas = input.replicas,
                   .means = IsRate(input, proposal.source),
                   .apart = Duration(static_cast<std::int64_t>(apart * 1e3))},
                  memory.trend);
  if (!trend) return trend;
  // What waits is no replica's rate.
  trend->level += std::max(0.0, demand - proposal.value);
  // Where replicas differ much, the sum knows better where the load is at least.
  if (Unsure(memory.trend)) trend->level = std::max(trend->level, demand);
  return trend;
}

// The signal that the panel follows: that of requests, else the first with a target.
const SignalTarget* Followed(const Input& input) {
  const auto requests =
      std::ranges::find(input.targets, signals::Measure::kRequests, &SignalTarget::measure);
  if (requests != input.targets.end()) return &*requests;
  const auto any = std::ranges::find_if(
      input.targets, [](const SignalTarget& target) { return target.per_replica.has_value(); });
  return any != input.targets.end() ? &*any : nullptr;
}

// A partial reading is a lower bound, and so is what was seen before.
//
// Of a pool that was just met the sum grows as its replicas are scraped for the first time, one
// after the other, and must not be taken for a load that does: what those say that are known counts
// for all, and the panel begins anew. After a minute a reading is partial for another reason, and
// is learned from.
void KeepUp(bool just_met, PanelMemory& panel, Rate& demand, std::optional<Trend>& trend) {
  if (just_met && trend && panel.seconds == 0) {
    panel = {};
    demand = std::max(demand, trend->level);
  } else if (!panel.newest.empty() && !panel.levels.empty()) {
    demand = std::max(demand, panel.newest.back());
    if (trend) trend->level = std::max(trend->level, panel.levels.back());
  }
}

// The replicas that are doubled, of which `served` were seen busy: those that are ready, but where
// starts are faster than samples come, what came of the last doubling is doubled once.
Replicas DoubledFrom(const Input& input, Replicas served) {
  return std::min(ServedAt(input, {}), ReplicasFor(served * kBeyond, 1));
}

// What the pool asks for where all of it is busy, `asked` by its rules.
Replicas Double(Replicas asked, Replicas ready, const PanelPool& pool, Duration tick,
                TideMemory& memory, std::string& note) {
  note += "; all that is ready is busy, so that there may be more than is counted";
  const double needed = std::max(memory.panel.need, kDoubledAtFirst * ready);
  if (memory.doubled_seconds > kDoubledShare * needed) {
    note += ", but that was so too often to double for it";
    return asked;
  }
  const Replicas doubled = std::max(asked, ReplicasFor(ready * kBeyond, 1));
  // What a wave does not bring, or the bound, costs nothing.
  const double had = std::min({1.0 * doubled, 1.0 * pool.max, std::ceil(ready * pool.growth)});
  memory.doubled_seconds += std::max(0.0, had - asked) * Seconds(tick);
  return doubled;
}

// How old samples are and how far apart looks; the time since the last one.
Duration NoteTimes(const Input& input, const Proposal& proposal, TideMemory& memory) {
  const Duration tick =
      memory.at ? std::clamp(Duration(input.now - *memory.at), Duration(0), kLongestTick)
                : kPanelStep;
  const double kept = std::exp2(-Seconds(tick) / kAgeHalfSeconds);
  memory.oldest_seconds =
      std::max(Seconds(OldestOf(input, proposal)), memory.oldest_seconds * kept);
  // A look that came early does not make the next one come sooner.
  memory.tick_seconds = std::max(Seconds(tick), memory.tick_seconds * kept);
  memory.at = input.now;
  return tick;
}

// Why the pool should not be shrunk now; null: nothing speaks against it.
const char* WhyNotShrunk(const Sized& sized, const TideMemory& memory) {
  if (memory.panel.seconds < kMetSeconds) return "a pool that was just met is not shrunk";
  if (sized.full) return "a full pool is not shrunk: what it serves is not what there is to serve";
  return nullptr;
}

// What the panel's choice takes, where the pool may be busy past counting or must not be shrunk.
Replicas ReplicasOf(const PanelChoice& choice, const Input& input, Duration tick, Sized& sized,
                    TideMemory& memory, Proposal& proposal) {
  Replicas replicas = sized.table != nullptr ? sized.table->FewestReplicas(choice.load)
                                             : ReplicasFor(choice.load, sized.target);
  const Replicas served = ServedAt(input, sized.pool.apart);
  const bool saturated = served > 0 && sized.most_served > 0 &&
                         proposal.value >= kSaturated * served * sized.most_served;
  if (saturated) {
    replicas =
        Double(replicas, DoubledFrom(input, served), sized.pool, tick, memory, proposal.note);
  }
  if (replicas < input.current) {
    if (const char* why = WhyNotShrunk(sized, memory)) {
      proposal.note += fmt::format("; {}", why);
      replicas = input.current;
    }
  }
  // With none nothing could be seen any more.
  return std::max<Replicas>(1, replicas);
}

// What the panel makes of the demand.
void SizeByPanel(const Input& input, const TideOptions& options, Rate demand, Sized& sized,
                 TideMemory& memory, Proposal& proposal) {
  const Duration tick = NoteTimes(input, proposal, memory);
  FitLead(input, options, memory, sized.pool);
  std::optional<Trend> trend = TrendOf(input, proposal, demand, memory);
  if (!signals::MayShrink(proposal.quality))
    KeepUp(JustMet(memory.trend), memory.panel, demand, trend);
  const PanelChoice choice = AskPanel(sized.pool,
                                      {.now = input.now,
                                       .rate = demand,
                                       .trend = trend,
                                       .half_life = options.half_life,
                                       .allowed = options.late_share},
                                      memory.panel);
  proposal.note = Explain(choice, sized.pool, demand, trend);
  memory.doubled_seconds *= std::exp2(-Seconds(tick) / Seconds(options.half_life));
  const Replicas replicas = ReplicasOf(choice, input, tick, sized, memory, proposal);
  proposal.replicas = replicas;
  proposal.target =
      sized.table != nullptr ? sized.table->RateOf(replicas) / replicas : sized.target;
}

// By the objective where the capacity is known well enough, else by the target.
Proposal ProposeFor(const SignalTarget& signal, const Input& input, const TideOptions& options,
                    TideMemory& memory) {
  Proposal proposal;
  proposal.source = signal.signal;
  const signals::Reading* reading = FindReading(input.readings, signal.signal);
  if (reading == nullptr) {
    proposal.note = "the signal was not read";
    return proposal;
  }
  proposal.quality = reading->quality;
  proposal.value = reading->value;
  proposal.age = reading->age;
  proposal.note = reading->detail;
  if (!signals::MayGrow(reading->quality)) return proposal;
  if (!std::isfinite(reading->value) || reading->value < 0) {
    proposal.quality = signals::Quality::kNaN;
    proposal.value = 0;
    proposal.note = "the value is negative or not finite";
    return proposal;
  }
  Sized sized;
  Rate demand = proposal.value = std::min(reading->value, kMostRate);
  const auto configured = ModelOf(input.capacity);
  if (configured && signal.measure == signals::Measure::kRequests) {
    const PoolObserved observed = Observe(input).observed;
    const QueueModel model = LearnedModel(options.learn, *configured, observed, memory.service);
    if (!memory.table || !(memory.table->model() == model)) memory.table.emplace(model);
    sized.table = &*memory.table;
    FitLine(*sized.table, sized.pool);
    sized.most_served = Ceiling(model);
    sized.full = IsFull(model.workers, observed);
    demand = std::min(kMostRate, DemandOf(model, observed));
  } else if (signal.per_replica) {
    sized.target = *signal.per_replica;
    sized.pool.per_replica = sized.pool.most_each = sized.target;
    if (signal.measure == signals::Measure::kRequests) {
      sized.most_served = input.capacity.requests_per_second.value_or(0);
    }
  } else {
    proposal.note =
        "the policy needs a target, or workers, service time and latency objective in capacity";
    return proposal;
  }
  SizeByPanel(input, options, demand, sized, memory, proposal);
  return proposal;
}

}  // namespace

Sizing Tide::Size(const Input& input, const Options& options, Memory& memory) {
  Sizing sizing;
  const SignalTarget* followed = Followed(input);
  if (followed == nullptr) {
    Proposal nothing;
    nothing.source = "requests";
    nothing.note = "the policy needs a signal of requests, or one with a target";
    sizing.proposals.push_back(std::move(nothing));
    return sizing;
  }
  sizing.proposals = TrackTarget(input);
  const auto own = std::ranges::find(sizing.proposals, followed->signal, &Proposal::source);
  Proposal proposal = ProposeFor(*followed, input, options, memory);
  if (own != sizing.proposals.end()) {
    *own = std::move(proposal);
  } else {
    sizing.proposals.insert(sizing.proposals.begin(), std::move(proposal));
  }
  return sizing;
}

}  // namespace tidegate::sizing
