#pragma once

#include <string>
#include <vector>

#include "scheduler/adapters/process/pool_template.h"
#include "scheduler/adapters/process/runtime_api.h"

namespace tidegate::adapters {

// A named port of the template and the TCP port that stands for it.
struct PortBinding {
  std::string name;
  int port = 0;
  bool operator==(const PortBinding&) const = default;
};

// A replica's own configuration: frontends traffic_<port>, the routes as backends, and a frontend
// `metrics` with /metrics, /stats/prometheus and /healthz. Precondition: Problems(pool) is empty.
std::string ReplicaConfig(const PoolTemplate& pool, const std::vector<PortBinding>& ports,
                          int metrics_port);

// How many requests a replica of this template takes at a time.
int MaxconnOf(const PoolTemplate& pool);

struct FrontSetup {
  std::vector<PortBinding> ports;
  Duration hard_stop{30'000};
  int maxconn = 0;                        // of the whole front
  std::vector<ServerSetup> servers = {};  // that serve already; others come through the runtime API
};
// The front's configuration: frontends front_<port>, each with a backend pool_<port> whose servers
// come and go through the runtime API, whose socket is "front.sock" in the working directory. The
// next process may fetch the listeners there.
std::string FrontConfig(const FrontSetup& setup, const ProcessFleetOptions& options);

// The most connections that a front can be given under this process's descriptor limit: each takes
// two descriptors, some more are for checks and listeners.
int AffordableMaxconn(int wanted);

// "pool_http", the backend that serves a port.
std::string BackendName(const std::string& port_name);

}  // namespace tidegate::adapters
