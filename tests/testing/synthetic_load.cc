#include "tests/testing/synthetic_load.h"

#include <cmath>
#include <numbers>
#include <vector>

namespace tidegate::testing {

double Draw(std::uint64_t key) {
  // splitmix64 (Steele, Lea and Flood, 2014).
  key += 0x9e3779b97f4a7c15U;
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
  return static_cast<double>((key ^ (key >> 31)) >> 11) / 9'007'199'254'740'992.0;
}

double SyntheticLoad::At(std::int64_t minute) const {
  const double day = 2 * std::numbers::pi * (static_cast<double>(minute) / 60 - shift_h - 6) / 24;
  const double wave = 1 + 0.55 * std::sin(day) + 0.15 * std::sin(3 * day);
  double sum = -6;  // twelve uniform draws: nearly normal, of variance 1
  for (std::uint64_t i = 0; i < 12; ++i) sum += Draw(static_cast<std::uint64_t>(minute) * 12 + i);
  return mean * wave * std::max(0.0, 1 + noise * sum);
}

signals::History HistoryOf(const SyntheticLoad& load, std::int64_t begin, std::int64_t end) {
  std::vector<float> means;
  for (std::int64_t minute = begin; minute < end; ++minute) {
    means.push_back(static_cast<float>(load.At(minute)));
  }
  signals::History history;
  history.Refill(begin, means);
  return history;
}

}  // namespace tidegate::testing
