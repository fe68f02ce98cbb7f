#pragma once

#include <string>
#include <vector>

#include "scheduler/config/daemon_config.h"
#include "scheduler/config/gateway_scaler.h"
#include "scheduler/config/istio_gateway.h"
#include "scheduler/config/load.h"
#include "scheduler/config/problem.h"
#include "scheduler/decision/decision.h"

namespace tidegate::config {

// What belongs to a pool besides its PoolSpec: what signal sources and actuators need.
struct PoolManifest {
  IstioGateway gateway;
  std::vector<SignalDefinition> signals;  // in the order of the PoolSpec's targets; may be empty
  std::vector<Route> routes;              // in the order in which they are to be tried
  Duration drain_deadline{30'000};
  std::string scaler;  // name of the GatewayScaler; empty: none
};

// Manifests that fit together.
struct CompiledConfig {
  DaemonConfig daemon;                    // defaults where no TidegateConfig was among the files
  std::vector<decision::PoolSpec> pools;  // sorted by id
  std::vector<PoolManifest> manifests;    // manifests[i] belongs to pools[i]
  std::vector<std::string> files;         // as in Loaded
  std::vector<std::string> folders;

  // Null where there is no such pool.
  const PoolManifest* Find(const PoolId& id) const;
  const decision::PoolSpec* FindSpec(const PoolId& id) const;
  // Hash of all pools' config versions, 8 hex digits.
  std::string Version() const;
};

struct Compiled {
  CompiledConfig config;
  Problems problems;  // sorted; `config` is of use only where this is empty
};

// Checks what spans manifests (a scaler's missing pool, two scalers on one pool, a pool declared
// twice, the mesh's own HPA beside a scaler, ...) and turns them into what the control loop runs.
// Problems of `loaded` are carried over.
Compiled Compile(Loaded loaded);

// Load and Compile.
Compiled LoadAndCompile(const std::vector<std::string>& paths, const LoadLimits& limits);

// The text that a pool's revision is the hash of: everything that makes one replica differ from
// another (ports, routes, resources, access logs, ...), one field a line, sorted. Counts, budgets,
// the mesh's HPA and metric export are not part of it.
std::string TemplateText(const IstioGateway& gateway, const std::vector<Route>& routes,
                         const ProcessConfig& process);

}  // namespace tidegate::config
