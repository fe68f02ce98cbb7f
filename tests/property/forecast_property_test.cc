// Forecasts under random loads with gaps, jumps and spikes: bounded, finite, and the same twice.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "policies/forecast/forecaster.h"
#include "policies/sizing/forecast_policy.h"
#include "policies/sizing/target.h"

namespace tidegate::forecast {
namespace {

// One minute of a load: what happens to it.
enum class Event { kGoOn, kJump, kSpike, kZero, kGap, kLongGap };

struct Minute {
  std::int64_t number = 0;
  double value = 0;
};

std::vector<Minute> RandomLoad() {
  const auto begin = *rc::gen::inRange<std::int64_t>(0, 40'000'000);
  const int count = *rc::gen::inRange(50, 400);
  std::vector<Minute> load;
  double level = *rc::gen::inRange(1, 100'000);
  std::int64_t minute = begin;
  for (int i = 0; i < count; ++i) {
    const auto event = *rc::gen::weightedElement<Event>({{80, Event::kGoOn},
                                                         {3, Event::kJump},
                                                         {3, Event::kSpike},
                                                         {3, Event::kZero},
                                                         {3, Event::kGap},
                                                         {1, Event::kLongGap}});
    const double factor = *rc::gen::inRange(1, 1000) / 100.0;
    ++minute;
    switch (event) {
      case Event::kGoOn: level *= 0.95 + factor / 100; break;
      case Event::kJump: level *= factor; break;
      case Event::kSpike: load.push_back({minute, level * 50}); continue;
      case Event::kZero: load.push_back({minute, 0}); continue;
      case Event::kGap: minute += 7; break;
      case Event::kLongGap: minute += 3000; break;
    }
    load.push_back({minute, level});
  }
  return load;
}

RC_GTEST_PROP(ForecastProperty, IsFiniteAndNeverAboveThreeTimesTheRecentPeak, ()) {
  const std::vector<Minute> load = RandomLoad();
  const Request request{.horizon = std::chrono::seconds(*rc::gen::inRange(1, 3600)),
                        .quantile = *rc::gen::inRange(1, 100) / 100.0,
                        .unit = *rc::gen::inRange(1, 1000) / 10.0};
  signals::History history;
  State state;
  for (std::size_t i = 0; i < load.size(); ++i) {
    const Instant now = history.Center(load[i].number);
    history.Append(now, load[i].value);
    const Forecast forecast = Look(now, load[i].value, history, request, state);
    double peak = 0;  // of the last hour, counted here from the load itself
    for (std::size_t k = i + 1; k-- > 0 && load[k].number >= load[i].number - 60;) {
      peak = std::max(peak, load[k].value);
    }
    RC_ASSERT(std::isfinite(forecast.median) && forecast.median >= 0);
    RC_ASSERT(forecast.upper >= 0);
    RC_ASSERT(forecast.upper <= kMostGrowth * peak * (1 + 1e-6));
    RC_ASSERT((forecast.standing == Standing::kOn) == forecast.reason.empty());
  }
}

RC_GTEST_PROP(ForecastProperty, IsDeterministic, ()) {
  const std::vector<Minute> load = RandomLoad();
  const auto live = [&] {
    signals::History history;
    State state;
    for (const Minute& minute : load) {
      const Instant now = history.Center(minute.number);
      history.Append(now, minute.value);
      Look(now, minute.value, history, {.horizon = std::chrono::minutes(2), .unit = 10}, state);
    }
    return state;
  };
  RC_ASSERT(live() == live());
}

// The policy is target tracking and a floor, so that it never asks for less than target tracking.
RC_GTEST_PROP(ForecastProperty, NeverLowersWhatTargetTrackingAsksFor, ()) {
  const std::vector<Minute> load = RandomLoad();
  const std::vector<sizing::SignalTarget> targets{
      {"rps", *rc::gen::inRange(1, 1000) * 0.5, signals::Measure::kRequests}};
  signals::History history;
  State state;
  for (const Minute& minute : load) {
    const Instant now = history.Center(minute.number);
    history.Append(now, minute.value);
    const std::vector<signals::Reading> readings{
        {"rps", signals::Quality::kOk, minute.value, std::chrono::seconds(1), 1, 1, ""}};
    const sizing::Input input{.now = now,
                              .current = *rc::gen::inRange(1, 100),
                              .targets = targets,
                              .readings = readings,
                              .history = &history};
    const auto target = sizing::TrackTarget(input);
    const auto ours = sizing::Forecast::Size(input, {}, state).proposals;
    RC_ASSERT(ours.size() == 2u);
    RC_ASSERT(ours[0] == target[0]);
    RC_ASSERT(ours[1].replicas.has_value() && *ours[1].replicas >= 0);
  }
}

}  // namespace
}  // namespace tidegate::forecast
