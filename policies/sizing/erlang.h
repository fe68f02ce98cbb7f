#pragma once

#include <cstdint>

namespace tidegate::sizing {

// The closed forms of A. K. Erlang (1917) for `servers` equal servers under a load of `load`
// erlangs (arrival rate x mean service time): requests arrive at random (Poisson). Exact to about
// ten digits up to kMostServers; more count as so many, which is on the safe side for equal
// utilization. Costs min(servers, some times sqrt(servers)) steps.
// Preconditions: servers >= 1, load finite and >= 0.
constexpr std::int64_t kMostServers = 1'000'000;

// The share of requests that find all servers busy where nothing can wait, whatever the service
// times' distribution:
//   B(c, a) = (a^c / c!) / (sum of a^k / k! for k = 0 .. c).
double ErlangB(std::int64_t servers, double load);

// The share of requests that wait where all that come are served in turn and service times are
// exponential:
//   C(c, a) = B / (1 - (a / c) (1 - B)) for a < c, and 1 where the load is too much.
double ErlangC(std::int64_t servers, double load);

// The share of requests that wait longer than `seconds` there (M/M/c):
//   P(W > t) = C(c, a) exp(-(c - a) t / s), s the mean service time; 1 where a >= c.
// Precondition: seconds >= 0, service_seconds > 0.
double ErlangWaitTail(std::int64_t servers, double load, double service_seconds, double seconds);

}  // namespace tidegate::sizing
