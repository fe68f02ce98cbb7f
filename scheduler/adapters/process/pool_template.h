#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/units.h"

namespace tidegate::adapters {

// One port of the pool's front, as in the gateway's manifest.
struct PortTemplate {
  std::string name;              // "http"; letters, digits and '-', unique in the pool
  int port = 0;                  // 1..65535; where the front listens with exact_ports
  int target_port = 0;           // kept for the manifest's sake: replicas listen on free ports
  std::string protocol = "TCP";  // only TCP; every port speaks plain HTTP, 443 too
};

// Requests whose path begins with `prefix` (and whose Host matches) go to `upstream`.
struct RouteTemplate {
  std::string prefix = "/";
  std::string host;      // empty or "*": any; "*.example.com": every name below it
  std::string upstream;  // "host:port"
};

// All that is needed to run one pool's replicas. A change of anything that a replica's
// configuration is made of needs a new revision; the planner rolls it out.
struct PoolTemplate {
  PoolId id;
  Revision revision;
  std::vector<PortTemplate> ports;
  std::vector<RouteTemplate> routes;  // most specific host, then longest prefix, wins
  // Requests in progress in one replica; more wait in the front. 0: HAProxy's usual 2000.
  int replica_maxconn = 100;
  int threads = 1;                  // of one replica
  Duration drain_deadline{30'000};  // a draining replica is killed this long after its drain
  std::string access_log_project;   // not empty: JSON access logs to logs/<project>.log
  std::string export_cluster;       // empty: not listed for service discovery
  std::map<std::string, std::string> labels;  // extra labels of its discovery targets
};

// What is wrong with a template, one sentence fragment each; empty if nothing is.
std::vector<std::string> Problems(const PoolTemplate& pool);

// For tests and for proving that a demo's judge can fail. Never set in production.
enum class ProcessFault {
  kNone,
  // Replicas get SIGTERM first and leave the front a second after they have died, and the front
  // neither retries nor redispatches.
  kDrainOrder,
};

struct ProcessFleetOptions {
  std::string haproxy = "haproxy";  // a path, or a name to look up in PATH and the sbin folders
  std::string state_dir;            // absolute; created with mode 0700; one fleet at a time
  std::string bind_address = "127.0.0.1";  // of fronts; replicas are always on 127.0.0.1
  bool exact_ports = false;                // fronts listen on the manifest's ports
  Duration health_interval{500};    // between two looks at a front, and between its health checks
  Duration front_patience{10'000};  // a front that answers nothing for this long is restarted
  Duration command_timeout{1'000};  // of one exchange with a front
  Duration queue_timeout{10'000};   // a request waits this long for a replica, then 503
  int front_threads = 1;
  int front_maxconn = 8'192;
  ProcessFault fault = ProcessFault::kNone;
  // Called from the fleet's thread, with nothing locked, when a replica became ready, died or left.
  // Must not call Stop().
  std::function<void()> on_change;
  // Called from the fleet's thread with one line about something that an operator should see.
  std::function<void(const std::string&)> on_warning;
};

}  // namespace tidegate::adapters
