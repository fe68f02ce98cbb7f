#pragma once

#include <array>
#include <bit>
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

  // Inline: a simulation draws several for each request.
  std::uint64_t Next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // In [0, 1), 53 random bits.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // A whole number in [0, limit), to a bias of limit / 2^32. Precondition: limit > 0.
  std::uint32_t Below(std::uint32_t limit) {
    return static_cast<std::uint32_t>(((Next() >> 32) * limit) >> 32);
  }
  double Normal();       // mean 0, standard deviation 1
  double Exponential();  // mean 1
  // A whole number, as a double. Precondition: 0 <= mean < 1e15. Exact up to a mean of 1,000;
  // beyond it the rounded normal approximation.
  double Poisson(double mean);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace tidegate::traces
