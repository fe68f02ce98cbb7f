#pragma once

#include <array>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "policies/forecast/calibration.h"
#include "policies/forecast/models.h"
#include "policies/forecast/numbers.h"
#include "policies/signals/history.h"

namespace tidegate::forecast {

// What is wanted of a forecast.
struct Request {
  Duration horizon{60'000};  // how far ahead; 1 ms .. kLongestHorizon
  double quantile = 0.9;     // of the upper value; 0 < quantile < 1
  double unit = 1;           // differences below this do not matter: the load of one replica, say
};
inline constexpr Duration kLongestHorizon = std::chrono::hours(1);

// What was said of a moment to come, to be compared with what is read then.
struct Pending {
  Instant due{};
  Outlooks outlooks{};  // logarithms
  float median = 0;     // of the combination, logarithm
  float upper = 0;      // in the signal's unit, before the cap
  float naive_upper = 0;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"due", "when it is compared"}, self.due);
    VisitArray(visit, Log("outlooks", "of each model; -1: none"), self.outlooks);
    VisitNumber(visit, Log("median", "logarithm of the combination"), self.median);
    VisitNumber(visit, Field{"upper", "the quantile", 0, kMostValue}, self.upper);
    VisitNumber(visit, Field{"naiveUpper", "of the last value", 0, kMostValue}, self.naive_upper);
  }
  bool operator==(const Pending&) const = default;
};

// All that a forecaster remembers besides the history. A value, below 3 KiB: copied, compared,
// checkpointed. What is lost with it is learnt again from the history.
struct State {
  double unit = 0;         // of the last request; another one starts everything anew
  Duration horizon{0};     // likewise; errors are scaled to another one
  std::int64_t begin = 0;  // of the history at the last call; one that begins earlier was refilled
  Model model;
  Present present;
  std::array<float, kMembers> losses{};  // mean size of each model's errors, logarithms
  std::array<float, kMembers> judged{};  // how many there were, up to a bound
  Calibration ours;
  Calibration naive;
  Score score;
  std::vector<Pending> pending;  // in order of `due`, at most kMostPending
  Instant last_said{};
  bool off = false;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    visit(Field{"unit", "differences below it do not matter", 0, kMostValue}, self.unit);
    visit(Field{"horizonSeconds", "of the last request", 0, 3600}, self.horizon);
    visit(Field{"begin", "first bin of the history", 0, kMostBin}, self.begin);
    visit(Field{"model", "what the history taught"}, self.model);
    visit(Field{"present", "what models know of now"}, self.present);
    VisitArray(visit, Field{"losses", "mean error of each model", 0, kMostLog}, self.losses);
    VisitArray(visit, Field{"judged", "how many errors, up to a bound", 0, kMostCount},
               self.judged);
    visit(Field{"ours", "errors of the combination"}, self.ours);
    visit(Field{"naive", "errors of the last value"}, self.naive);
    visit(Field{"score", "against the last value"}, self.score);
    visit(Field{"pending", "forecasts to come due", 0, 0, {}, false, 8}, self.pending);
    visit(Field{"lastSaid", "when the last of them was made"}, self.last_said);
    visit(Field{"off", "whether it was worse"}, self.off);
  }
  bool operator==(const State&) const = default;
};

enum class Standing {
  kLearning,  // too little was seen to say anything
  kOn,
  kOff,  // worse than taking the last value
};

struct Forecast {
  Standing standing = Standing::kLearning;
  Duration horizon{0};
  Rate median = 0;      // at the horizon
  Rate upper = 0;       // the wanted quantile, the largest until the horizon; capped
  bool capped = false;  // three times the recent peak was less
  std::string reason;   // why it is not on; empty where it is
};

// The largest value read in the last hour times this bounds any forecast: a forecast may be wrong,
// and what it may cost then is bounded.
inline constexpr double kMostGrowth = 3;

// Takes the value read at `now` and says what it leads to. Call once per tick, with the history
// that this value is already appended to. Pure: same arguments, same forecast and state.
// Costs O(harmonics), plus what new bins cost, plus a fit (linear in the history) every hour at
// most. Preconditions: value is finite and >= 0; the request is in its ranges.
Forecast Look(Instant now, double value, const signals::History& history, const Request& request,
              State& state);

}  // namespace tidegate::forecast
