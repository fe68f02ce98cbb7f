#pragma once

#include <array>
#include <cstdint>

#include "policies/base/instant.h"
#include "policies/forecast/harmonics.h"
#include "policies/forecast/holt_winters.h"
#include "policies/forecast/numbers.h"
#include "policies/forecast/smoother.h"
#include "policies/signals/history.h"

namespace tidegate::forecast {

// The models that are combined. All speak of the logarithm of the load (slots.h).
enum Member {
  kLast,          // the last value
  kTrend,         // Holt: level and damped trend
  kHoltWinters,   // the same, less the day's profile
  kHarmonic,      // the same without trend, less the harmonics of day and week
  kDayBefore,     // the level, and what followed at this time on the days before
  kWeekBefore,    // the same with weeks
  kPeriodBefore,  // the same with the shorter period that was found
};
inline constexpr int kMembers = 7;
using Outlooks = std::array<float, kMembers>;  // >= 0; kSilent: the model has nothing to say
inline constexpr float kSilent = -1;

// What is learnt from a history. A few hundred bytes.
struct Model {
  std::int64_t fitted_at = 0;  // the bin it was fitted before
  std::int64_t span = 0;       // bins that the history reached back then
  bool fitted = false;
  std::array<SmootherOptions, 3> smoothing{};  // of kTrend, kHoltWinters, kHarmonic
  Harmonics harmonics;
  DayProfile profile;
  int period = 0;  // bins; 0: none
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"fittedAt", "the bin it was fitted before", 0, kMostBin}, self.fitted_at);
    visit(Field{"span", "bins that the history reached back", 0, kMostBin}, self.span);
    visit(Field{"fitted", "whether it was"}, self.fitted);
    VisitArray(visit, Field{"smoothing", "of Holt, Holt-Winters, harmonics"}, self.smoothing);
    visit(Field{"harmonics", "of day and week"}, self.harmonics);
    visit(Field{"profile", "of the day"}, self.profile);
    visit(Field{"period", "bins of a shorter period; 0: none", 0, 720}, self.period);
  }
  bool operator==(const Model&) const = default;
};

struct FitOptions {
  double unit = 1;       // of slots.h
  std::int64_t end = 0;  // bins from here on are not looked at
  int ahead = 1;         // bins that forecasts look ahead; 1 .. 256
};

// Linear in the history.
Model Fit(const signals::History& history, const FitOptions& options);

// What the models know of the present.
struct Present {
  std::array<Smoother, 3> smoothers{};
  std::int64_t next = 0;  // the bin that comes next
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitArray(visit, Field{"smoothers", "of Holt, Holt-Winters, harmonics"}, self.smoothers);
    visit(Field{"next", "the bin that comes next", 0, kMostBin}, self.next);
  }
  bool operator==(const Present&) const = default;
};

// The present before bin `end`, from the bins of some hours.
Present Settle(const Model& model, const signals::History& history, double unit, std::int64_t end);
// One bin on.
void Advance(const Model& model, const signals::History& history, double unit, Present& present);

// The moment that is spoken from, and its value as a logarithm.
struct Origin {
  Instant now{};
  double log = 0;
};
// What each model expects at now + ahead. O(harmonics).
Outlooks LookAhead(const Model& model, const Present& present, const signals::History& history,
                   double unit, const Origin& origin, Duration ahead);

}  // namespace tidegate::forecast
