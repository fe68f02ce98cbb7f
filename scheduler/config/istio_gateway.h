#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policies/base/int_or_percent.h"
#include "policies/base/units.h"
#include "scheduler/config/problem.h"
#include "scheduler/config/quantity.h"

namespace tidegate::config {

// The annotations that have a meaning for us; all of them stay in Metadata::annotations too.
inline constexpr char kManagedByAsmAnnotation[] = "asm.alibabacloud.com/managed-by-asm";
inline constexpr char kExportMetricsAnnotation[] = "asm.alibabacloud.com/export-metrics";
inline constexpr char kLogsProjectAnnotation[] = "asm.alibabacloud.com/aliyun-logs-project";
inline constexpr char kReplicasManagedByAsmAnnotation[] =
    "asm.alibabacloud.com/replicas-managed-by-asm";

struct Metadata {
  PoolId id;  // namespace ("default" where the manifest has none) and name
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

enum class GatewayType { kIngress, kEgress, kCrossNetwork };
enum class ServiceType { kClusterIp, kNodePort, kLoadBalancer };
const char* Name(GatewayType type);  // "ingress", "egress", "cross-network"
const char* Name(ServiceType type);  // "ClusterIP", "NodePort", "LoadBalancer"

// One port of the gateway's service.
struct GatewayPort {
  std::string name;
  int port = 0;                  // 1 .. 65535
  int target_port = 0;           // 1 .. 65535; as `port` where left out; 0 where it is a name
  std::string target_port_name;  // a container port's name, instead of target_port
  std::string protocol = "TCP";  // TCP, UDP or SCTP
  std::optional<int> node_port;
  std::string app_protocol;
};

struct Resources {
  std::map<std::string, Quantity> requests;  // by resource: cpu in cores, memory in bytes
  std::map<std::string, Quantity> limits;
};

// A field that was accepted and does nothing in a pool that we run ourselves.
struct AcceptedField {
  std::string path;    // "spec.loadBalancerClass"
  std::string remark;  // what becomes of it
};

// A gateway pool as its users declare it: IstioGateway of istio.alibabacloud.com/v1beta1 or v1.
struct IstioGateway {
  std::string api_version;
  Metadata metadata;

  // From the annotations.
  bool managed_by_asm = false;  // a serverless gateway
  std::string export_metrics;   // cluster id that gets the metrics; empty: not exported
  std::string logs_project;     // where JSON access logs go; empty: no access logs
  std::optional<bool> replicas_managed_by_asm;

  GatewayType gateway_type = GatewayType::kIngress;
  std::vector<std::string> cluster_ids;  // empty for serverless gateways
  Replicas replica_count = 1;            // 0 .. kMaxReplicas
  IntOrPercent rolling_max_surge{100, true};
  IntOrPercent rolling_max_unavailable{25, true};  // at most 100 %
  // Bounds of the mesh's own HPA. It acts where min < max, and then nobody else may.
  std::optional<Replicas> min_replicas;
  std::optional<Replicas> max_replicas;
  ServiceType service_type = ServiceType::kLoadBalancer;
  std::string external_traffic_policy = "Cluster";  // or Local
  std::vector<GatewayPort> ports;                   // never empty; names and ports unique
  Resources resources;
  bool host_network = false;
  bool run_as_root = false;
  std::string dns_policy = "ClusterFirst";
  std::map<std::string, std::string> pod_labels;
  std::map<std::string, std::string> pod_annotations;

  // Fields of the replica's template that we keep without acting on them, as "name=canonical text",
  // sorted: a change of one makes a new revision, as it restarts the gateway in the mesh.
  std::vector<std::string> template_fields;
  std::vector<AcceptedField> accepted;  // in the order of the file
  std::vector<AcceptedField> warnings;  // does something else than its name says

  Location at;               // the document
  Location name_at;          // metadata.name
  Location min_replicas_at;  // spec.minReplicas; no file where the manifest has none
  bool HasOwnHpa() const { return min_replicas && max_replicas && *min_replicas < *max_replicas; }
};

}  // namespace tidegate::config
