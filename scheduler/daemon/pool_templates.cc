#include "scheduler/daemon/pool_templates.h"

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace tidegate::daemon {
namespace {

constexpr int kDefaultMaxconn = 100;

// Where Debian and others put it; PATH of a service rarely has /usr/sbin.
Expected<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  for (const std::string_view folder :
       {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}) {
    const std::string path = std::string(folder) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return Fail(ErrorCode::kNotFound,
              name + " is not installed; `apt-get install haproxy`, or set process.haproxy");
}

adapters::PoolTemplate TemplateOf(const decision::PoolSpec& spec,
                                  const config::PoolManifest& manifest,
                                  const config::ProcessConfig& process) {
  adapters::PoolTemplate pool;
  pool.id = spec.id;
  pool.revision = spec.revision;
  for (const config::GatewayPort& port : manifest.gateway.ports) {
    const std::string name = port.name.empty() ? "port-" + std::to_string(port.port) : port.name;
    pool.ports.push_back({name, port.port, port.target_port, port.protocol});
  }
  for (const config::Route& route : manifest.routes) {
    const bool six = route.upstream_host.find(':') != std::string::npos;
    const std::string host = six ? "[" + route.upstream_host + "]" : route.upstream_host;
    pool.routes.push_back(
        {route.prefix, route.host, host + ":" + std::to_string(route.upstream_port)});
  }
  pool.replica_maxconn =
      process.replica_max_connections > 0 ? process.replica_max_connections : kDefaultMaxconn;
  pool.threads = process.replica_threads;
  pool.drain_deadline = manifest.drain_deadline;
  pool.access_log_project = manifest.gateway.logs_project;
  pool.export_cluster = manifest.gateway.export_metrics;
  return pool;
}

}  // namespace

std::vector<adapters::PoolTemplate> PoolTemplates(const config::CompiledConfig& config) {
  std::vector<adapters::PoolTemplate> pools;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    pools.push_back(TemplateOf(config.pools[i], config.manifests[i], config.daemon.process));
  }
  return pools;
}

Expected<adapters::ProcessFleetOptions> FleetOptions(const config::DaemonConfig& config) {
  adapters::ProcessFleetOptions options;
  TIDEGATE_TRY(options.haproxy, FindProgram(config.process.haproxy));
  options.state_dir = std::filesystem::absolute(config.state_dir).lexically_normal().string();
  options.bind_address = config.process.bind;
  options.exact_ports = config.process.exact_ports;
  return options;
}

}  // namespace tidegate::daemon
