#include "scheduler/config/compile.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scheduler/config/spec_text.h"

namespace tidegate::config {
namespace {

// FNV-1a: stable across machines and versions, which a revision that outlives the daemon needs.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  return hash;
}

std::string EightDigits(std::string_view text) {
  const std::uint64_t hash = Hash(text);
  return fmt::format("{:08x}", static_cast<std::uint32_t>(hash ^ (hash >> 32)));
}

signals::Measure MeasureOf(const SignalDefinition& signal) {
  if (signal.preset.empty()) return signals::Measure::kOther;
  switch (signal.metric) {
    case SignalMetric::kRequests: return signals::Measure::kRequests;
    case SignalMetric::kInflight: return signals::Measure::kInflight;
    case SignalMetric::kLatency: return signals::Measure::kLatency;
  }
  return signals::Measure::kOther;
}

void ApplyScaler(const GatewayScaler& scaler, decision::PoolSpec* spec, PoolManifest* manifest) {
  spec->scaled = true;
  spec->dry_run = scaler.dry_run;
  spec->policies = scaler.policies;
  spec->capacity = scaler.capacity;
  spec->guards.guarding = GuardingOf(scaler.policies, scaler.has_behavior);
  spec->guards.behavior_written = scaler.has_behavior;
  spec->guards.min = scaler.min_replicas;
  spec->guards.max = scaler.max_replicas;
  spec->guards.behavior = scaler.behavior;
  spec->guards.fallback = scaler.fallback;
  spec->guards.paused = scaler.paused;
  spec->rollout.up = scaler.pace.up;
  spec->rollout.down = scaler.pace.down;
  spec->rollout.progress_deadline = scaler.pace.progress_deadline;
  spec->rollout.backoff_min = scaler.pace.backoff_min;
  spec->rollout.backoff_max = scaler.pace.backoff_max;
  spec->rollout.min_ready = scaler.pace.min_ready;
  for (const SignalDefinition& signal : scaler.signals)
    spec->targets.push_back({signal.name, signal.per_replica, MeasureOf(signal), false});
  MarkEachReplica(spec->policies, spec->targets);
  manifest->signals = scaler.signals;
  for (std::size_t i = 0; i < spec->targets.size(); ++i)
    manifest->signals[i].each_replica = spec->targets[i].each_replica;
  manifest->scaler = scaler.metadata.id.name;
  if (scaler.pace.drain_deadline) manifest->drain_deadline = *scaler.pace.drain_deadline;
}

class Compiler {
 public:
  explicit Compiler(Loaded loaded) : loaded_(std::move(loaded)) {
    result_.problems = std::move(loaded_.problems);
    result_.config.daemon = loaded_.daemon.value_or(DaemonConfig{});
    result_.config.files = loaded_.files;
    result_.config.folders = loaded_.folders;
  }

  Compiled Go() {
    IndexGateways();
    CheckScalerNames();
    IndexScalers();
    if (loaded_.daemon) CheckRoutes();
    if (loaded_.daemon && loaded_.daemon->process.exact_ports) CheckPorts();
    for (const auto& [id, gateway] : gateways_) AddPool(id, *gateway);
    result_.problems.Sort();
    return std::move(result_);
  }

 private:
  void IndexGateways() {
    for (IstioGateway& gateway : loaded_.gateways) {
      if (gateway.metadata.id.name.empty()) continue;
      const auto [at, fresh] = gateways_.emplace(gateway.metadata.id, &gateway);
      if (fresh) continue;
      result_.problems.Add(gateway.name_at, "metadata.name",
                           fmt::format("gateway {} is declared twice; the first is at {}",
                                       ToString(gateway.metadata.id), at->second->name_at.text()));
    }
  }

  void IndexScalers() {
    for (const GatewayScaler& scaler : loaded_.scalers) {
      if (scaler.target.name.empty()) continue;
      const auto gateway = gateways_.find(scaler.target);
      if (gateway == gateways_.end()) {
        result_.problems.Add(scaler.target_at, "spec.scaleTargetRef.name",
                             fmt::format("there is no IstioGateway {}", ToString(scaler.target)));
        continue;
      }
      const auto [at, fresh] = scalers_.emplace(scaler.target, &scaler);
      if (!fresh) {
        result_.problems.Add(scaler.target_at, "spec.scaleTargetRef.name",
                             fmt::format("gateway {} has a scaler already, at {}",
                                         ToString(scaler.target), at->second->name_at.text()));
      }
      if (gateway->second->HasOwnHpa()) {
        result_.problems.Add(
            gateway->second->min_replicas_at, "spec.minReplicas",
            "the mesh's own autoscaler acts where minReplicas < maxReplicas, and GatewayScaler " +
                scaler.metadata.id.name + " would fight it; remove one of them");
      }
      CheckQuota(scaler);
      if (!result_.config.daemon.prometheus && loaded_.daemon) {
        result_.problems.Add(
            scaler.name_at, "spec.signals",
            "signals need a Prometheus: give the TidegateConfig a spec.prometheus");
      }
    }
  }

  void CheckScalerNames() {
    std::map<PoolId, const GatewayScaler*> names;
    for (const GatewayScaler& scaler : loaded_.scalers) {
      const auto [at, fresh] = names.emplace(scaler.metadata.id, &scaler);
      if (fresh || scaler.metadata.id.name.empty()) continue;
      result_.problems.Add(scaler.name_at, "metadata.name",
                           fmt::format("scaler {} is declared twice; the first is at {}",
                                       ToString(scaler.metadata.id), at->second->name_at.text()));
    }
  }

