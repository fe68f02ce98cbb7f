#pragma once

#include <array>
#include <cstdint>

namespace tidegate::traces {

// A small random number generator of our own (xoshiro256**, seeded through SplitMix64; Blackman and
// Vigna 2018), with our own distributions: the standard library's differ between implementations,
// and a seed must name the same trace everywhere.
class Random {
 public:
  // Equal seeds give equal sequences. `stream` tells sequences of one seed apart, so that a new use
  // of randomness does not shift the numbers of another.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  std::uint64_t Next();
  double Uniform();      // in [0, 1), 53 random bits
  double Normal();       // mean 0, standard deviation 1
  double Exponential();  // mean 1
  // A whole number, as a double. Precondition: 0 <= mean < 1e15. Exact up to a mean of 1,000;
  // beyond it the rounded normal approximation.
  double Poisson(double mean);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace tidegate::traces
