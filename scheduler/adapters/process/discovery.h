#pragma once

#include <map>
#include <string>
#include <vector>

#include "policies/base/units.h"

namespace tidegate::adapters {

// One replica that Prometheus should scrape.
struct ScrapeTarget {
  PoolId pool;
  std::string replica;
  std::string address;         // "127.0.0.1:34567"
  std::string export_cluster;  // the value of the pool's export-metrics annotation
  std::map<std::string, std::string> labels;
};

// The target's labels: `namespace`, `gateway`, `replica` and `pod` (the same), those of the
// template, and the
// __meta_kubernetes_* ones that the documented scrape configuration of managed gateways keeps and
// relabels by (service label asm_sync_target, port name http-envoy-prom), so that it works with
// http_sd_configs in place of kubernetes_sd_configs.
std::map<std::string, std::string> TargetLabels(const ScrapeTarget& target);

// The body that Prometheus expects of an HTTP service discovery endpoint.
std::string TargetsToJson(const std::vector<ScrapeTarget>& targets);

}  // namespace tidegate::adapters