  void CheckQuota(const GatewayScaler& scaler) {
    const auto& quota = result_.config.daemon.process.quota_replicas;
    if (!quota || *quota >= scaler.min_replicas) return;
    result_.problems.Add(scaler.at, "spec.minReplicas",
                         fmt::format("{} is more than the process.quota.replicas ({}) at {}",
                                     scaler.min_replicas, *quota, loaded_.daemon->at.text()));
  }

  void CheckRoutes() {
    const std::vector<Route>& routes = loaded_.daemon->process.routes;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      if (!routes[i].gateway || gateways_.contains(*routes[i].gateway)) continue;
      result_.problems.Add(loaded_.daemon->at, fmt::format("spec.process.routes[{}].gateway", i),
                           "there is no IstioGateway " + ToString(*routes[i].gateway));
    }
  }

  void CheckPorts() {
    std::map<int, const IstioGateway*> owners;
    for (const auto& [id, gateway] : gateways_) {
      for (std::size_t i = 0; i < gateway->ports.size(); ++i) {
        const auto [at, fresh] = owners.emplace(gateway->ports[i].port, gateway);
        if (fresh || at->second == gateway) continue;
        result_.problems.Add(gateway->at, fmt::format("spec.ports[{}].port", i),
                             fmt::format("{} is a port of {} too, and process.exactPorts is on",
                                         at->first, ToString(at->second->metadata.id)));
      }
    }
  }

  void AddPool(const PoolId& id, IstioGateway& gateway) {
    const ProcessConfig& process = result_.config.daemon.process;
    PoolManifest manifest;
    manifest.routes = RoutesOf(result_.config.daemon, id);
    manifest.drain_deadline = process.drain_deadline;
    decision::PoolSpec spec;
    spec.id = id;
    spec.revision = EightDigits(TemplateText(gateway, manifest.routes, process));
    spec.declared = gateway.replica_count;
    spec.guards.min = spec.guards.max = gateway.replica_count;
    spec.rollout.budget = {gateway.rolling_max_surge, gateway.rolling_max_unavailable};
    spec.rollout.quota = process.quota_replicas;
    if (const auto scaler = scalers_.find(id); scaler != scalers_.end()) {
      ApplyScaler(*scaler->second, &spec, &manifest);
    }
    manifest.gateway = std::move(gateway);
    spec.config_version = EightDigits(SpecText(spec, manifest.signals));
    result_.config.pools.push_back(std::move(spec));
    result_.config.manifests.push_back(std::move(manifest));
  }

  Loaded loaded_;
  Compiled result_;
  std::map<PoolId, IstioGateway*> gateways_;  // into loaded_, emptied as the pools are made
  std::map<PoolId, const GatewayScaler*> scalers_;
};

void AppendTexts(std::vector<std::string>& lines, const char* name,
                 const std::map<std::string, std::string>& texts) {
  for (const auto& [key, value] : texts) lines.push_back(fmt::format("{}.{}={}", name, key, value));
}

void AppendAmounts(std::vector<std::string>& lines, const char* name,
                   const std::map<std::string, Quantity>& amounts) {
  for (const auto& [key, value] : amounts)
    lines.push_back(fmt::format("{}.{}={}", name, key, ToString(value)));
}

}  // namespace

const decision::PoolSpec* CompiledConfig::FindSpec(const PoolId& id) const {
  const auto at = std::ranges::lower_bound(pools, id, {}, &decision::PoolSpec::id);
  return at != pools.end() && at->id == id ? &*at : nullptr;
}

const PoolManifest* CompiledConfig::Find(const PoolId& id) const {
  const decision::PoolSpec* spec = FindSpec(id);
  return spec == nullptr ? nullptr : &manifests[static_cast<std::size_t>(spec - pools.data())];
}

std::string CompiledConfig::Version() const {
  std::string text;
  for (const decision::PoolSpec& pool : pools)
    text += ToString(pool.id) + " " + pool.config_version + "\n";
  return EightDigits(text);
}

Compiled Compile(Loaded loaded) { return Compiler(std::move(loaded)).Go(); }

Compiled LoadAndCompile(const std::vector<std::string>& paths, const LoadLimits& limits) {
  return Compile(Load(paths, limits));
}

std::string TemplateText(const IstioGateway& gateway, const std::vector<Route>& routes,
                         const ProcessConfig& process) {
  std::vector<std::string> lines = gateway.template_fields;
  for (const GatewayPort& port : gateway.ports) {
    lines.push_back(fmt::format("port={} {} {} {}{}", port.name, port.protocol, port.port,
                                port.target_port, port.target_port_name));
  }
  for (std::size_t i = 0; i < routes.size(); ++i) {
    lines.push_back(fmt::format("route.{:04}={} {} {} {}", i, routes[i].host, routes[i].prefix,
                                routes[i].upstream_host, routes[i].upstream_port));
  }
  AppendAmounts(lines, "requests", gateway.resources.requests);
  AppendAmounts(lines, "limits", gateway.resources.limits);
  AppendTexts(lines, "podLabels", gateway.pod_labels);
  AppendTexts(lines, "podAnnotations", gateway.pod_annotations);
  lines.push_back("logsProject=" + gateway.logs_project);
  lines.push_back(fmt::format("hostNetwork={} runAsRoot={} dnsPolicy={}", gateway.host_network,
                              gateway.run_as_root, gateway.dns_policy));
  lines.push_back(fmt::format("maxconn={} threads={}", process.replica_max_connections,
                              process.replica_threads));
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace tidegate::config
