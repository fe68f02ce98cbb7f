#include "sim/runner/scenario_names.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidegate::sim {
namespace {

Expected<void> CheckChain(const Scenario& scenario, const config::CompiledConfig& manifests) {
  if (scenario.chain.empty()) return {};
  if (scenario.mode != Mode::kRequests) {
    return Fail(ErrorCode::kInvalid, "chain: only mode requests knows single requests to pass on");
  }
  for (std::size_t i = 0; i < scenario.chain.size(); ++i) {
    const PoolId& id = scenario.chain[i];
    if (manifests.Find(id) == nullptr) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("chain: the manifests declare no pool {}", ToString(id)));
    }
    const auto before = std::ranges::find(
        scenario.chain.begin(), scenario.chain.begin() + static_cast<std::ptrdiff_t>(i), id);
    if (before != scenario.chain.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Fail(ErrorCode::kInvalid, fmt::format("chain: {} is in it twice", ToString(id)));
    }
  }
  return {};
}

Expected<void> CheckPools(const Scenario& scenario, const config::CompiledConfig& manifests) {
  for (const auto& [id, own] : scenario.pools) {
    if (manifests.Find(id) == nullptr) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("pools: the manifests declare no pool {}", ToString(id)));
    }
    const auto link = std::ranges::find(scenario.chain, id);
    if (own.trace && link != scenario.chain.end() && link != scenario.chain.begin()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("pools: {} has a trace and takes what the pool before it in the "
                              "chain has served",
                              ToString(id)));
    }
  }
  return {};
}

}  // namespace

Expected<void> CheckNames(const Scenario& scenario, const config::CompiledConfig& manifests) {
  TIDEGATE_TRY_VOID(CheckChain(scenario, manifests));
  return CheckPools(scenario, manifests);
}

}  // namespace tidegate::sim
