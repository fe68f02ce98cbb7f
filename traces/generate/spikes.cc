#include "traces/generate/spikes.h"

#include <algorithm>
#include <cmath>

#include "traces/generate/fields.h"

namespace tidegate::traces {
namespace {

constexpr std::uint64_t kJumpStream = 2;
constexpr double kLongestS = 1e9;
constexpr double kMostRps = 1e7;
constexpr double kMostMultiple = 1e4;

// The part of a spike that is there at `since_s` seconds since its start: 0, a climb, 1, a decay.
double SpikeShape(double since_s, double ramp_s, double hold_s, double half_life_s) {
  if (since_s < 0) return 0;
  if (since_s < ramp_s) return since_s / ramp_s;
  const double over_s = since_s - ramp_s - hold_s;
  return over_s <= 0 ? 1 : std::exp2(-over_s / half_life_s);
}

RateFunction FlashCrowdRate(const FlashCrowdOptions& options, const GenerateOptions&) {
  return [options](double t_s) {
    const double shape =
        SpikeShape(t_s - options.start_s, options.ramp_s, options.hold_s, options.half_life_s);
    return options.base_rps * (1 + (options.peak_multiple - 1) * shape);
  };
}

RateFunction PromotionRate(const PromotionOptions& options, const GenerateOptions&) {
  return [options](double t_s) {
    const double since_s = t_s - options.start_s;
    double extra =
        (options.peak_multiple - 1) * SpikeShape(since_s, 0, options.hold_s, options.half_life_s);
    if (since_s < 0 && since_s >= -options.early_s) {
      extra = (options.early_multiple - 1) * (1 + since_s / options.early_s);
    }
    return options.base_rps * (1 + extra);
  };
}

RateFunction ClassStartRate(const ClassStartOptions& options, const GenerateOptions& common) {
  Random random(common.seed, kJumpStream);
  std::vector<double> sizes;  // of the jumps, in the order of lessons
  for (double at_s = options.first_s; at_s < Seconds(common.length); at_s += options.period_s) {
    const double size = (options.peak_multiple - 1) * (1 + options.spread * random.Normal());
    sizes.push_back(std::max(0.0, size));
  }
  return [options, sizes](double t_s) {
    double extra = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const double since_s = t_s - options.first_s - static_cast<double>(i) * options.period_s;
      if (since_s < 0) break;
      // A spike of forty half-lives ago is a million millionth of itself.
      if (since_s > options.ramp_s + 40 * options.half_life_s) continue;
      extra += sizes[i] * SpikeShape(since_s, options.ramp_s, 0, options.half_life_s);
    }
    return options.base_rps * (1 + extra);
  };
}

// How far from play (0) to the peak (1), for what lasts from `begin_s` to `end_s`.
double Rush(double t_s, double begin_s, double end_s, double ramp_s) {
  if (t_s < begin_s || t_s >= end_s + ramp_s) return 0;
  const double risen = t_s < begin_s + ramp_s ? (t_s - begin_s) / ramp_s : 1;
  const double fallen = t_s > end_s ? (t_s - end_s) / ramp_s : 0;
  return std::max(0.0, risen - fallen);
}

RateFunction MatchRate(const MatchOptions& options, const GenerateOptions&) {
  return [options](double t_s) {
    const double since_s = t_s - options.kick_off_s;
    const double whistle_s = 2 * options.half_s + options.break_s;
    const double rush_multiple = options.peak_multiple - options.play_multiple;
    double extra = 0;
    if (since_s >= whistle_s) {
      extra = (options.play_multiple - 1) *
              SpikeShape(since_s - whistle_s, 0, options.ramp_s, options.half_life_s);
      extra +=
          rush_multiple * SpikeShape(since_s - whistle_s, options.ramp_s, 0, options.half_life_s);
    } else if (since_s >= 0) {
      extra = options.play_multiple - 1 +
              rush_multiple *
                  Rush(since_s, options.half_s, options.half_s + options.break_s, options.ramp_s);
    } else if (since_s >= -options.gather_s) {
      extra = (options.play_multiple - 1) * (1 + since_s / options.gather_s);
    }
    return options.base_rps * (1 + extra);
  };
}

}  // namespace

