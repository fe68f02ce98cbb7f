#include "traces/generate/diurnal.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "traces/generate/fields.h"

namespace tidegate::traces {
namespace {

constexpr std::uint64_t kNoiseStream = 3;
constexpr std::size_t kMaxNoiseSteps = 1'000'000;

// x[i+1] = a x[i] + sqrt(1 - a^2) noise e, which keeps the standard deviation at `noise`. The mean
// of exp(x) is exp(noise^2 / 2), and is divided out.
std::vector<double> NoiseFactors(const DiurnalOptions& options, std::uint64_t seed, double step_s,
                                 std::size_t steps) {
  Random random(seed, kNoiseStream);
  const double kept = std::exp(-step_s / options.noise_memory_s);
  const double fresh = options.noise * std::sqrt(1 - kept * kept);
  double x = options.noise * random.Normal();
  std::vector<double> factors;
  for (std::size_t i = 0; i < steps; ++i) {
    factors.push_back(std::exp(x - options.noise * options.noise / 2));
    x = kept * x + fresh * random.Normal();
  }
  return factors;
}

RateFunction DiurnalRate(const DiurnalOptions& options, const GenerateOptions& common) {
  // One value per minute of a 24 hour day, and no more than a million in a long trace.
  const double length_s = Seconds(common.length);
  const double step_s = std::max(options.day_s / 1440, length_s / kMaxNoiseSteps);
  const auto steps = static_cast<std::size_t>(length_s / step_s) + 2;
  return
      [options, step_s, factors = NoiseFactors(options, common.seed, step_s, steps)](double t_s) {
        const double day = 2 * std::numbers::pi * t_s / options.day_s;
        const double peak = 2 * std::numbers::pi * options.peak_hour / 24;
        const double wave = 1 + options.amplitude * std::cos(day - peak) +
                            options.second * std::cos(2 * (day - peak));
        const auto step = std::min(static_cast<std::size_t>(t_s / step_s), factors.size() - 1);
        return std::max(0.0, options.mean_rps * wave * factors[step]);
      };
}

}  // namespace

Generator Diurnal() {
  using O = DiurnalOptions;
  return MakeGenerator<O>(
      {.name = "diurnal",
       .summary = "day and night with a second peak and drifting noise",
       .default_length = std::chrono::hours(24),
       .default_bin = std::chrono::seconds(60),
       .parameters = {},
       .generate = {}},
      {{"mean_rps", &O::mean_rps, 0, 1e7, "mean rate over a day"},
       {"amplitude", &O::amplitude, 0, 1, "height of the day's wave over the mean"},
       {"second", &O::second, 0, 1, "height of the half day's wave over the mean"},
       {"peak_hour", &O::peak_hour, 0, 24, "when the day's wave is highest"},
       {"day_s", &O::day_s, 1, 1e7, "length of a day"},
       {"noise", &O::noise, 0, 2, "standard deviation of the noise's logarithm"},
       {"noise_memory_s", &O::noise_memory_s, 0.001, 1e9, "how long the noise drifts one way"}},
      &DiurnalRate);
}

}  // namespace tidegate::traces
