#include "policies/sizing/shadow_panel.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "policies/base/check.h"

namespace tidegate::sizing {
namespace {

// Figures of sweeps below are of the day when a constant was chosen, with the other ones as they
// were then: each compares values of one constant, all else being equal.
constexpr double kStepSeconds = 5;
constexpr double kDust = 1e-9;  // a rounding error of replicas
static_assert(kPanelStep == Duration(static_cast<std::int64_t>(kStepSeconds * 1'000)));

// Windows are made of steps, of minutes and of stretches of six minutes, so that an hour and a half
// takes 35 numbers and not 1,080. Those of minutes and stretches are up to one of them longer.
constexpr int kNewest = 12;  // steps, at least
constexpr int kMinuteSteps = 12;
constexpr int kMostMinutes = 7;
constexpr int kStretchSteps = 72;
constexpr int kMostStretches = 16;

enum class Of { kSteps, kMinutes, kStretches };
struct Window {
  Duration length;
  Of of;
  int count;
};
using std::chrono::minutes;
using std::chrono::seconds;
constexpr std::array<Window, kWindows> kWindowTable{{
    {seconds(5), Of::kSteps, 1},
    {seconds(60), Of::kSteps, 12},
    {minutes(6), Of::kMinutes, 7},
    {minutes(30), Of::kStretches, 6},
    {minutes(90), Of::kStretches, 16},
}};
// How far a trend is taken to go on, in waves. Replicas are there one wave after a reading, so that
// 0.8 is where the load is in the mean while it rises, and 2.4 where it is when the wave after that
// is there. Of 42 recorded loads (kPenalty 1.4) 33 keep the objective in place of 35 with 0.5
// and 1.5, and as many with 1 and 3, at the same cost.
constexpr std::array<double, kReaches> kReachTable{0, 0.8, 2.4};
// Rules whose reach is none ask for no bursts: they are for noise, of which each peak is a burst.
constexpr bool Bursts(std::size_t base) { return base >= kWindows; }
constexpr std::size_t WindowOf(std::size_t base) { return base % kWindows; }
constexpr std::size_t ReachOf(std::size_t base) { return base / kWindows; }

// What the rules look at: the highest of where the load was and would be by each reach, the highest
// rate of the longer windows, and what a burst will be. What was asked for is kept for one lead
// time, so that all of them are the highest of so long.
constexpr std::size_t kLonger = kReaches - 1;  // and the window: its place
constexpr std::size_t kInBurst = kLonger + kWindows;
constexpr std::size_t kSeen = kInBurst + 1;
static_assert(kSeen == kWindows + 3, "PanelMemory::waiting is bounded by it");
using Seen = std::array<double, kSeen>;

std::int64_t StepOf(Instant now) { return UnixMillis(now) / kPanelStep.count(); }

void Append(std::vector<double>& values, double value, std::size_t most) {
  values.push_back(value);
  if (values.size() > most) values.erase(values.begin());
}

double Highest(const std::vector<double>& values, int newest) {
  const std::size_t count = std::min(values.size(), static_cast<std::size_t>(newest));
  double highest = 0;
  for (std::size_t i = values.size() - count; i < values.size(); ++i)
    highest = std::max(highest, values[i]);
  return highest;
}

int LagOf(const PanelPool& pool) {
  return std::clamp(static_cast<int>(std::ceil(Seconds(pool.lead) / kStepSeconds)), 1, kMostLag);
}

// Over how many steps a rise is taken: one interval between samples. Over two intervals of 15 s 26
// of 42 recorded days kept 99.9 % in time (at 1.65 times the oracle's cost) instead of 32
// (at 1.74), over 10 s as many.
std::size_t RiseSteps(const PanelPool& pool) {
  return static_cast<std::size_t>(std::clamp<Duration::rep>(pool.apart / kPanelStep, 1, kMostRise));
}

// What the newest rate gained each second since then.
double RiseOf(const PanelPool& pool, const std::vector<double>& newest) {
  const std::size_t back = std::min(newest.size() - 1, RiseSteps(pool));
  if (back == 0) return 0;
  const double gain = newest.back() - newest[newest.size() - 1 - back];
  return gain / (static_cast<double>(back) * kStepSeconds);
}

// A step's rate, in the ring of its steps, of its minute and of its stretch, and its trend.
void Enter(const PanelPool& pool, std::int64_t step, const PanelLook& look, PanelMemory& memory) {
  const Rate rate = look.rate;
  const auto enter = [&](std::vector<double>& values, int steps, int most) {
    if (!values.empty() && step / steps == memory.step / steps) {
      values.back() = std::max(values.back(), rate);
    } else {
      Append(values, rate, static_cast<std::size_t>(most));
    }
  };
  enter(memory.minutes, kMinuteSteps, kMostMinutes);
  enter(memory.stretches, kStretchSteps, kMostStretches);
  if (!memory.newest.empty() && step == memory.step) {
    memory.newest.back() = rate;
  } else {
    const auto lag = static_cast<std::size_t>(LagOf(pool));
    // As many as See() looks at, and the first one.
    Append(memory.newest, rate, std::max<std::size_t>(kNewest, lag + 2 + kMostRise));
    Append(memory.asked, 0, lag + 1);
    Append(memory.levels, 0, lag + 1);
    Append(memory.slopes, 0, lag + 1);
  }
  const Trend now = look.trend.value_or(Trend{rate, RiseOf(pool, memory.newest)});
  memory.levels.back() = now.level;
  memory.slopes.back() = now.slope;
  memory.step = step;
}

// A load that has risen by a twentieth within one interval is taken to rise on for two lead times,
// by all rules that have a reach: the sum of rates is one interval old, replicas are there one lead
// time later, and the next decision's another one. Of 42 recorded loads (kPenalty 1.4) 35 keep
// the objective at 1.45 times the oracle's cost; without bursts 33 at 1.44, taken to rise on for
// one lead time 34 at 1.43, for three 34 at 1.49.
constexpr double kBurst = 1.05;
constexpr double kBurstSlope = 2;

double BurstAt(const std::vector<double>& newest, std::size_t at, std::size_t rise, int lag) {
  // The first one may be that of a part of a pool that was just met.
  if (at <= rise) return 0;
  const double before = newest[at - rise];
  if (newest[at] <= kBurst * before) return 0;
  return newest[at] + kBurstSlope * (newest[at] - before) / static_cast<double>(rise) * lag;
}

// Replicas below which a pool can't go in its shadow.
double LeastOf(const PanelPool& pool) { return std::max<Replicas>(1, pool.min); }
double MostOf(const PanelPool& pool) { return std::max<Replicas>({1, pool.min, pool.max}); }
// More is nobody's miss: no size of the pool can serve it.
Rate MostServed(const PanelPool& pool) {
  return MostOf(pool) * std::max(pool.per_replica, pool.most_each);
}

Seen See(const PanelPool& pool, const PanelMemory& memory, int lag) {
  Seen seen{};
  const auto most = static_cast<std::size_t>(lag) + 1;
  const std::size_t count = memory.newest.size(), rise = RiseSteps(pool);
  double highest = 0;
  for (std::size_t at = count - std::min(count, most); at < count; ++at) {
    highest = std::max(highest, memory.newest[at]);
    seen[kInBurst] = std::max(seen[kInBurst], BurstAt(memory.newest, at, rise, lag));
  }
  const std::size_t trends = memory.levels.size();
  for (std::size_t at = trends - std::min(trends, most); at < trends; ++at) {
    const double rise_of_wave = std::max(0.0, memory.slopes[at]) * Seconds(pool.wave);
    for (std::size_t i = 0; i < kReaches; ++i)
      seen[i] = std::max(seen[i], memory.levels[at] + kReachTable[i] * rise_of_wave);
  }
  for (std::size_t i = 1; i < kWindows; ++i) {
    const Window& window = kWindowTable[i];
    const std::vector<double>& values = window.of == Of::kSteps     ? memory.newest
                                        : window.of == Of::kMinutes ? memory.minutes
                                                                    : memory.stretches;
    highest = seen[kLonger + i] = std::max(highest, Highest(values, window.count));
  }
  return seen;
}

double LoadOf(const Seen& seen, std::size_t base) {
  const double ahead = seen[ReachOf(base)];
  const std::size_t window = WindowOf(base);
  return window == 0 ? ahead : std::max(ahead, seen[kLonger + window]);
}

// Without calls and conversions, so that loops over rules become vector instructions: adding 2^52
// leaves no room for a fraction. Precondition: 0 <= x < 2^51.
double Whole(double x) {
  constexpr double kRoom = 4'503'599'627'370'496;
  return (x + kRoom) - kRoom;
}
double Floor(double x) {
  const double whole = Whole(x);
  return whole - (whole > x ? 1.0 : 0.0);
}
double Ceil(double x) {
  const double whole = Whole(x);
  return whole + (whole < x ? 1.0 : 0.0);
}

// What every rule would have ready now, as it decided one lead time ago, and what that is worth.
//
// What is late is the excess over what its replicas can serve: that is what any order of service
// fails at least (sim/report/deadline_queue.h), and it needs no queue to be remembered.
//
// A pool grows in waves: at once by `growth`, and by as much again when those are ready, one wave
// later. What is remembered grows as fast, but evenly, so that it is one whole wave behind just
// after a start and none just before the next: half a wave, sqrt(growth), is put on it. Without
// that rules are thought to be a wave later than the pool that follows them: of 42 recorded loads
// (kPenalty 1.4) 35 keep the objective at 1.53 times the oracle's cost in place of 1.45; with a
// whole wave 32 do, at 1.43.
void Judge(const PanelPool& pool, double kept, const Seen& seen, double rate, PanelMemory& memory) {
  const double least = LeastOf(pool), most = MostOf(pool);
  const double wave = kStepSeconds / Seconds(pool.wave);  // one replica a wave is always allowed
  const double factor = std::pow(pool.growth, wave);
  const double ahead = std::sqrt(pool.growth);
  const double each = pool.most_each, inverse = 1 / pool.per_replica, spare = pool.spare;
  const double burst = seen[kInBurst] * inverse;
  // On copies of twelve, which nothing else can be: so it becomes vector instructions.
  constexpr std::size_t kEach = kHeadrooms.size();
  std::array<double, kEach> late, cost, serving;
  for (std::size_t base = 0; base < kBases; ++base) {
    const double load = LoadOf(seen, base) * inverse;
    const double least_load = Bursts(base) ? burst : 0;
    const auto at = static_cast<std::ptrdiff_t>(base * kEach);
    std::copy_n(memory.late.begin() + at, kEach, late.begin());
    std::copy_n(memory.cost.begin() + at, kEach, cost.begin());
    std::copy_n(memory.serving.begin() + at, kEach, serving.begin());
    for (std::size_t k = 0; k < kEach; ++k) {
      const double wanted = std::max(load * kHeadrooms[k], least_load) + spare;
      const double need = Ceil(std::min(most, std::max(least, wanted)));
      // What is below stays below: a pool that shrinks does so at once.
      const double grown = std::min(need, std::max(serving[k] * factor, serving[k] + wave));
      const double now = std::min(need, std::max(grown * ahead, grown + 0.5));
      const double missing = rate - Floor(now + kDust) * each;
      serving[k] = grown;
      late[k] = late[k] * kept + std::max(0.0, missing) * kStepSeconds;
      cost[k] = cost[k] * kept + now * kStepSeconds;
    }
    std::copy_n(late.begin(), kEach, memory.late.begin() + at);
    std::copy_n(cost.begin(), kEach, memory.cost.begin() + at);
    std::copy_n(serving.begin(), kEach, memory.serving.begin() + at);
  }
  memory.requests = memory.requests * kept + rate * kStepSeconds;
  const double needed = std::clamp(rate * inverse + spare, least, most);
  memory.need = memory.need * kept + needed * kStepSeconds;
  memory.seconds = memory.seconds * kept + kStepSeconds;
}

bool Fits(const PanelMemory& memory) {
  return memory.step > 0 && !memory.newest.empty() && !memory.asked.empty() &&
         memory.levels.size() == memory.asked.size() &&
         memory.slopes.size() == memory.asked.size() && !memory.minutes.empty() &&
         !memory.stretches.empty() && memory.late.size() == kRules &&
         memory.cost.size() == kRules && memory.serving.size() == kRules &&
         memory.waiting.size() % kSeen == 0;
}

void Begin(const PanelPool& pool, const PanelLook& look, PanelMemory& memory) {
  memory = {};
  memory.late.assign(kRules, 0);
  memory.cost.assign(kRules, 0);
  const double need = look.rate / pool.per_replica + pool.spare;
  memory.serving.assign(
      kRules, std::clamp(Ceil(std::min(need, MostOf(pool))), LeastOf(pool), MostOf(pool)));
  Enter(pool, StepOf(look.now), look, memory);
}

// A long silence, or a clock that was set by as much: what the short windows knew is gone, and what
// rules saw can't be judged.
void Pause(const PanelPool& pool, std::int64_t step, const PanelLook& look, PanelMemory& memory) {
  const auto skip = [&](std::vector<double>& values, int steps, int most) {
    const std::int64_t missed = step / steps - memory.step / steps - 1;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(missed, most); ++i)
      Append(values, 0, static_cast<std::size_t>(most));
  };
  skip(memory.minutes, kMinuteSteps, kMostMinutes);
  skip(memory.stretches, kStretchSteps, kMostStretches);
  // The clock was set back: what the longer windows hold is of times to come.
  if (step < memory.step) {
    memory.minutes.clear();
    memory.stretches.clear();
  }
  memory.newest.clear();
  memory.asked.clear();
  memory.levels.clear();
  memory.slopes.clear();
  memory.waiting.clear();
  Enter(pool, step, look, memory);
}

// What a pool has to believe before it has seen anything: as if 0.1 hours had been seen in which a
// rule with headroom m and reach r fails a share 0.003 m^-3 / (1 + 1.25 r) of requests, with longer
// windows less of it, and costs m times what is needed. So a new pool takes a rise for one that
// goes on until that costs more than it is worth. It matters little: of 42 recorded loads (scrapes
// of 15 s) 34 keep the objective at 1.44 times the oracle's cost, with twice the hours as many,
// with half of them 33, with 0.002 or 0.001 of requests 34 at 1.43; and what rules did on those
// loads in the mean, in place of the formula, kept as many as it for 2 % more.
constexpr double kPriorSeconds = 0.1 * 3'600;
constexpr double kPriorLate = 0.003;
struct Prior {
  std::array<double, kRules> late{};  // share of requests
  std::array<double, kRules> cost{};  // of the need
};
const Prior& PriorOf() {
  static const Prior kPrior = [] {
    Prior prior;
    for (std::size_t rule = 0; rule < kRules; ++rule) {
      const RuleBase base = BaseOf(rule);
      const double headroom = HeadroomOf(rule);
      const double steps = Seconds(base.window) / kStepSeconds;
      prior.late[rule] = kPriorLate / (headroom * headroom * headroom * (1 + 1.25 * base.reach)) *
                         (0.3 + 1 / (1 + steps / 36));
      prior.cost[rule] = headroom * (1 + 0.05 * std::log2(1 + steps));
    }
    return prior;
  }();
  return kPrior;
}

// Cost, in multiples of the need, that e times as many late requests are worth, once they are more
// than allowed. In logarithms, as a pool that fails them by the hundred should not pay for all it
// can get. Of 42 recorded loads (scrapes of 15 s) 0.95, 1 and 1.1 keep the objective on 34 at 1.44
// to 1.45 times the oracle's cost, 1.15 on 35 at 1.45.
constexpr double kPenalty = 1;
// With samples that are t seconds apart (t / 15)^0.7 times that: rules are judged by means over t,
// which hide the more of what is late the longer they are. With scrapes of 30 s 28 loads keep the
// objective at 1.48 times the oracle's cost, in place of 26 at 1.47 (with t / 15 29 at 1.49); with
// scrapes of 5 s 34 at 1.43 in place of 35 at 1.49.
constexpr double kPenaltyApart = 15;
constexpr double kPenaltyPower = 0.7;
// A rule whose score (cost, and penalty of what is late) is worse than that of the best one by one
// spread counts 1/e as much: exponential weights (Littlestone and Warmuth, The Weighted Majority
// Algorithm, 1994; Freund and Schapire, A Decision-Theoretic Generalization of On-Line Learning,
// 1997). Who follows the best rule alone trusts one that was lucky, and goes after each burst from
// too little to too much; and as what is late falls convexly with capacity, less is late with the
// mean of two sizes than in the mean of both. The spread is in proportion to what the best one pays
// beyond the need: a tenth of a replica more is much on a calm day. Of 42 recorded loads (scrapes
// of 15 s, kFaint 8) 0.28, 0.3 and 0.32 keep the objective on 33 at 1.44 times the oracle's cost;
// the best rule alone kept it on 33 at 1.48 where it was allowed a fifth of the
// share that the pool is, and on 36 at 1.55 with 0.07 of it.
constexpr double kSpread = 0.3;
constexpr double kLeastSpread = 0.002;
// What counts less than e^-10 of the best one is left out. With 8 33 loads keep the objective and
// not 34: generous rules count for what they ask for, so that faint ones matter. With 12 and 16 34
// do.
constexpr double kFaint = 10;

struct Weights {
  std::array<double, kRules> each{};
  double sum = 0;
  std::size_t most = 0;  // the rule with the largest one
};

// How much rules count, by what they cost and fail, the latter over what is allowed. A logarithm is
// taken only where it can matter: the penalty adds to the cost.
Weights Weigh(const std::array<double, kRules>& cost, const std::array<double, kRules>& late,
              double penalty) {
  std::array<double, kRules> score;
  const auto judge = [&](std::size_t i) {
    return score[i] = cost[i] + (late[i] > 1 ? penalty * std::log(late[i]) : 0);
  };
  Weights weights;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < kRules; ++i) {
    if (cost[i] >= least || judge(i) >= least) continue;
    least = score[i];
    weights.most = i;
  }
  TIDEGATE_CHECK(std::isfinite(least), "numbers");
  const double spread = std::max(kLeastSpread, kSpread * (least - 1));
  const double faint = least + kFaint * spread;
  for (std::size_t i = 0; i < kRules; ++i) {
    if (cost[i] > faint || judge(i) > faint) continue;
    weights.sum += weights.each[i] = std::exp((least - score[i]) / spread);
  }
  return weights;
}

Weights WeighBy(const PanelPool& pool, const PanelMemory& memory, double allowed) {
  const Prior& prior = PriorOf();
  const double judged = std::max(kStepSeconds, memory.seconds);
  const double prior_requests = kPriorSeconds * std::max(1.0, memory.requests / judged);
  const double prior_need = kPriorSeconds * std::max(1.0, memory.need / judged);
  const double per_request = 1 / ((memory.requests + prior_requests) * allowed);
  const double per_need = 1 / (memory.need + prior_need);
  std::array<double, kRules> late, cost;
  for (std::size_t i = 0; i < kRules; ++i) {
    late[i] = (memory.late[i] + prior_requests * prior.late[i]) * per_request;
    cost[i] = (memory.cost[i] + prior_need * prior.cost[i]) * per_need;
  }
  const double apart = Seconds(pool.apart) / kPenaltyApart;
  return Weigh(cost, late, kPenalty * std::pow(apart, kPenaltyPower));
}

// What the rules look at now. Precondition: memory fits.
Seen Look(const PanelPool& pool, const PanelLook& look, PanelMemory& memory) {
  const std::int64_t step = StepOf(look.now);
  const int lag = LagOf(pool);
  if (std::abs(step - memory.step) > kMostPause) {
    Pause(pool, step, look, memory);
    return See(pool, memory, lag);
  }
  if (step <= memory.step) {
    Enter(pool, memory.step, look, memory);
    return See(pool, memory, lag);
  }
  const double kept = std::exp2(-kStepSeconds / Seconds(look.half_life));
  Seen seen{};
  // The rate is taken for that of all steps since the last look.
  for (std::int64_t next = memory.step + 1; next <= step; ++next) {
    Enter(pool, next, look, memory);
    seen = See(pool, memory, lag);
    memory.waiting.insert(memory.waiting.end(), seen.begin(), seen.end());
    const auto due = [&] { return memory.waiting.size() / kSeen > static_cast<std::size_t>(lag); };
    while (due()) {
      Seen then{};
      std::copy_n(memory.waiting.begin(), kSeen, then.begin());
      memory.waiting.erase(memory.waiting.begin(), memory.waiting.begin() + kSeen);
      // A lead time that became shorter leaves some too old to say anything.
      if (!due()) Judge(pool, kept, then, std::min(look.rate, MostServed(pool)), memory);
    }
  }
  return seen;
}

// No rule asks for more than the largest pool serves, or there is: a faint one that multiplies an
// absurd rate would outweigh all others.
Rate AskedBy(const PanelPool& pool, Rate rate, const Weights& weights, const Seen& seen) {
  const Rate most = std::max(rate, MostServed(pool));
  double asked = 0;
  for (std::size_t base = 0; base < kBases; ++base) {
    const double load = LoadOf(seen, base);
    const double least = Bursts(base) ? seen[kInBurst] : 0;
    for (std::size_t k = 0; k < kHeadrooms.size(); ++k) {
      const double weight = weights.each[base * kHeadrooms.size() + k];
      asked += weight * std::min(most, std::max(load * kHeadrooms[k], least));
    }
  }
  return asked / weights.sum;
}

}  // namespace

RuleBase BaseOf(std::size_t rule) {
  const std::size_t base = rule / kHeadrooms.size();
  return {kWindowTable[WindowOf(base)].length, kReachTable[ReachOf(base)], Bursts(base)};
}

double HeadroomOf(std::size_t rule) { return kHeadrooms[rule % kHeadrooms.size()]; }

PanelChoice AskPanel(const PanelPool& pool, const PanelLook& look, PanelMemory& memory) {
  TIDEGATE_CHECK(look.rate >= 0 && look.allowed > 0, "a rate, and a share");
  TIDEGATE_CHECK(pool.per_replica > 0 && pool.most_each > 0, "a pool");
  if (!Fits(memory)) Begin(pool, look, memory);
  const Weights weights = WeighBy(pool, memory, look.allowed);
  PanelChoice choice;
  choice.asked = AskedBy(pool, look.rate, weights, Look(pool, look, memory));
  memory.asked.back() = std::max(memory.asked.back(), choice.asked);
  choice.load = Highest(memory.asked, LagOf(pool) + 1);
  const std::size_t rule = choice.rule = weights.most;
  memory.chosen = static_cast<std::int32_t>(rule);
  choice.weight = weights.each[rule] / weights.sum;
  choice.late_share =
      memory.requests > 0 ? memory.late[rule] / memory.requests : PriorOf().late[rule];
  choice.cost = memory.need > 0 ? memory.cost[rule] / memory.need : PriorOf().cost[rule];
  return choice;
}

}  // namespace tidegate::sizing
