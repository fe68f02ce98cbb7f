#include "sim/engine/ziggurat.h"

#include <algorithm>
#include <cmath>

namespace tidegate::sim {
namespace {

constexpr double kLn2High = 0x1.62e42feep-1;  // its last bits are 0: products with it are exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;

// Where the tails begin, and the area of each layer, for 256 layers (Marsaglia and Tsang 2000).
constexpr double kExponentialTail = 7.69711747013104972;
constexpr double kExponentialArea = 0.0039496598225815571993;
constexpr double kNormalTail = 3.6541528853610088;
constexpr double kNormalArea = 0.00492867323399;

double ExponentialDensity(double x) { return Exp(-x); }
double ExponentialInverse(double y) { return -Log(y); }
double NormalDensity(double x) { return Exp(-0.5 * x * x); }
double NormalInverse(double y) { return std::sqrt(-2 * Log(y)); }

}  // namespace

// x = k ln 2 + r with |r| <= ln 2 / 2; e^r by Taylor's series to r^13, whose next term is below
// 5e-18.
double Exp(double x) {
  if (x < -708) return 0;
  x = std::min(x, 708.0);
  const double k = std::floor(x * kInverseLn2 + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1.0 / 6227020800.0;
  constexpr std::array<double, 13> kCoefficients{1.0 / 479001600.0,
                                                 1.0 / 39916800.0,
                                                 1.0 / 3628800.0,
                                                 1.0 / 362880.0,
                                                 1.0 / 40320.0,
                                                 1.0 / 5040.0,
                                                 1.0 / 720.0,
                                                 1.0 / 120.0,
                                                 1.0 / 24.0,
                                                 1.0 / 6.0,
                                                 1.0 / 2.0,
                                                 1.0,
                                                 1.0};
  for (const double coefficient : kCoefficients) sum = sum * r + coefficient;
  const auto exponent = static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023);
  return sum * std::bit_cast<double>(exponent << 52);
}

// y = m 2^k with m in [1/2, 1); ln m by Newton's method on Exp. Not for hot paths.
double Log(double y) {
  int k = 0;
  const double m = std::frexp(y, &k);
  double x = 0;
  for (int i = 0; i < 60; ++i) {
    const double step = m * Exp(-x) - 1;
    x += step;
    if (std::abs(step) < 1e-17) break;
  }
  return x + k * kLn2High + k * kLn2Low;
}

const Ziggurat& Ziggurat::Get() {
  static const Ziggurat tables;
  return tables;
}

Ziggurat::Ziggurat()
    : exponential_(
          Build(kExponentialTail, kExponentialArea, ExponentialDensity, ExponentialInverse)),
      normal_(Build(kNormalTail, kNormalArea, NormalDensity, NormalInverse)) {}

// Edges from the base upwards, widest first; every layer has the same area.
Ziggurat::Layers Ziggurat::Build(double tail_begin, double area, double (*density)(double),
                                 double (*inverse)(double)) {
  Layers layers;
  layers.edge[0] = area / density(tail_begin);  // the base strip as if it were a rectangle
  layers.edge[1] = tail_begin;
  layers.density[0] = 0;
  layers.density[1] = density(tail_begin);
  for (std::size_t i = 2; i < kLayers; ++i) {
    layers.density[i] = layers.density[i - 1] + area / layers.edge[i - 1];
    layers.edge[i] = inverse(layers.density[i]);
  }
  layers.edge[kLayers] = 0;
  layers.density[kLayers] = 1;
  for (std::size_t i = 0; i < kLayers; ++i) {
    layers.width[i] = layers.edge[i] * 0x1.0p-53;
    layers.inside[i] = static_cast<std::uint64_t>(layers.edge[i + 1] / layers.edge[i] * 0x1.0p53);
  }
  return layers;
}

double Ziggurat::SlowExponential(traces::Random& random, std::size_t layer, double x) const {
  // What lies beyond the tail's beginning is distributed as the whole.
  if (layer == 0) return kExponentialTail + Exponential(random);
  const auto& density = exponential_.density;
  const double y = density[layer] + random.Uniform() * (density[layer + 1] - density[layer]);
  return y < Exp(-x) ? x : Exponential(random);
}

// The tail after Marsaglia (1964): x = r + E / r, taken where 2 E' > (E / r)^2.
double Ziggurat::SlowNormal(traces::Random& random, std::size_t layer, double x) const {
  if (layer == 0) {
    for (;;) {
      const double beyond = Exponential(random) / kNormalTail;
      if (2 * Exponential(random) > beyond * beyond) return kNormalTail + beyond;
    }
  }
  const auto& density = normal_.density;
  const double y = density[layer] + random.Uniform() * (density[layer + 1] - density[layer]);
  return y < Exp(-0.5 * x * x) ? x : std::abs(Normal(random));
}

}  // namespace tidegate::sim
