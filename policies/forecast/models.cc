#include "policies/forecast/models.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "policies/forecast/period.h"
#include "policies/forecast/slots.h"

namespace tidegate::forecast {
namespace {

using signals::History;
using std::chrono::days;
using std::chrono::minutes;

constexpr std::int64_t kTuned = 2880;    // bins that smoothing is tuned on
constexpr std::int64_t kSettling = 240;  // bins after which a smoother has forgotten its start

int BinsOf(Duration width, Duration bin) {
  return static_cast<int>(std::max<Duration::rep>(1, width / bin));
}

float LogOf(const History& history, double unit, std::int64_t bin) {
  return static_cast<float>(ToLog(static_cast<double>(history.At(bin)), unit));  // NaN stays NaN
}

double Season(const Model& model, std::size_t smoother, Instant at) {
  switch (smoother) {
    case 1: return At(model.profile, at);
    case 2: return At(model.harmonics, at);
    default: return 0;
  }
}

bool Has(const Model& model, std::size_t smoother) {
  switch (smoother) {
    case 1: return model.profile.known;
    case 2: return model.harmonics.has_day;
    default: return true;
  }
}

// A mean of logarithms around an instant, of 2 reach + 1 bins; on a line between middles of bins.
double MeanAround(const History& history, double unit, Instant at, int reach) {
  const double place =
      static_cast<double>(UnixMillis(at)) / static_cast<double>(history.bin().count()) - 0.5;
  const auto below = static_cast<std::int64_t>(std::floor(place));
  const double share = place - static_cast<double>(below);
  double sum = 0, weight = 0;
  for (int i = -reach; i <= reach + 1; ++i) {
    const double w = i == -reach ? 1 - share : i == reach + 1 ? share : 1.0;
    const float mean = history.At(below + i);
    if (!(mean >= 0) || w <= 0) continue;
    sum += w * static_cast<double>(mean);
    weight += w;
  }
  return weight > 0.5 ? ToLog(sum / weight, unit) : std::numeric_limits<double>::quiet_NaN();
}

// How the load changed over `ahead` from this moment of earlier periods: the median of up to three
// of them, so that one odd day is outvoted. NaN where none is known.
double SeasonalChange(const History& history, double unit, const Origin& origin, Duration ahead,
                      Duration period, int reach) {
  std::array<double, 3> changes{};
  std::size_t count = 0;
  for (int k = 1; k <= 3; ++k) {
    const Instant then = origin.now - k * period;
    const double change =
        MeanAround(history, unit, then + ahead, reach) - MeanAround(history, unit, then, reach);
    if (std::isfinite(change)) changes[count++] = change;
  }
  switch (count) {
    case 0: return std::numeric_limits<double>::quiet_NaN();
    case 1: return changes[0];
    case 2: return (changes[0] + changes[1]) / 2;
    default:
      return std::max(std::min(changes[0], changes[1]),
                      std::min(std::max(changes[0], changes[1]), changes[2]));
  }
}

float Outlook(double log) {
  return std::isfinite(log) ? static_cast<float>(std::max(0.0, log)) : kSilent;
}

}  // namespace

Model Fit(const History& history, const FitOptions& options) {
  Model model;
  model.fitted = true;
  model.fitted_at = options.end;
  model.span = options.end - history.begin();
  model.harmonics = FitHarmonics(
      MakeSlots(history, options.unit, options.end, BinsOf(minutes(10), history.bin())));
  model.profile =
      LearnDay(MakeSlots(history, options.unit, options.end, BinsOf(minutes(30), history.bin())));
  const std::int64_t from = std::max(history.begin(), options.end - kTuned);
  std::vector<float> logs, less;
  for (std::int64_t bin = from; bin < options.end; ++bin) {
    logs.push_back(LogOf(history, options.unit, bin));
  }
  model.period = FindPeriod(logs);
  for (std::size_t i = 0; i < model.smoothing.size(); ++i) {
    if (!Has(model, i)) continue;
    less = logs;
    for (std::size_t k = 0; i > 0 && k < less.size(); ++k) {
      const Instant at = history.Center(from + static_cast<std::int64_t>(k));
      less[k] -= static_cast<float>(Season(model, i, at));
    }
    model.smoothing[i] = BestOptions(less, std::clamp(options.ahead, 1, 256));
  }
  return model;
}

Present Settle(const Model& model, const History& history, double unit, std::int64_t end) {
  Present present;
  present.next = std::max(history.begin(), end - kSettling);
  while (present.next < end) Advance(model, history, unit, present);
  return present;
}

void Advance(const Model& model, const History& history, double unit, Present& present) {
  const float log = LogOf(history, unit, present.next);
  const Instant at = history.Center(present.next);
  for (std::size_t i = 0; i < present.smoothers.size(); ++i) {
    if (!Has(model, i)) continue;
    Advance(model.smoothing[i], log - static_cast<float>(Season(model, i, at)),
            present.smoothers[i]);
  }
  ++present.next;
}

Outlooks LookAhead(const Model& model, const Present& present, const History& history, double unit,
                   const Origin& origin, Duration ahead) {
  Outlooks outlooks;
  outlooks.fill(kSilent);
  outlooks[kLast] = static_cast<float>(origin.log);
  const double bin = Seconds(history.bin());
  const double since = Seconds(origin.now - history.Center(present.next - 1)) / bin;
  const double bins = since + Seconds(ahead) / bin;
  for (std::size_t i = 0; i < present.smoothers.size(); ++i) {
    if (!Has(model, i)) continue;
    const double expected = Expect(model.smoothing[i], present.smoothers[i],
                                   origin.log - Season(model, i, origin.now), since, bins);
    outlooks[kTrend + i] = Outlook(expected + Season(model, i, origin.now + ahead));
  }
  const auto& options = model.smoothing[0];
  const double level = Expect(options, present.smoothers[0], origin.log, since, since);
  const auto after = [&](Duration period, int reach) {
    return Outlook(level + SeasonalChange(history, unit, origin, ahead, period, reach));
  };
  outlooks[kDayBefore] = after(days(1), 2);
  outlooks[kWeekBefore] = after(days(7), 2);
  if (model.period > 0) outlooks[kPeriodBefore] = after(model.period * history.bin(), 0);
  return outlooks;
}

}  // namespace tidegate::forecast
