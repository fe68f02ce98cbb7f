#include "tests/demo/manifests.h"

#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace tidegate::demo {
namespace {

// A managed gateway as its users write it.
constexpr std::string_view kGateway = R"(apiVersion: istio.alibabacloud.com/v1beta1
kind: IstioGateway
metadata:
  name: ingressgateway
  namespace: istio-system
  annotations:
    asm.alibabacloud.com/managed-by-asm: 'true'
    asm.alibabacloud.com/export-metrics: 'c1a2b3'
{access_logs}spec:
  gatewayType: ingress
  dnsPolicy: ClusterFirst
  externalTrafficPolicy: Local
  hostNetwork: false
  ports:
    - {{name: http, port: 80, protocol: TCP, targetPort: 80}}
    - {{name: https, port: 443, protocol: TCP, targetPort: 443}}
  replicaCount: 2
  resources:
    limits: {{cpu: '2', memory: 2G}}
    requests: {{cpu: 200m, memory: 256Mi}}
  rollingMaxSurge: 100%
  rollingMaxUnavailable: 25%
  runAsRoot: true
  serviceType: LoadBalancer
)";

// 50 requests/s for each replica: with 50 ms a request that is 2.5 of its 6 connections. The window
// before a shrink is short because the whole demo is.
constexpr std::string_view kScaler = R"(apiVersion: tidegate.dev/v1alpha1
kind: GatewayScaler
metadata:
  name: ingressgateway
  namespace: istio-system
spec:
  scaleTargetRef: {kind: IstioGateway, name: ingressgateway}
  minReplicas: 2
  maxReplicas: 12
  signals:
    - {name: requests, preset: haproxy, metric: requests, target: {perReplica: 50}}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      policies: [{type: Percent, value: 400, periodSeconds: 15}]
    scaleDown:
      stabilizationWindowSeconds: 15
      policies: [{type: Percent, value: 100, periodSeconds: 15}]
)";

constexpr std::string_view kDaemon = R"(apiVersion: tidegate.dev/v1alpha1
kind: TidegateConfig
spec:
  tick: 1s
  listen: 127.0.0.1:{daemon}
  stateDir: {dir}/state
  manifests: [{dir}/manifests]
  prometheus:
    url: http://127.0.0.1:{prometheus}
    scrapeInterval: 5s
    timeout: 900ms
  process:
    replica: {{maxconn: 6}}
    drainDeadline: 10s
    routes:
      - {{prefix: /, upstream: '127.0.0.1:{upstream}'}}
)";

// The scrape configuration that the managed gateway's documentation gives, with http_sd_configs in
// the place of kubernetes_sd_configs.
constexpr std::string_view kPrometheus = R"(global:
  scrape_interval: 5s
scrape_configs:
  - job_name: istio-system/managed-envoy
    metrics_path: /stats/prometheus
    scrape_interval: 5s
    http_sd_configs:
      - url: http://127.0.0.1:{daemon}/api/v1/targets
        refresh_interval: 1s
    relabel_configs:
      - source_labels: [__meta_kubernetes_service_label_asm_sync_target]
        action: keep
        regex: .+
      - source_labels: [__meta_kubernetes_endpoint_port_name]
        action: keep
        regex: http-envoy-prom
    metric_relabel_configs:
      - source_labels: [__name__]
        action: drop
        regex: envoy_.*
  - job_name: tidegate
    static_configs:
      - targets: ['127.0.0.1:{daemon}']
)";

constexpr std::string_view kScenario = R"(apiVersion: tidegate.dev/v1alpha1
kind: Scenario
metadata: {{name: demo}}
spec:
  manifests: [{dir}/manifests]
  trace: {trace}
  tick: 1s
  scrapeInterval: 5s
  tail: 30s
  service:
    workersPerReplica: 6
    serviceTimeSeconds: 0.05
    startup: 1s
    drain: 1s
)";

void Write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  const auto next = path.string() + ".new";
  std::ofstream(next, std::ios::binary) << text;
  std::filesystem::rename(next, path);  // whole or not at all: the daemon is reading along
}

void WriteGateway(const std::filesystem::path& dir, const char* access_logs) {
  Write(dir / "manifests" / "gateway.yaml",
        fmt::format(kGateway, fmt::arg("access_logs", access_logs)));
}

}  // namespace

namespace {

std::string Fill(std::string_view text, const std::filesystem::path& dir, const Ports& ports,
                 const std::string& trace) {
  return fmt::format(fmt::runtime(text), fmt::arg("dir", dir.string()), fmt::arg("trace", trace),
                     fmt::arg("daemon", ports.daemon), fmt::arg("prometheus", ports.prometheus),
                     fmt::arg("upstream", ports.upstream));
}

}  // namespace

void WriteConfiguration(const std::filesystem::path& dir, const Ports& ports,
                        const std::string& trace) {
  WriteGateway(dir, "");
  Write(dir / "manifests" / "scaler.yaml", std::string(kScaler));
  Write(dir / "tidegate.yaml", Fill(kDaemon, dir, ports, trace));
  Write(dir / "prometheus.yaml", Fill(kPrometheus, dir, ports, trace));
  Write(dir / "scenario.yaml", Fill(kScenario, dir, ports, trace));
}

void UseSignalsFrom(const std::filesystem::path& dir, Ports ports, int port) {
  ports.prometheus = port;
  Write(dir / "tidegate.yaml", Fill(kDaemon, dir, ports, ""));
}

void SwitchAccessLogsOn(const std::filesystem::path& dir) {
  WriteGateway(dir, "    asm.alibabacloud.com/aliyun-logs-project: 'mesh-log-1'\n");
}

}  // namespace tidegate::demo
