#include "scheduler/adapters/prometheus/presets.h"

#include <array>

#include <fmt/format.h>

namespace tidegate::adapters {
namespace {

constexpr double kMillis = 0.001;

// Metric names as the gateways export them. istio's series are told apart by the workload that
// reports them
// ("istio-<gateway>"); all others by labels of the scrape's target. Envoy's own connection managers
// (admin, agent) are kept out by their prefix; our HAProxy replicas serve traffic on frontends
// called traffic_<port>.
constexpr std::array<Preset, 7> kPresets{{
    {"envoy",
     R"(envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix!~"admin|agent|stats")",
     R"(envoy_http_downstream_rq_active{envoy_http_conn_manager_prefix!~"admin|agent|stats")",
     R"(envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix!~"admin|agent|stats")",
     kMillis, "", "", ""},
    {"haproxy", R"(haproxy_frontend_http_requests_total{proxy=~"traffic.*")",
     R"(haproxy_frontend_current_sessions{proxy=~"traffic.*")", "", 1, "", "", ""},
    {"ingress-nginx", "nginx_ingress_controller_requests{",
     R"(nginx_ingress_controller_nginx_process_connections{state="active")",
     "nginx_ingress_controller_request_duration_seconds_bucket{", 1, "", "", ""},
    {"istio", R"(istio_requests_total{reporter="source",source_workload=~"istio-.+")",
     R"(envoy_http_downstream_rq_active{envoy_http_conn_manager_prefix!~"admin|agent|stats")",
     R"(istio_request_duration_milliseconds_bucket{reporter="source",source_workload=~"istio-.+")",
     kMillis, "source_workload_namespace", "source_workload", "istio-"},
    {"kong", "kong_http_requests_total{", R"(kong_nginx_connections_total{state="active")",
     "kong_request_latency_ms_bucket{", kMillis, "", "", ""},
    {"nginx", "nginx_http_requests_total{", "nginx_connections_active{", "", 1, "", "", ""},
    {"traefik", R"(traefik_entrypoint_requests_total{entrypoint!="metrics")",
     R"(traefik_entrypoint_open_connections{entrypoint!="metrics")",
     R"(traefik_entrypoint_request_duration_seconds_bucket{entrypoint!="metrics")", 1, "", "", ""},
}};

std::string_view SelectorOf(const Preset& preset, config::SignalMetric metric) {
  switch (metric) {
    case config::SignalMetric::kRequests: return preset.requests;
    case config::SignalMetric::kInflight: return preset.inflight;
    case config::SignalMetric::kLatency: return preset.latency;
  }
  return preset.requests;
}

// Istio's in-flight gauge is Envoy's, whose series carry the labels of the target.
bool UsesWorkloadLabels(const Preset& preset, config::SignalMetric metric) {
  return !preset.gateway_label.empty() && metric != config::SignalMetric::kInflight;
}

std::string Promql(Duration d) { return FormatDuration(d); }

}  // namespace

const Preset* FindPreset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

PresetQuery MakePresetQuery(const Preset& preset, config::SignalMetric metric,
                            const config::PrometheusConfig& config) {
  PresetQuery query;
  const bool workload = UsesWorkloadLabels(preset, metric);
  query.namespace_label = workload ? std::string(preset.namespace_label) : config.labels.ns;
  query.gateway_label = workload ? std::string(preset.gateway_label) : config.labels.gateway;
  query.gateway_prefix = workload ? std::string(preset.gateway_prefix) : "";
  const std::string_view open = SelectorOf(preset, metric);
  const std::string selector =
      workload ? fmt::format("{}}}", open)
               : fmt::format("{}{}{}!=\"\"}}", open, open.ends_with('{') ? "" : ",",
                             query.gateway_label);
  const std::string by = fmt::format("{},{}", query.namespace_label, query.gateway_label);
  const std::string window = Promql(config.window);
  const bool samples = config.mode == config::PrometheusMode::kSamples;
  if (metric == config::SignalMetric::kLatency) {
    query.unit = preset.latency_unit;
    query.promql = fmt::format("histogram_quantile(0.99, sum by ({},le) (rate({}[{}])))", by,
                               selector, window);
  } else if (samples) {
    query.raw_samples = true;
    query.promql = fmt::format("{}[{}]", selector, window);
  } else if (metric == config::SignalMetric::kRequests) {
    query.promql = fmt::format("sum by ({}) (rate({}[{}]))", by, selector, window);
  } else {
    query.promql = fmt::format("sum by ({}) ({})", by, selector);
  }
  return query;
}

std::string RequestsOfPool(const Preset& preset, const PoolId& pool,
                           const config::PrometheusConfig& config) {
  const PresetQuery query = MakePresetQuery(preset, config::SignalMetric::kRequests, config);
  const std::string_view open = preset.requests;
  return fmt::format("{}{}{}=\"{}\",{}=\"{}{}\"}}", open, open.ends_with('{') ? "" : ",",
                     query.namespace_label, pool.ns, query.gateway_label, query.gateway_prefix,
                     pool.name);
}

std::string ExpandPromql(std::string_view promql, const PoolId& pool, Duration window) {
  const std::array<std::pair<std::string_view, std::string>, 3> values{
      {{"{{namespace}}", pool.ns}, {"{{gateway}}", pool.name}, {"{{window}}", Promql(window)}}};
  std::string text(promql);
  for (const auto& [mark, value] : values) {
    for (auto at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

}  // namespace tidegate::adapters
