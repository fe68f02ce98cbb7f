#pragma once

#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "scheduler/config/load.h"
#include "sim/world/fluid_pool.h"

namespace tidegate::sim {

// What to simulate: kind Scenario, apiVersion tidegate.dev/v1alpha1. Relative paths are relative to
// the file.
struct Scenario {
  std::string name;
  std::vector<std::string> manifests;  // gateways and scalers, as the daemon reads them
  std::string trace;                   // CSV; the load of every pool
  double scale = 1;                    // the trace's requests times this; > 0
  Duration tick{5'000};                // of the control loop; 1 s .. 1 h
  Duration scrape_interval{30'000};    // 1 s .. 1 h
  Duration discovery{1'000};           // until Prometheus knows a new replica
  Duration tail{60'000};               // goes on this long after the trace's end
  ServiceModel service;
  Instant start = FromUnixMillis(1'767'225'600'000);  // 2026-01-01T00:00:00Z, when the trace begins
};

// Reads one scenario file. Its problems are of the same form as those of manifests.
struct LoadedScenario {
  Scenario scenario;
  config::Problems problems;  // `scenario` is of use only where this is empty
};
LoadedScenario LoadScenario(const std::string& path);

}  // namespace tidegate::sim