Generator FlashCrowd() {
  using O = FlashCrowdOptions;
  return MakeGenerator<O>(
      {.name = "flash-crowd",
       .summary = "an unannounced spike: climb within seconds, plateau, decay",
       .default_length = std::chrono::minutes(2),
       .default_bin = std::chrono::seconds(1),
       .parameters = {},
       .generate = {}},
      {{"base_rps", &O::base_rps, 0, kMostRps, "rate before and long after"},
       {"peak_multiple", &O::peak_multiple, 1, kMostMultiple, "rate at the peak over the base"},
       {"start_s", &O::start_s, 0, kLongestS, "when the climb begins"},
       {"ramp_s", &O::ramp_s, 0, kLongestS, "how long the climb takes"},
       {"hold_s", &O::hold_s, 0, kLongestS, "how long the peak lasts"},
       {"half_life_s", &O::half_life_s, 0.001, kLongestS, "half-life of the decay"}},
      &FlashCrowdRate);
}

Generator Promotion() {
  using O = PromotionOptions;
  return MakeGenerator<O>(
      {.name = "promotion",
       .summary = "an announced start: early visitors, a jump, plateau, decay",
       .default_length = std::chrono::minutes(30),
       .default_bin = std::chrono::seconds(1),
       .parameters = {},
       .generate = {}},
      {{"base_rps", &O::base_rps, 0, kMostRps, "rate before and long after"},
       {"start_s", &O::start_s, 0, kLongestS, "the announced time"},
       {"early_s", &O::early_s, 0.001, kLongestS, "how long before it visitors gather"},
       {"early_multiple", &O::early_multiple, 1, kMostMultiple,
        "rate just before it over the base"},
       {"peak_multiple", &O::peak_multiple, 1, kMostMultiple, "rate at the peak over the base"},
       {"hold_s", &O::hold_s, 0, kLongestS, "how long the peak lasts"},
       {"half_life_s", &O::half_life_s, 0.001, kLongestS, "half-life of the decay"}},
      &PromotionRate);
}

Generator ClassStart() {
  using O = ClassStartOptions;
  return MakeGenerator<O>(
      {.name = "class-start",
       .summary = "sharp jumps at every whole hour, over in minutes, of differing size",
       .default_length = std::chrono::hours(4),
       .default_bin = std::chrono::seconds(1),
       .parameters = {},
       .generate = {}},
      {{"base_rps", &O::base_rps, 0, kMostRps, "rate between the jumps"},
       {"peak_multiple", &O::peak_multiple, 1, kMostMultiple,
        "rate at an average jump's top over the base"},
       {"spread", &O::spread, 0, 1, "standard deviation of the jumps' size over its mean"},
       {"period_s", &O::period_s, 1, kLongestS, "time between jumps"},
       {"first_s", &O::first_s, 0, kLongestS, "time of the first jump"},
       {"ramp_s", &O::ramp_s, 0, kLongestS, "how long a climb takes"},
       {"half_life_s", &O::half_life_s, 0.001, kLongestS, "half-life of the decay"}},
      &ClassStartRate);
}

Generator Match() {
  using O = MatchOptions;
  return MakeGenerator<O>(
      {.name = "match",
       .summary = "a match: a climb to kick-off, rushes in the break and after the final whistle",
       .default_length = std::chrono::hours(3),
       .default_bin = std::chrono::seconds(1),
       .parameters = {},
       .generate = {}},
      {{"base_rps", &O::base_rps, 0, kMostRps, "rate before and long after"},
       {"kick_off_s", &O::kick_off_s, 0, kLongestS, "when the first half begins"},
       {"gather_s", &O::gather_s, 0.001, kLongestS, "how long before it the climb begins"},
       {"play_multiple", &O::play_multiple, 1, kMostMultiple, "rate during play over the base"},
       {"peak_multiple", &O::peak_multiple, 1, kMostMultiple,
        "rate in the break and at the end over the base"},
       {"half_s", &O::half_s, 1, kLongestS, "length of each half"},
       {"break_s", &O::break_s, 1, kLongestS, "time between the halves"},
       {"ramp_s", &O::ramp_s, 0.001, kLongestS, "how long it takes from play to the peak"},
       {"half_life_s", &O::half_life_s, 0.001, kLongestS,
        "half-life of the decay after the final whistle"}},
      &MatchRate);
}

}  // namespace tidegate::traces
