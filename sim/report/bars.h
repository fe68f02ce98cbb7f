#pragma once

#include <span>
#include <string>

namespace tidegate::sim {

// Values over time (>= 0) as a line of 72 bars of eight heights, each the largest of its stretch of
// time, then "  max 390". All lines of one width, so that they can stand below each other.
std::string Bars(std::span<const double> values);

}  // namespace tidegate::sim
