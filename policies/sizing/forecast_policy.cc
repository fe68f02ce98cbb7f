#include "policies/sizing/forecast_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/sizing/growth.h"
#include "policies/sizing/target.h"

namespace tidegate::sizing {
namespace {

using std::chrono::seconds;

constexpr Duration kUnknownStartup = seconds(60);
constexpr Duration kStep = seconds(15);

std::string NoteOn(const forecast::Forecast& ahead, const forecast::Score& score, double quantile,
                   Replicas replicas, const char* unit) {
  return fmt::format(
      "forecast p{:g} in {}: {:.4g}{} -> {}{}; coverage {:.2f}, pinball {:.2f} of "
      "naive",
      quantile * 100, FormatDuration(ahead.horizon), ahead.upper, unit, replicas,
      ahead.capped ? " (three times the recent peak)" : "", static_cast<double>(score.coverage),
      forecast::Ratio(score));
}

// The floor. It shares the reading's fate: where that is not usable, nothing is said, so that no
// forecast stands in for data that is missing.
Proposal FloorOf(const Input& input, const SignalTarget& target, const signals::Reading& reading,
                 const ForecastOptions& options, forecast::State& state) {
  Proposal floor;
  floor.source = Forecast::kName;
  floor.quality = reading.quality;
  floor.target = *target.per_replica;
  floor.age = reading.age;
  const bool usable =
      signals::MayGrow(reading.quality) && std::isfinite(reading.value) && reading.value >= 0;
  if (!usable || input.history == nullptr) {
    // The loop and replays keep a history of whatever is forecast.
    floor.note = usable ? "decide keeps no history of minutes: the forecast is not asked"
                        : fmt::format("{} is not usable", target.signal);
    if (usable) floor.replicas = 0;
    return floor;
  }
  const forecast::Request request{.horizon = options.horizon.value_or(LeadTime(input)),
                                  .quantile = options.quantile,
                                  .unit = *target.per_replica};
  const forecast::Forecast ahead =
      forecast::Look(input.now, reading.value, *input.history, request, state);
  floor.value = ahead.upper;
  floor.replicas = 0;  // asks for nothing
  if (ahead.standing == forecast::Standing::kOn) {
    floor.replicas = ReplicasFor(ahead.upper, *target.per_replica);
    floor.note = NoteOn(ahead, state.score, options.quantile, *floor.replicas,
                        target.measure == signals::Measure::kRequests ? " rps" : "");
  } else {
    floor.note = (ahead.standing == forecast::Standing::kOff ? "off: " : "") + ahead.reason;
  }
  return floor;
}

}  // namespace

Duration LeadTime(const Input& input) {
  const Growth growth{.serving = input.current,
                      .surge = input.surge,
                      .rolling = input.rolling_up,
                      .wave = MeasuredStartup(input.replicas).value_or(kUnknownStartup),
                      .limits = input.growth_limits};
  const Replicas half_more = input.current + (input.current + 1) / 2;
  const Duration lead = LeadTo(growth, half_more);
  const Duration steps = (lead + kStep - Duration(1)) / kStep * kStep;
  return std::clamp<Duration>(steps, kStep, forecast::kLongestHorizon);
}

const SignalTarget* RequestsTarget(std::span<const SignalTarget> targets) {
  for (const signals::Measure measure : {signals::Measure::kRequests, signals::Measure::kOther}) {
    const auto found = std::ranges::find_if(targets, [&](const SignalTarget& target) {
      return target.per_replica && target.measure == measure;
    });
    if (found != targets.end()) return &*found;
  }
  return nullptr;
}

Sizing Forecast::Size(const Input& input, const Options& options, Memory& memory) {
  Sizing sizing{TrackTarget(input), std::nullopt, {}};
  const SignalTarget* target = RequestsTarget(input.targets);
  if (target == nullptr) return sizing;
  const signals::Reading* reading = FindReading(input.readings, target->signal);
  if (reading == nullptr) return sizing;  // its own proposal says so
  sizing.proposals.push_back(FloorOf(input, *target, *reading, options, memory));
  return sizing;
}

}  // namespace tidegate::sizing
