#pragma once

#include <array>
#include <span>

#include "policies/forecast/numbers.h"

namespace tidegate::forecast {

// How fast level and trend follow, per bin: 0 < level <= 1, 0 <= trend <= 1, 0 < damping < 1.
struct SmootherOptions {
  float level = 0.6F;
  float trend = 0.1F;
  float damping = 0.9F;
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitNumber(visit, Field{"level", "how fast the level follows, per bin", 0, 1}, self.level);
    VisitNumber(visit, Field{"trend", "and the trend", 0, 1}, self.trend);
    VisitNumber(visit, Field{"damping", "of the trend, per bin", 0.01, 0.999}, self.damping);
  }
  bool operator==(const SmootherOptions&) const = default;
};

// Holt's damped trend, made robust; see smoother.cc. Values may be anything finite; here they are
// logarithms of rates less their season.
struct Smoother {
  float level = 0;
  float trend = 0;   // per bin
  float spread = 0;  // of one-step errors, a standard deviation
  int seen = 0;      // values, up to a bound
  int streak = 0;    // surprises in a row, negative ones below
  int gap = 0;       // bins without a value
  template <class Self, class Visitor>
  static void VisitFields(Self& self, Visitor& visit) {
    VisitNumber(visit, Log("level", "logarithm of the load, less its season"), self.level);
    VisitNumber(visit, Log("trend", "change per bin"), self.trend);
    VisitNumber(visit, Field{"spread", "of one-step errors", 0, kMostLog}, self.spread);
    visit(Field{"seen", "values, up to a bound", 0, kMostCount}, self.seen);
    visit(Field{"streak", "surprises in a row", -kMostCount, kMostCount}, self.streak);
    visit(Field{"gap", "bins without a value, up to a bound", 0, kMostCount}, self.gap);
  }
  bool operator==(const Smoother&) const = default;
};

// One bin on. A value that is not finite is a gap.
void Advance(const SmootherOptions& options, float value, Smoother& smoother);

// The sum of damping^i, i = 1 .. bins, also for parts of a bin: how far a trend of 1 leads.
double DampedBins(double damping, double bins);

// What is expected `bins` after the last value, given a value that was read `since` bins after it.
// A reading counts in proportion to the part of a bin that has passed.
double Expect(const SmootherOptions& options, const Smoother& smoother, double now, double since,
              double bins);

// Those of a fixed grid with the least sum of absolute errors at `ahead` bins (1 .. 256) over the
// values; absolute, so that a spike counts once and not squared. Linear in the values.
SmootherOptions BestOptions(std::span<const float> values, int ahead);

}  // namespace tidegate::forecast
