#include "scheduler/adapters/process/discovery.h"

#include <boost/json.hpp>

namespace tidegate::adapters {
namespace {

// As Prometheus maps Kubernetes label names: "app.kubernetes.io/name" -> "app_kubernetes_io_name".
std::string LabelName(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    result += letter || (digit && !result.empty()) ? c : '_';
  }
  return result;
}

}  // namespace

std::map<std::string, std::string> TargetLabels(const ScrapeTarget& target) {
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] : target.labels) labels[LabelName(name)] = value;
  labels["namespace"] = target.pool.ns;
  labels["gateway"] = target.pool.name;
  labels["replica"] = target.replica;
  labels["pod"] = target.replica;
  const std::string meta = "__meta_kubernetes_";
  labels[meta + "namespace"] = target.pool.ns;
  labels[meta + "service_name"] = target.pool.name;
  labels[meta + "service_label_asm_sync_target"] = target.export_cluster;
  labels[meta + "service_labelpresent_asm_sync_target"] = "true";
  labels[meta + "endpoints_name"] = target.pool.name;
  labels[meta + "endpoint_port_name"] = "http-envoy-prom";
  labels[meta + "endpoint_port_protocol"] = "TCP";
  labels[meta + "endpoint_ready"] = "true";
  labels[meta + "endpoint_address_target_kind"] = "Pod";
  labels[meta + "endpoint_address_target_name"] = target.replica;
  labels[meta + "pod_name"] = target.replica;
  labels[meta + "pod_container_port_name"] = "http-envoy-prom";
  return labels;
}

std::string TargetsToJson(const std::vector<ScrapeTarget>& targets) {
  namespace json = boost::json;
  json::array groups;
  for (const ScrapeTarget& target : targets) {
    json::object labels;
    for (const auto& [name, value] : TargetLabels(target)) labels[name] = value;
    groups.push_back(
        json::object{{"targets", json::array{target.address}}, {"labels", std::move(labels)}});
  }
  return json::serialize(groups);
}

}  // namespace tidegate::adapters
