#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "traces/generate/random.h"

namespace tidegate::sim {

// e^x for finite x, by operations that IEEE 754 defines to the bit, so that a simulation gives the
// same numbers on every machine (libm's differ with the processor). Relative error below 1e-15;
// 0 below -708, and x above 708 counts as 708.
double Exp(double x);
// ln(y) for y > 0, likewise; absolute error below 1e-14 for y <= 1, relative above.
double Log(double y);

// Exponential and normal draws by the ziggurat method (Marsaglia and Tsang 2000, "The Ziggurat
// Method for Generating Random Variables", with 256 layers and 53-bit fractions). About four times
// as fast as taking logarithms. One number of the generator's in all but 1-2 % of draws.
class Ziggurat {
 public:
  static constexpr int kLayers = 256;

  // The tables, made once.
  static const Ziggurat& Get();

  // Mean 1.
  double Exponential(traces::Random& random) const {
    const std::uint64_t bits = random.Next();
    const auto layer = static_cast<std::size_t>(bits & (kLayers - 1));
    const double x = static_cast<double>(bits >> 11) * exponential_.width[layer];
    if (bits >> 11 < exponential_.inside[layer]) return x;
    return SlowExponential(random, layer, x);
  }

  // Mean 0, standard deviation 1.
  double Normal(traces::Random& random) const {
    const std::uint64_t bits = random.Next();
    const auto layer = static_cast<std::size_t>(bits & (kLayers - 1));
    const double x = static_cast<double>(bits >> 11) * normal_.width[layer];
    const bool negative = (bits >> 8 & 1) != 0;
    if (bits >> 11 < normal_.inside[layer]) return negative ? -x : x;
    const double slow = SlowNormal(random, layer, x);
    return negative ? -slow : slow;
  }

 private:
  // Layer i is the rectangle from 0 to edge[i], as high as density[i + 1] - density[i]; layer 0 is
  // the base strip with the tail.
  struct Layers {
    std::array<double, kLayers + 1> edge{};
    std::array<double, kLayers + 1> density{};
    std::array<double, kLayers> width{};          // edge / 2^53
    std::array<std::uint64_t, kLayers> inside{};  // fractions below it need no further test
  };

  Ziggurat();
  static Layers Build(double tail_begin, double area, double (*density)(double),
                      double (*inverse)(double));
  double SlowExponential(traces::Random& random, std::size_t layer, double x) const;
  double SlowNormal(traces::Random& random, std::size_t layer, double x) const;

  Layers exponential_;
  Layers normal_;
};

}  // namespace tidegate::sim
