#include "scheduler/config/istio_gateway.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "scheduler/config/gateway_shapes.h"
#include "scheduler/config/manifests.h"
#include "scheduler/config/metadata.h"

namespace tidegate::config {
namespace {

constexpr std::size_t kMostPorts = 64;
constexpr std::size_t kMostClusters = 1'000;
constexpr std::size_t kLongestLabel = 63;
constexpr IntRange kReplicaRange{0, kMaxReplicas, "a number of replicas"};
constexpr IntRange kPortRange{1, 65'535, "a port"};

constexpr std::array<std::string_view, 3> kGatewayTypes{"ingress", "egress", "cross-network"};
constexpr std::array<std::string_view, 3> kServiceTypes{"ClusterIP", "NodePort", "LoadBalancer"};
constexpr std::array<std::string_view, 2> kTrafficPolicies{"Cluster", "Local"};
constexpr std::array<std::string_view, 4> kDnsPolicies{"ClusterFirst", "ClusterFirstWithHostNet",
                                                       "Default", "None"};
constexpr std::array<std::string_view, 3> kProtocols{"TCP", "UDP", "SCTP"};
constexpr std::array<std::string_view, 2> kTruths{"false", "true"};

constexpr std::string_view kAsmPrefix = "asm.alibabacloud.com/";
constexpr std::array<std::string_view, 7> kAsmAnnotations{
    kManagedByAsmAnnotation,
    kExportMetricsAnnotation,
    kLogsProjectAnnotation,
    kReplicasManagedByAsmAnnotation,
    "asm.alibabacloud.com/aliyun-logtail-config",
    "asm.alibabacloud.com/aliyun-logs-machinegroup",
    "asm.alibabacloud.com/enable-canary-deployment"};

// Accepted-field remarks.
constexpr char kTemplateRemark[] = "no effect but that a change replaces the replicas";
constexpr char kNoEffectRemark[] = "no effect on a pool run on this machine";
constexpr char kClusterRemark[] = "no effect: it speaks of gateways inside clusters";
constexpr char kPlainPortRemark[] =
    "speaks plain HTTP in a pool run on this machine: no TLS is terminated there";
constexpr char kHpaRemark[] = "no effect: the mesh's own autoscaler doesn't act here";

bool IsFileName(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kLongestLabel && alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

void ReadTargetPort(Fields& fields, GatewayPort* port) {
  port->target_port = port->port;
  const auto value = fields.Get("targetPort");
  if (!value) return;
  const Node& node = value->node();
  const bool name =
      node.kind == Node::Kind::kScalar && node.text.size() <= 15 &&
      std::any_of(node.text.begin(), node.text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (name) {
    port->target_port = 0;
    if (CheckName(*value, node.text)) port->target_port_name = node.text;
  } else if (const auto number = value->Integer(kPortRange)) {
    port->target_port = static_cast<int>(*number);
  }
}

GatewayPort ReadPort(const Value& value, bool name_needed) {
  GatewayPort port;
  Fields fields(value);
  const auto name = name_needed ? fields.Need("name") : fields.Get("name");
  if (name) {
    const auto text = name->Text();
    if (text && CheckName(*name, *text)) port.name = *text;
  }
  if (const auto number = fields.Need("port")) {
    port.port = static_cast<int>(number->Integer(kPortRange).value_or(0));
  }
  std::size_t protocol = 0;
  fields.Choice("protocol", kProtocols, &protocol);
  port.protocol = kProtocols[protocol];
  ReadTargetPort(fields, &port);
  fields.OptionalInt("nodePort", kPortRange, &port.node_port);
  fields.Text("appProtocol", &port.app_protocol);
  fields.Finish();
  return port;
}

void ReadPorts(Fields& fields, std::vector<GatewayPort>* ports) {
  const auto value = fields.Get("ports");
  if (!value) return;
  const auto items = value->Items(kMostPorts);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(value->context(), items[i], Path(value->path(), i));
    GatewayPort port = ReadPort(item, items.size() > 1);
    for (std::size_t j = 0; j < ports->size(); ++j) {
      const GatewayPort& other = (*ports)[j];
      if (!port.name.empty() && other.name == port.name) {
        item.Complain(fmt::format("the name {} is that of ports[{}] too", port.name, j));
      }
      if (port.port != 0 && other.port == port.port && other.protocol == port.protocol) {
        item.Complain(fmt::format("port {} is that of ports[{}] too", port.port, j));
      }
    }
    ports->push_back(std::move(port));
  }
}

void ReadAmounts(Fields& fields, std::string_view key, std::map<std::string, Quantity>* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  if (value->node().kind != Node::Kind::kMap) return value->Expect("a map of quantities");
  for (std::size_t i = 0; i < value->node().items.size(); ++i) {
    const std::string& name = value->node().keys[i].text;
    const Value item(value->context(), value->node().items[i], Path(value->path(), name));
    if (const auto amount = item.Amount()) (*out)[name] = *amount;
  }
}

void ReadResources(Fields& fields, Resources* resources) {
  const auto value = fields.Get("resources");
  if (!value) return;
  Fields parts(*value);
  ReadAmounts(parts, "requests", &resources->requests);
  ReadAmounts(parts, "limits", &resources->limits);
  (void)parts.Get("claims");
  parts.Finish();
  for (const auto& [name, request] : resources->requests) {
    const auto limit = resources->limits.find(name);
    if (limit == resources->limits.end() || request.value() <= limit->second.value()) continue;
    value->Complain(fmt::format("requests.{} ({}) is more than limits.{} ({})",
                                Printable(name, kLongestLabel), ToString(request),
                                Printable(name, kLongestLabel), ToString(limit->second)));
  }
}

void ReadBudgets(Fields& fields, IstioGateway* gateway) {
  if (const auto value = fields.Get("rollingMaxSurge")) {
    gateway->rolling_max_surge = value->Budget().value_or(gateway->rolling_max_surge);
  }
  const auto value = fields.Get("rollingMaxUnavailable");
  const auto unavailable = value ? value->Budget() : std::nullopt;
  if (!unavailable) return;
  if (unavailable->percent && unavailable->value > 100) {
    return value->Expect("a count or at most 100%");
  }
  gateway->rolling_max_unavailable = *unavailable;
}

void ReadCounts(Fields& fields, IstioGateway* gateway) {
  fields.Int("replicaCount", kReplicaRange, &gateway->replica_count);
  fields.OptionalInt("minReplicas", kReplicaRange, &gateway->min_replicas);
  fields.OptionalInt("maxReplicas", kReplicaRange, &gateway->max_replicas);
  const auto min = fields.Get("minReplicas");
  if (!min) return;
  gateway->min_replicas_at = min->at();
  if (gateway->min_replicas && gateway->max_replicas &&
      *gateway->min_replicas > *gateway->max_replicas) {
    min->Complain(fmt::format("{} is more than maxReplicas ({})", *gateway->min_replicas,
                              *gateway->max_replicas));
  }
}

void ReadTexts(Fields& fields, std::string_view key, std::map<std::string, std::string>* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  if (auto texts = value->TextMap()) *out = *std::move(texts);
}

void ReadShapes(Fields& fields, IstioGateway* gateway) {
  for (const Shape& shape : TemplateShapes()) {
    const auto value = fields.Get(shape.name);
    if (!value) continue;
    CheckShape(*value, shape);
    if (IsEmpty(value->node())) continue;
    gateway->template_fields.push_back(
        fmt::format("{}={}", shape.name, CanonicalText(value->node())));
  }
  std::sort(gateway->template_fields.begin(), gateway->template_fields.end());
  for (const Shape& shape : OtherShapes()) {
    if (const auto value = fields.Get(shape.name)) CheckShape(*value, shape);
  }
}

// What GatewaySpec and each of its per-cluster overrides have in common.
void ReadBasic(Fields& fields, IstioGateway* gateway) {
  ReadCounts(fields, gateway);
  ReadBudgets(fields, gateway);
  ReadPorts(fields, &gateway->ports);
  ReadResources(fields, &gateway->resources);
  fields.Choice("serviceType", kServiceTypes, &gateway->service_type);
  std::size_t choice = 0;
  fields.Choice("externalTrafficPolicy", kTrafficPolicies, &choice);
  gateway->external_traffic_policy = kTrafficPolicies[choice];
  choice = 0;
  fields.Choice("dnsPolicy", kDnsPolicies, &choice);
  gateway->dns_policy = kDnsPolicies[choice];
  fields.Bool("hostNetwork", &gateway->host_network);
  fields.Bool("runAsRoot", &gateway->run_as_root);
  ReadTexts(fields, "podLabels", &gateway->pod_labels);
  ReadTexts(fields, "podAnnotations", &gateway->pod_annotations);
  ReadShapes(fields, gateway);
  fields.Hint("autoscaleMin", "minReplicas");
  fields.Hint("autoscaleMax", "maxReplicas");
  fields.Hint("replicas", "replicaCount");
  fields.Hint("maxSurge", "rollingMaxSurge");
  fields.Hint("maxUnavailable", "rollingMaxUnavailable");
}

void ReadClusters(Fields& fields, IstioGateway* gateway) {
  if (const auto value = fields.Get("clusterIds")) {
    const auto items = value->Items(kMostClusters);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item(value->context(), items[i], Path(value->path(), i));
      if (const auto text = item.Text()) gateway->cluster_ids.push_back(*text);
    }
  }
  const auto overrides = fields.Get("overrides");
  if (!overrides) return;
  if (overrides->node().kind != Node::Kind::kMap) return overrides->Expect("a map by cluster id");
  for (std::size_t i = 0; i < overrides->node().items.size(); ++i) {
    const Value item(overrides->context(), overrides->node().items[i],
                     Path(overrides->path(), overrides->node().keys[i].text));
    if (item.node().kind == Node::Kind::kNull) continue;
    IstioGateway checked_only;
    Fields basic(item);
    ReadBasic(basic, &checked_only);
    basic.Finish();
  }
}

const char* RemarkFor(std::string_view field) {
  static constexpr std::array<std::string_view, 4> kActedOn{"replicaCount", "rollingMaxSurge",
                                                            "rollingMaxUnavailable", "ports"};
  static constexpr std::array<std::string_view, 6> kInTemplate{
      "resources", "podLabels", "podAnnotations", "hostNetwork", "runAsRoot", "dnsPolicy"};
  static constexpr std::array<std::string_view, 5> kHpa{"autoscaleEnabled", "minReplicas",
                                                        "maxReplicas", "cpu", "memory"};
  const auto among = [field](const auto& names) {
    return std::find(names.begin(), names.end(), field) != names.end();
  };
  if (among(kInTemplate)) return kTemplateRemark;
  if (among(kHpa)) return kHpaRemark;
  if (field == "clusterIds" || field == "overrides") return kClusterRemark;
  for (const Shape& shape : TemplateShapes()) {
    if (shape.name == field) return kTemplateRemark;
  }
  return among(kActedOn) ? nullptr : kNoEffectRemark;
}

void ListAccepted(const Value& spec, IstioGateway* gateway) {
  for (std::size_t i = 0; i < spec.node().keys.size(); ++i) {
    const std::string& key = spec.node().keys[i].text;
    const char* const remark = RemarkFor(key);
    if (remark == nullptr || IsEmpty(spec.node().items[i])) continue;
    gateway->accepted.push_back({Path(spec.path(), key).text(), remark});
  }
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// By what Istio goes by: appProtocol, else the name up to the first '-'; or the well-known number.
bool IsTlsPort(const GatewayPort& port) {
  static constexpr std::array<std::string_view, 2> kTlsProtocols{"https", "tls"};
  const std::string_view name = std::string_view(port.name).substr(0, port.name.find('-'));
  const std::string_view protocol = port.app_protocol.empty() ? name : port.app_protocol;
  return port.port == 443 ||
         std::any_of(kTlsProtocols.begin(), kTlsProtocols.end(),
                     [&](std::string_view tls) { return EqualsIgnoringCase(protocol, tls); });
}

void WarnOfTlsPorts(const Value& spec, IstioGateway* gateway) {
  const Path ports(spec.path(), "ports");
  for (std::size_t i = 0; i < gateway->ports.size(); ++i) {
    if (!IsTlsPort(gateway->ports[i])) continue;
    gateway->warnings.push_back({Path(ports, i).text(), kPlainPortRemark});
  }
}

void ReadSpec(Fields& document, IstioGateway* gateway) {
  const auto spec = document.Need("spec");
  if (!spec) return;
  Fields fields(*spec);
  fields.Choice("gatewayType", kGatewayTypes, &gateway->gateway_type);
  ReadClusters(fields, gateway);
  ReadBasic(fields, gateway);
  fields.Finish();
  const bool map = spec->node().kind == Node::Kind::kMap;
  if (map && !fields.Get("ports")) {
    (void)fields.Need("ports");
  } else if (map && fields.Get("ports")->node().items.empty()) {
    fields.Get("ports")->Complain("expected at least one port");
  }
  ListAccepted(*spec, gateway);
  WarnOfTlsPorts(*spec, gateway);
}

std::optional<bool> ReadTruth(const Value& value) {
  const auto choice = value.Choice(kTruths);
  if (!choice) return std::nullopt;
  return *choice == 1;
}

void ReadAnnotation(const Value& value, std::string_view key, IstioGateway* gateway) {
  if (key == kManagedByAsmAnnotation) {
    gateway->managed_by_asm = ReadTruth(value).value_or(false);
  } else if (key == kReplicasManagedByAsmAnnotation) {
    gateway->replicas_managed_by_asm = ReadTruth(value);
  } else if (key == kExportMetricsAnnotation) {
    gateway->export_metrics = value.node().text;
  } else if (key == kLogsProjectAnnotation && IsFileName(value.node().text)) {
    gateway->logs_project = value.node().text;
  } else if (key == kLogsProjectAnnotation && !value.node().text.empty()) {
    value.Expect("a project's name of letters, digits, \"-\", \"_\" and \".\"");
  } else if (key.starts_with(kAsmPrefix)) {
    const auto near = Nearest(key, kAsmAnnotations);
    const bool known = near == key || near.empty();
    gateway->accepted.push_back(
        {value.path().text(),
         known ? kNoEffectRemark : fmt::format("not known; did you mean {}?", near)});
  }
}

// The texts themselves have been checked with the metadata.
void ReadAnnotations(Fields& document, IstioGateway* gateway) {
  const auto metadata = document.Get("metadata");
  if (!metadata || metadata->node().kind != Node::Kind::kMap) return;
  Fields fields(*metadata);
  const auto annotations = fields.Get("annotations");
  if (!annotations || annotations->node().kind != Node::Kind::kMap) return;
  for (std::size_t i = 0; i < annotations->node().items.size(); ++i) {
    const std::string& key = annotations->node().keys[i].text;
    const Value value(annotations->context(), annotations->node().items[i],
                      Path(annotations->path(), key));
    if (gateway->metadata.annotations.contains(key)) ReadAnnotation(value, key, gateway);
  }
}

}  // namespace

const char* Name(GatewayType type) { return kGatewayTypes[static_cast<std::size_t>(type)].data(); }
const char* Name(ServiceType type) { return kServiceTypes[static_cast<std::size_t>(type)].data(); }

IstioGateway ReadIstioGateway(const Value& document) {
  IstioGateway gateway;
  gateway.at = document.at();
  Fields fields(document);
  fields.Text("apiVersion", &gateway.api_version);
  (void)fields.Get("kind");
  (void)fields.Get("status");  // the server's
  ReadMetadata(fields, &gateway.metadata, &gateway.name_at);
  ReadAnnotations(fields, &gateway);
  ReadSpec(fields, &gateway);
  fields.Finish();
  return gateway;
}

}  // namespace tidegate::config
