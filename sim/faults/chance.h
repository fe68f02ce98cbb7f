#pragma once

#include <cstdint>
#include <string_view>

#include "policies/base/instant.h"

namespace tidegate::sim {

// Chance without memory: every roll is a hash of the seed and of what it is rolled for. A roll
// therefore comes out the same whatever else was rolled before, and a fault that is taken away
// leaves all others as they were.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : seed_(seed) {}

  // FNV-1a over `what`, `of` and `number`, mixed as SplitMix64 does.
  std::uint64_t Roll(std::string_view what, std::string_view of = "",
                     std::int64_t number = 0) const;
  // 0 <= result < sides. Precondition: sides > 0.
  int Below(int sides, std::string_view what, std::string_view of = "",
            std::int64_t number = 0) const;
  // True in `per_mille` of 1,000 cases.
  bool Hits(int per_mille, std::string_view what, std::string_view of = "",
            std::int64_t number = 0) const;
  // Whole milliseconds from 0 up to and including `most`. Precondition: 0 <= most <= a week.
  Duration Upto(Duration most, std::string_view what, std::string_view of = "",
                std::int64_t number = 0) const;

 private:
  std::uint64_t seed_;
};

}  // namespace tidegate::sim
