#pragma once

#include <cstddef>
#include <span>

namespace tidegate::sim {

// A mean and how far the true one may be from it.
struct Estimate {
  double mean = 0;
  double half_width = 0;  // infinite where one value says nothing about how values vary
  std::size_t count = 0;  // of independent values that it rests on

  double low() const { return mean - half_width; }
  double high() const { return mean + half_width; }
  // False where the interval holds `value`: then chance alone explains the difference from it.
  bool Excludes(double value) const { return value < low() || value > high(); }
};

// Arithmetic mean. Precondition: not empty.
double Mean(std::span<const double> values);

// Unbiased sample variance, sum of (x - mean)^2 over n - 1, in two passes with the rounding of the
// mean corrected (Chan, Golub and LeVeque 1983). Precondition: at least two values.
double Variance(std::span<const double> values);

// The value below which Student's t with `freedom` degrees of freedom falls with this probability.
// Preconditions: 0 < probability < 1, freedom >= 1.
double StudentQuantile(double probability, double freedom);

// mean +- t(1 - (1 - confidence) / 2, n - 1) * sqrt(variance / n), for independent values that are
// about normal. Preconditions: not empty, 0 < confidence < 1.
Estimate MeanInterval(std::span<const double> values, double confidence);

// The interval of the mean of treated[i] - base[i]. Where run i of both saw the same random numbers
// what is common to them cancels, and few runs are enough (Law, Simulation Modeling and Analysis,
// 11.2). Preconditions: as above, equal lengths.
Estimate PairedDifference(std::span<const double> base, std::span<const double> treated,
                          double confidence);

// Where the warm-up of a run ends.
struct WarmUp {
  std::size_t values = 0;  // to leave out at the beginning
  // False where the best cut lies at the end of the first half: the series is still on its way, or
  // too short to tell.
  bool settled = true;
};

// The rule MSER-5 (White, Simulation 69(6), 1997; White, Cobb and Spratt, WSC 2000): of the means
// b(1) .. b(n) of five neighbours each, leave out those d, d < n / 2, for which
//   sum over i > d of (b(i) - mean of b(d+1) .. b(n))^2, over (n - d)^2
// is least; the fewest where several are equal. Cost is linear. Fewer than 20 values: not settled.
WarmUp FindWarmUp(std::span<const double> series);

// The interval of a correlated series' mean: that of the means of `batches` stretches of equal
// length; what does not fill them is left out at the beginning (Law, 9.5.3; 10 to 30 batches are
// enough, Schmeiser 1982). Preconditions: batches >= 2, at least as many values.
Estimate BatchMeans(std::span<const double> series, std::size_t batches, double confidence);

}  // namespace tidegate::sim
