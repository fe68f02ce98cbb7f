#pragma once

#include "policies/forecast/numbers.h"

namespace tidegate::forecast {

// How far a forecast's errors reach on the upper side; see calibration.cc. Errors are value less
// forecast, both as logarithms.
struct Calibration {
  float fast = 0;    // mean size of errors over the last half hour
  float slow = 0;    // and over the last half day
  float factor = 0;  // spreads to add for the wanted quantile
  int seen = 0;      // errors, up to a bound
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitNumber(visit, Field{"fast", "mean error of the last half hour", 0, kMostLog}, self.fast);
    VisitNumber(visit, Field{"slow", "and half day", 0, kMostLog}, self.slow);
    VisitNumber(visit, Log("factor", "spreads to add for the quantile"), self.factor);
    visit(Field{"seen", "errors, up to a bound", 0, kMostCount}, self.seen);
  }
  bool operator==(const Calibration&) const = default;
};

// What to add to the forecast so that a share `quantile` of values is below.
double Margin(const Calibration& calibration);

// One more error. 0 < quantile < 1.
void Learn(double error, double quantile, Calibration& calibration);

// Losses of ours and of the naive forecast over the same moments, and how often and on which side
// ours missed. Exponential means over about a day and about two hours of forecasts.
struct Score {
  float loss = 0;  // pinball, in the signal's unit
  float naive_loss = 0;
  float late_loss = 0;  // the same over the last two hours
  float late_naive = 0;
  float coverage = 0;  // share of values at or below the upper forecast
  float bias = 0;      // mean of (median forecast - value), in the signal's unit
  int seen = 0;        // forecasts that came due, up to a bound
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitNumber(visit, Field{"loss", "pinball loss", 0, kMostValue}, self.loss);
    VisitNumber(visit, Field{"naiveLoss", "of the last value", 0, kMostValue}, self.naive_loss);
    VisitNumber(visit, Field{"lateLoss", "of the last two hours", 0, kMostValue}, self.late_loss);
    VisitNumber(visit, Field{"lateNaive", "of the last value then", 0, kMostValue},
                self.late_naive);
    VisitNumber(visit, Field{"coverage", "share of values not above", 0, 1}, self.coverage);
    VisitNumber(visit, Field{"bias", "median less value", -kMostValue, kMostValue}, self.bias);
    visit(Field{"seen", "forecasts that came due, up to a bound", 0, kMostCount}, self.seen);
  }
  bool operator==(const Score&) const = default;
};

// q (value - forecast) where the value is above, (1 - q) (forecast - value) where it is below: the
// loss that the q-quantile minimizes (Koenker and Bassett, "Regression Quantiles", 1978).
double Pinball(double quantile, double forecast, double value);

// One more value that came due, and what was said of it. In the signal's unit.
struct Outcome {
  double value = 0;
  double median = 0;
  double upper = 0;
  double naive_upper = 0;
};
void Learn(const Outcome& outcome, double quantile, Score& score);

// loss / naive_loss, over the day or the last two hours, whichever is worse; 1 before anything is
// scored.
double WorstRatio(const Score& score);
// loss / naive_loss over the day.
double Ratio(const Score& score);

}  // namespace tidegate::forecast
