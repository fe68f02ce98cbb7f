#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace tidegate::config {

// A Kubernetes resource quantity: "200m", "256Mi", "2G", "1e3", "0.5". Exact to a billionth.
struct Quantity {
  std::int64_t units = 0;
  std::int32_t nanos = 0;  // -999,999,999 .. 999,999,999, of the same sign as units
  bool operator==(const Quantity&) const = default;

  double value() const;
  // Rounded away from zero, at most the largest int64.
  std::int64_t Milli() const;
};

// Kubernetes's rules: an optional sign, digits with an optional point, then one of n u m k M G T P
// E, Ki Mi Gi Ti Pi Ei, or a decimal exponent (e3, E-3). Finer than a billionth rounds away from
// zero, larger than 2^63-1 is cut to that, as Kubernetes does.
Expected<Quantity> ParseQuantity(std::string_view text);
// Shortest plain form: "0.2", "268435456". Equal quantities print equally.
std::string ToString(const Quantity& quantity);

}  // namespace tidegate::config
