#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policies/base/units.h"
#include "scheduler/daemon/published.h"
#include "traces/net/http_message.h"

namespace tidegate::daemon {

// One address at which a pool takes traffic.
struct FrontAddress {
  std::string port;     // the manifest's port name
  std::string address;  // "127.0.0.1:34567"
};

// What the daemon's HTTP server answers from. All functions are called on the server's threads.
struct ApiContext {
  const Published* published = nullptr;
  std::function<std::string()> metrics;  // text exposition
  std::function<std::string()> targets;  // HTTP service discovery, JSON
  std::function<std::vector<FrontAddress>(const PoolId&)> fronts;
  std::function<bool()> alive;  // the control loop still turns
  std::string journal_path;
  std::string version;
};

// Routes: / (what there is), /metrics, /healthz, /readyz, /api/v1/pools,
// /api/v1/pools/NAMESPACE/NAME/decisions
// (?last=N, ?at=TIME, ?format=json|text), /api/v1/targets (Prometheus http_sd_configs). GET and
// HEAD only.
net::HttpResponse Answer(const net::HttpRequest& request, const ApiContext& context);

}  // namespace tidegate::daemon
