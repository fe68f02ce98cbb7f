#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace tidegate {

// A number of gateway replicas. Never negative where it leaves a function; kMaxReplicas bounds
// input.
using Replicas = std::int32_t;
constexpr Replicas kMaxReplicas = 100'000;

// Requests (or whatever a signal counts) per second. Finite and >= 0 where it leaves a function.
using Rate = double;

// A pool: identical gateway replicas declared by one IstioGateway. Ordered by namespace, then name,
// and that order breaks every tie between pools.
struct PoolId {
  std::string ns;
  std::string name;
  auto operator<=>(const PoolId&) const = default;
};

// "namespace/name".
std::string ToString(const PoolId& id);

// Hash of a pool's template as 8 lower-case hex digits; replicas of another revision are rolled
// out.
using Revision = std::string;

}  // namespace tidegate
