#include "traces/generate/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

std::uint64_t SplitMix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) : state_{} {
  std::uint64_t mixed = stream;
  mixed = SplitMix64(mixed) ^ seed;
  for (std::uint64_t& word : state_) word = SplitMix64(mixed);
}

double Random::Exponential() { return -std::log1p(-Uniform()); }

// Box and Muller's transform; the second number of each pair is dropped, so that the state is the
// generator's alone.
double Random::Normal() {
  const double radius = std::sqrt(2.0 * Exponential());
  return radius * std::cos(2.0 * std::numbers::pi * Uniform());
}

// The number of exponential gaps that fit: exact, in time linear in the mean. The normal
// approximation has no skew where the true one is at most 0.03.
double Random::Poisson(double mean) {
  TIDEGATE_CHECK(mean >= 0 && mean < 1e15, "a Poisson mean is finite and not negative");
  if (mean > 1000) return std::max(0.0, std::round(mean + std::sqrt(mean) * Normal()));
  double count = 0;
  for (double at = Exponential(); at < mean; at += Exponential()) ++count;
  return count;
}

}  // namespace tidegate::traces
