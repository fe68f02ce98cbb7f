#pragma once

#include <span>
#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "scheduler/config/compile.h"
#include "sim/runner/scenario.h"

namespace tidegate::sim {

// Who takes part in the league, with the one setting that makes it more or less generous.
struct Contestant {
  std::string_view name;
  std::string_view knob;
  double least = 0;
  double most = 0;
  double by_default = 0;
  bool more_is_cheaper = true;
  bool logarithmic = true;  // steps of the search are factors, not differences
  Duration tick{5'000};
  Duration scrape{0};  // its own; 0: the league's
  // Looks at once when a replica is ready or gone, as the daemon does (Scenario::early_ticks).
  bool early_ticks = false;
  // The lines of a GatewayScaler's spec that are its own, indented by two spaces. Empty: the pool
  // is not scaled.
  std::string (*spec)(double knob) = nullptr;
};
// In the order in which results show them.
std::span<const Contestant> Contestants();

// The league's replica: 8 workers, lognormal service times of mean 50 ms and variation 0.5; 20 s to
// start, probed every 5 s, 10 s to drain. What waits longer than the objective's 250 ms less a mean
// service time is bad, and who would wait longer than a second goes away.
constexpr Rate kLeagueCapacity = 160;
constexpr Replicas kLeaguePeak = 60;
Scenario LeagueScenario(const Contestant& contestant, Duration scrape);

// The contestant's manifests at this setting: budgets of 100 % and 25 %, up to four times the
// peak's replicas. A pool that is not scaled has `knob` replicas.
Expected<config::CompiledConfig> LeagueManifests(const Contestant& contestant, double knob,
                                                 Replicas initial);

}  // namespace tidegate::sim
