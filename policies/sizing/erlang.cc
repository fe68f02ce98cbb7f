#include "policies/sizing/erlang.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "policies/base/check.h"

namespace tidegate::sizing {
namespace {

// Up to here the recursion is as fast as anything.
constexpr std::int64_t kRecursion = 128;
constexpr double kNegligible = 1e-16;

// ln(c!) - ln(sqrt(2 pi c) (c / e)^c): Stirling's series; for c >= kRecursion its next term is
// below 1e-17.
double StirlingError(double c) {
  const double square = c * c;
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / c;
}

// a - c + c ln(c / a) >= 0, without cancellation where a is about c.
double Deviance(double c, double a) {
  const double excess = (c - a) / a;
  if (std::abs(excess) > 0.1) return a - c + c * std::log(c / a);
  // c ln(1 + x) - a x with c = a (1 + x): a x^2 (1/2 - x/6 + x^2/12 - ...).
  double sum = 0, power = 1;
  for (int k = 2; k < 40 && std::abs(power) > kNegligible; ++k, power *= -excess) {
    sum += power / (k * (k - 1));
  }
  return a * excess * excess * sum;
}

// e^-a a^c / c!, by the saddle point (C. Loader, "Fast and Accurate Computation of Binomial
// Probabilities", 2000): powers and factorials of large numbers are never formed.
double PoissonMass(double c, double a) {
  return std::exp(-StirlingError(c) - Deviance(c, a)) / std::sqrt(2 * std::numbers::pi * c);
}

// B = p / (1 - P(N > c)) where N is Poisson with mean a < c, p = P(N = c), and
// P(N > c) = p (a / (c + 1) + a^2 / (c + 1)(c + 2) + ...).
double Light(double c, double a) {
  const double mass = PoissonMass(c, a);
  double sum = 0, term = 1;
  for (double k = 1; term > kNegligible * (1 + sum); k += 1) {
    term *= a / (c + k);
    sum += term;
  }
  return mass / (1 - mass * sum);
}

// 1 / B = 1 + c / a + c (c - 1) / a^2 + ...: its terms fall where a >= c.
double Heavy(double c, double a) {
  double sum = 0, term = 1;
  for (double k = 0; k <= c && term > kNegligible * sum; k += 1) {
    sum += term;
    term *= (c - k) / a;
  }
  return 1 / sum;
}

}  // namespace

double ErlangB(std::int64_t servers, double load) {
  TIDEGATE_CHECK(servers >= 1 && load >= 0 && std::isfinite(load), "servers and their load");
  if (load == 0) return 0;
  if (servers > kMostServers) {
    load *= static_cast<double>(kMostServers) / static_cast<double>(servers);
    servers = kMostServers;
  }
  if (servers <= kRecursion) {
    double blocked = 1;
    for (std::int64_t c = 1; c <= servers; ++c) {
      blocked = load * blocked / (static_cast<double>(c) + load * blocked);
    }
    return blocked;
  }
  const auto c = static_cast<double>(servers);
  return load < c ? Light(c, load) : Heavy(c, load);
}

double ErlangC(std::int64_t servers, double load) {
  const double blocked = ErlangB(servers, load);
  const double utilization = load / static_cast<double>(servers);
  return utilization >= 1 ? 1 : blocked / (1 - utilization * (1 - blocked));
}

double ErlangWaitTail(std::int64_t servers, double load, double service_seconds, double seconds) {
  const double spare = static_cast<double>(servers) - load;
  if (spare <= 0) return 1;
  return ErlangC(servers, load) * std::exp(-spare * seconds / service_seconds);
}

}  // namespace tidegate::sizing
