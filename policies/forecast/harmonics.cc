// Harmonic regression on differences. With z(t) the logarithm of the load and f(t) a sum of sines
// and cosines of the day and the week, f is fitted to
//
//   z(t + L) - z(t)  =  f(t + L) - f(t) + error
//
// rather than to z itself: only differences of f are ever used (the level is taken from the
// present, as "recent-level correction"), and in differences a change of level, however large, is a
// handful of outliers instead of a step that leaks into every coefficient. A gap is just fewer
// equations. The day is fitted to changes over an hour. The week is fitted to changes over a day,
// from which the day has vanished.
//
// Outliers are held by Huber's weights in three rounds of reweighted least squares (Huber and
// Ronchetti, Robust Statistics, section 7.8), and each round is a ridge regression:
//
//   minimize  sum w (error)^2 + sum_k ridge_k c_k^2
//
// with a ridge that grows with the harmonic, as fast wiggles must show more evidence. Old slots
// count less (half after five days), so that a season that moves to other hours wins within days.
//
// It fails where the load has no season, or one of another length: then coefficients are small, and
// the weights of the combination do the rest.
#include "policies/forecast/harmonics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace tidegate::forecast {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr double kPeriodsSeen = 1.75;
constexpr double kShareKnown = 0.6;  // of that time
constexpr int kRounds = 3;
constexpr double kHuber = 1.345;       // 95 % as good as least squares on normal errors
constexpr double kLeastScale = 0.005;  // 0.5 %
constexpr Duration kHalfLife = days(5);
constexpr double kRidge = 2;  // in equations

double Phase(Instant at, Duration period) {
  const std::int64_t millis = UnixMillis(at) % period.count();
  return 2 * std::numbers::pi * static_cast<double>(millis) / static_cast<double>(period.count());
}

// cos x, sin x, cos 2x, sin 2x, ...: one sine and one cosine, then additions of angles.
template <class Put>
void Multiples(double angle, int count, Put put) {
  const double c = std::cos(angle), s = std::sin(angle);
  double ck = c, sk = s;
  for (int k = 0; k < count; ++k) {
    put(2 * k, ck);
    put(2 * k + 1, sk);
    const double next = ck * c - sk * s;
    sk = sk * c + ck * s;
    ck = next;
  }
}

// One season: its length, its coefficients, and over what time changes are taken.
struct Season {
  Duration period{0};
  int size = 0;
  Duration lag{0};
};
constexpr Season kDays{days(1), 2 * Harmonics::kDay, hours(1)};
constexpr Season kWeeks{days(7), 2 * Harmonics::kWeek, days(1)};
constexpr int kMost = std::max(kDays.size, kWeeks.size);

bool LongEnough(const Slots& slots, std::size_t known, Duration period) {
  const double wanted = kPeriodsSeen * Seconds(period) / Seconds(slots.width);
  return static_cast<double>(slots.logs.size()) >= wanted &&
         static_cast<double>(known) >= kShareKnown * wanted;
}

// One equation a row.
struct Equations {
  Eigen::MatrixXd factors;
  Eigen::VectorXd changes;
  Eigen::VectorXd ages;  // weight by age, 0 .. 1
};

Equations MakeEquations(const Slots& slots, const Season& season) {
  const auto lag = static_cast<std::size_t>(std::max<Duration::rep>(1, season.lag / slots.width));
  std::vector<std::size_t> rows;
  for (std::size_t i = lag; i < slots.logs.size(); ++i) {
    if (std::isfinite(slots.logs[i]) && std::isfinite(slots.logs[i - lag])) rows.push_back(i);
  }
  std::vector<std::array<double, kMost>> features(slots.logs.size());
  for (std::size_t i = 0; i < slots.logs.size(); ++i) {
    Multiples(Phase(slots.Center(i), season.period), season.size / 2,
              [&](int k, double x) { features[i][static_cast<std::size_t>(k)] = x; });
  }
  const auto count = static_cast<Eigen::Index>(rows.size());
  Equations equations{Eigen::MatrixXd(count, season.size), Eigen::VectorXd(count),
                      Eigen::VectorXd(count)};
  const double per_slot = std::log(2.0) * Seconds(slots.width) / Seconds(kHalfLife);
  for (Eigen::Index row = 0; row < count; ++row) {
    const std::size_t i = rows[static_cast<std::size_t>(row)];
    for (int k = 0; k < season.size; ++k) {
      const auto at = static_cast<std::size_t>(k);
      equations.factors(row, k) = features[i][at] - features[i - lag][at];
    }
    equations.changes[row] = static_cast<double>(slots.logs[i] - slots.logs[i - lag]);
    equations.ages[row] = std::exp(-per_slot * static_cast<double>(slots.logs.size() - 1 - i));
  }
  return equations;
}

// 1.4826 times the median of |errors|: a standard deviation where they are normal.
double ScaleOf(const Eigen::VectorXd& errors) {
  std::vector<double> sizes(errors.data(), errors.data() + errors.size());
  for (double& size : sizes) size = std::abs(size);
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return std::max(kLeastScale, 1.4826 * *middle);
}

double Ridge(int k) {
  const int harmonic = k / 2 + 1;
  return kRidge * (1 + harmonic * harmonic / 4.0);
}

// Zero where there is no equation.
Eigen::VectorXd Solve(const Slots& slots, const Season& season) {
  const Equations equations = MakeEquations(slots, season);
  Eigen::VectorXd solution = Eigen::VectorXd::Zero(season.size);
  if (equations.changes.size() == 0) return solution;
  for (int round = 0; round < kRounds; ++round) {
    const Eigen::VectorXd errors = equations.changes - equations.factors * solution;
    const double bound = kHuber * ScaleOf(errors);
    const Eigen::VectorXd weights =
        equations.ages.array() * (bound / errors.array().abs().max(bound));
    const Eigen::MatrixXd weighted = weights.asDiagonal() * equations.factors;
    Eigen::MatrixXd normal = equations.factors.transpose() * weighted;
    for (int k = 0; k < season.size; ++k) normal(k, k) += Ridge(k);
    solution = normal.ldlt().solve(weighted.transpose() * equations.changes);
  }
  return solution;
}

}  // namespace

double At(const Harmonics& harmonics, Instant at) {
  double sum = 0;
  if (harmonics.has_day) {
    Multiples(Phase(at, days(1)), Harmonics::kDay, [&](int i, double x) {
      sum += static_cast<double>(harmonics.day[static_cast<std::size_t>(i)]) * x;
    });
  }
  if (harmonics.has_week) {
    Multiples(Phase(at, days(7)), Harmonics::kWeek, [&](int i, double x) {
      sum += static_cast<double>(harmonics.week[static_cast<std::size_t>(i)]) * x;
    });
  }
  return sum;
}

Harmonics FitHarmonics(const Slots& slots) {
  Harmonics harmonics;
  const std::size_t known = Known(slots);
  harmonics.has_day = LongEnough(slots, known, days(1));
  harmonics.has_week = harmonics.has_day && LongEnough(slots, known, days(7));
  const auto fit = [&](const Season& season, auto& coefficients) {
    const Eigen::VectorXd solution = Solve(slots, season);
    for (std::size_t k = 0; k < coefficients.size(); ++k) {
      coefficients[k] = static_cast<float>(solution[static_cast<Eigen::Index>(k)]);
    }
  };
  if (harmonics.has_day) fit(kDays, harmonics.day);
  if (harmonics.has_week) fit(kWeeks, harmonics.week);
  return harmonics;
}

}  // namespace tidegate::forecast
