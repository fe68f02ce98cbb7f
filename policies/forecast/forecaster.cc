// A combination of models (models.h), each weighted by how it did of late at this horizon:
//
//   forecast = sum w_i z_i / sum w_i,     w_i = (least loss / loss_i)^4
//
// with loss_i the mean size of its errors over the last two hours (one to twelve hours and a power
// of eight change the loss on real traces by less than 1 %). The last value is one of the models,
// so that the combination is not much worse than naive anywhere, and better where any model is:
// "combinations beat their members" is the most repeated finding about forecasts (Bates and
// Granger, "The Combination of Forecasts", 1969; Makridakis, Spiliotis and Assimakopoulos on the
// M4, 2020).
//
// Around it: calibration.cc makes the quantile and keeps the score. The naive forecast gets the
// same calibration, so that the comparison is one of models and not of margins.
//
// All that is learnt is learnt from the history or from values as they are read, the same way: at
// the first call on a history (or after a pause) the last day of it is replayed, so that weights
// and margins are those of forecasts which did not know what they forecast.
#include "policies/forecast/forecaster.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"
#include "policies/forecast/slots.h"

namespace tidegate::forecast {
namespace {

using signals::History;
using std::chrono::hours;

constexpr std::int64_t kReplayed = 1440;       // bins
constexpr std::int64_t kLeastToFit = 10;       // bins
constexpr std::int64_t kMostBetweenFits = 60;  // bins
constexpr std::size_t kMostPending = 8;
constexpr int kLeastScored = 30;  // forecasts, before any is used
constexpr float kMemory = 120;    // forecasts that a model's loss remembers
constexpr float kMostLoss = 1;    // of one error: a factor of e; outliers count no more
constexpr double kWorse = 1.03;   // of the naive loss: off
constexpr double kBetter = 1.0;   // on again
constexpr float kLeastLoss = 1e-4F;
constexpr std::int64_t kPathPoints = 4;  // at which the time until the horizon is looked at

double Combine(const State& state, const Outlooks& outlooks) {
  float least = 0;
  for (int i = 0; i < kMembers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (outlooks[at] < 0 || state.judged[at] <= 0) continue;
    const float loss = std::max(kLeastLoss, state.losses[at]);
    if (least == 0 || loss < least) least = loss;
  }
  double sum = 0, weights = 0;
  for (int i = 0; i < kMembers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (outlooks[at] < 0) continue;
    if (least > 0 && state.judged[at] <= 0) continue;
    const double ratio =
        least > 0 ? static_cast<double>(least / std::max(kLeastLoss, state.losses[at])) : 1.0;
    const double weight = ratio * ratio * ratio * ratio;
    sum += weight * static_cast<double>(outlooks[at]);
    weights += weight;
  }
  return sum / weights;
}

void Judge(const Outlooks& outlooks, float log, State& state) {
  for (std::size_t i = 0; i < outlooks.size(); ++i) {
    if (outlooks[i] < 0) continue;
    // Not relative to the usual loss: a load that jumps once an hour has a usual loss of nothing.
    const float loss = std::min(std::abs(log - outlooks[i]), kMostLoss);
    state.judged[i] = std::min(state.judged[i] + 1, kMemory);
    state.losses[i] += (loss - state.losses[i]) / state.judged[i];
  }
}

void TakeDue(const Origin& origin, double value, Duration bin, double quantile, State& state) {
  std::size_t due = 0;
  for (; due < state.pending.size() && state.pending[due].due <= origin.now; ++due) {
    const Pending& said = state.pending[due];
    if (origin.now - said.due > bin) continue;  // nothing was read when it was due
    Judge(said.outlooks, static_cast<float>(origin.log), state);
    const Outcome outcome{.value = value,
                          .median = FromLog(static_cast<double>(said.median), state.unit),
                          .upper = static_cast<double>(said.upper),
                          .naive_upper = static_cast<double>(said.naive_upper)};
    if (state.ours.seen > 0) Learn(outcome, quantile, state.score);
    Learn(origin.log - static_cast<double>(said.median), quantile, state.ours);
    Learn(origin.log - static_cast<double>(said.outlooks[kLast]), quantile, state.naive);
  }
  state.pending.erase(state.pending.begin(),
                      state.pending.begin() + static_cast<std::ptrdiff_t>(due));
}

// What is ahead in one call, before anything is made of it.
struct View {
  Pending at_horizon;
  double highest = 0;  // upper value, the largest until the horizon
};

View LookOut(const Origin& origin, const History& history, const Request& request,
             const State& state, int points) {
  View view;
  for (int i = points; i >= 1; --i) {
    const Duration ahead = std::max(Duration(1), request.horizon * i / points);
    const Outlooks outlooks =
        LookAhead(state.model, state.present, history, request.unit, origin, ahead);
    const double log = Combine(state, outlooks);
    // Errors grow about as those of a random walk, with the root of the time.
    const double margin = Margin(state.ours) * std::sqrt(static_cast<double>(i) / points);
    const double upper = FromLog(log + margin, request.unit);
    view.highest = std::max(view.highest, upper);
    if (i < points) continue;
    view.at_horizon = {
        .due = origin.now + ahead,
        .outlooks = outlooks,
        .median = static_cast<float>(log),
        .upper = static_cast<float>(upper),
        .naive_upper = static_cast<float>(FromLog(origin.log + Margin(state.naive), request.unit))};
  }
  return view;
}

// One a bin, as nothing shorter is in the models; bounded.
int PathPoints(const History& history, const Request& request) {
  const std::int64_t bins = (request.horizon + history.bin() - Duration(1)) / history.bin();
  return static_cast<int>(std::clamp<std::int64_t>(bins, 1, kPathPoints));
}

void Remember(const Pending& said, Instant now, Duration horizon, Duration bin, State& state) {
  const Duration apart = std::max(bin, horizon / static_cast<int>(kMostPending - 1));
  if (now - state.last_said < apart || state.pending.size() >= kMostPending) return;
  state.pending.push_back(said);
  state.last_said = now;
}

int BinsAhead(const History& history, Duration horizon) {
  return static_cast<int>((horizon + history.bin() / 2) / history.bin());
}

void Refit(const History& history, const Request& request, std::int64_t end, State& state) {
  state.model = Fit(history, {request.unit, end, std::max(1, BinsAhead(history, request.horizon))});
  state.present = Settle(state.model, history, request.unit, end);
}

// Starts anew, and lives through the last day of the history (a third of it where it is shorter).
void Replay(const History& history, const Request& request, State& state) {
  State fresh;
  fresh.unit = state.unit;
  fresh.horizon = state.horizon;
  fresh.begin = state.begin;
  state = std::move(fresh);
  const std::int64_t size = history.end() - history.begin();
  const std::int64_t from = history.end() - std::min(kReplayed, size / 3);
  Refit(history, request, from, state);
  for (std::int64_t bin = from; bin < history.end(); ++bin) {
    const float mean = history.At(bin);
    if (mean >= 0) {
      const Origin origin{history.Center(bin), ToLog(static_cast<double>(mean), request.unit)};
      TakeDue(origin, static_cast<double>(mean), history.bin(), request.quantile, state);
      const View view = LookOut(origin, history, request, state, 1);
      Remember(view.at_horizon, origin.now, request.horizon, history.bin(), state);
    }
    Advance(state.model, history, request.unit, state.present);
  }
}

bool FitIsDue(const History& history, const State& state) {
  const std::int64_t size = history.end() - history.begin();
  if (size < kLeastToFit) return false;
  const Model& model = state.model;
  if (!model.fitted) return true;
  const std::int64_t age = history.end() - model.fitted_at;
  // A restart has left less of a history than the model was fitted to: that is worth more, until it
  // is refilled or long ago.
  if (size < model.span / 2 && age < History::kMostBins) return false;
  // Often while little is known, as each quarter more may show a trend or a period.
  return age >= std::clamp<std::int64_t>(size / 4, 1, kMostBetweenFits);
}

void Learn(const History& history, const Request& request, State& state) {
  const bool refilled = history.begin() < state.begin;
  state.begin = history.begin();
  if (refilled && state.score.seen < kLeastScored) state.model.fitted = false;
  if (!state.model.fitted && FitIsDue(history, state)) Replay(history, request, state);
  if (state.present.next == 0) state.present.next = history.begin();
  if (state.present.next < history.end() - kReplayed) {  // after a long pause
    state.present = Settle(state.model, history, request.unit, history.end());
  }
  while (state.present.next < history.end()) {
    Advance(state.model, history, request.unit, state.present);
  }
  if (FitIsDue(history, state)) Refit(history, request, history.end(), state);
}

// Another unit starts anew; another horizon rescales what is known of errors.
void Adopt(const Request& request, State& state) {
  if (state.unit != request.unit) {
    state = {};
    state.unit = request.unit;
  }
  if (state.horizon != request.horizon && state.horizon > Duration(0)) {
    const auto scale =
        static_cast<float>(std::sqrt(Seconds(request.horizon) / Seconds(state.horizon)));
    for (Calibration* one : {&state.ours, &state.naive}) {
      one->fast *= scale;
      one->slow *= scale;
    }
  }
  state.horizon = request.horizon;
}

Standing Stand(State& state, std::string& reason) {
  if (state.score.seen < kLeastScored) {
    reason =
        fmt::format("learning: {} of {} forecasts have come due", state.score.seen, kLeastScored);
    return Standing::kLearning;
  }
  const double ratio = WorstRatio(state.score);
  state.off = state.off ? ratio > kBetter : ratio > kWorse;
  if (!state.off) return Standing::kOn;
  reason = fmt::format("worse than the last value: pinball loss {:.2f} of naive", ratio);
  return Standing::kOff;
}

}  // namespace

Forecast Look(Instant now, double value, const History& history, const Request& request,
              State& state) {
  TIDEGATE_CHECK(std::isfinite(value) && value >= 0, "a forecast starts from a usable value");
  TIDEGATE_CHECK(request.horizon > Duration(0) && request.horizon <= kLongestHorizon &&
                     request.quantile > 0 && request.quantile < 1 && request.unit > 0,
                 "a request in its ranges");
  value = std::min(value, History::kMostValue);
  Adopt(request, state);
  Learn(history, request, state);
  const Origin origin{now, ToLog(value, request.unit)};
  TakeDue(origin, value, history.bin(), request.quantile, state);
  const View view = LookOut(origin, history, request, state, PathPoints(history, request));
  Remember(view.at_horizon, now, request.horizon, history.bin(), state);

  Forecast forecast;
  forecast.horizon = request.horizon;
  forecast.median = FromLog(static_cast<double>(view.at_horizon.median), request.unit);
  const double peak = std::max(value, history.Peak(history.BinOf(now - hours(1))));
  forecast.capped = view.highest > kMostGrowth * peak;
  forecast.upper = std::min(view.highest, kMostGrowth * peak);
  forecast.standing = Stand(state, forecast.reason);
  return forecast;
}

}  // namespace tidegate::forecast
