// The mesh's published Go struct, field for field. Parts that are Kubernetes's own and deep
// (affinity, lifecycle) are checked at their first level.

#include "scheduler/config/gateway_shapes.h"

#include <array>

namespace tidegate::config {
namespace {

using Kind = ShapeKind;

constexpr Shape kEnv[] = {
    {"name", Kind::kText}, {"value", Kind::kText}, {"valueFrom", Kind::kAnyMap}};
constexpr Shape kAffinity[] = {{"nodeAffinity", Kind::kAnyMap},
                               {"podAffinity", Kind::kAnyMap},
                               {"podAntiAffinity", Kind::kAnyMap}};
constexpr Shape kToleration[] = {{"key", Kind::kText},
                                 {"operator", Kind::kText},
                                 {"value", Kind::kText},
                                 {"effect", Kind::kText},
                                 {"tolerationSeconds", Kind::kInt}};
constexpr Shape kSecretVolume[] = {
    {"name", Kind::kText}, {"secretName", Kind::kText}, {"mountPath", Kind::kText}};
constexpr Shape kConfigVolume[] = {
    {"name", Kind::kText}, {"configMapName", Kind::kText}, {"mountPath", Kind::kText}};
constexpr Shape kKernel[] = {{"enabled", Kind::kBool}, {"parameters", Kind::kTextMap}};
constexpr Shape kGzip[] = {{"memory_level", Kind::kInt},
                           {"compression_level", Kind::kText},
                           {"compression_strategy", Kind::kText},
                           {"window_bits", Kind::kInt},
                           {"chunk_size", Kind::kInt}};
constexpr Shape kCompression[] = {{"enabled", Kind::kBool},
                                  {"min_content_length", Kind::kInt},
                                  {"content_type", Kind::kTextList},
                                  {"disable_on_etag_header", Kind::kBool},
                                  {"remove_accept_encoding_header", Kind::kBool},
                                  {"gzip", Kind::kObject, kGzip}};
constexpr Shape kLifecycle[] = {{"postStart", Kind::kAnyMap}, {"preStop", Kind::kAnyMap}};
constexpr Shape kReadinessProbe[] = {{"failureThreshold", Kind::kInt},
                                     {"periodSeconds", Kind::kInt},
                                     {"successThreshold", Kind::kInt}};
constexpr Shape kUtilization[] = {{"targetAverageUtilization", Kind::kInt}};
constexpr Shape kServicePort[] = {{"name", Kind::kText},     {"port", Kind::kInt},
                                  {"protocol", Kind::kText}, {"targetPort", Kind::kIntOrText},
                                  {"nodePort", Kind::kInt},  {"appProtocol", Kind::kText}};

constexpr std::array<Shape, 14> kTemplate{{{"sds", Kind::kAnyMap},
                                           {"env", Kind::kObjectList, kEnv},
                                           {"nodeSelector", Kind::kTextMap},
                                           {"applicationPorts", Kind::kText},
                                           {"requestedNetworkView", Kind::kText},
                                           {"affinity", Kind::kObject, kAffinity},
                                           {"tolerations", Kind::kObjectList, kToleration},
                                           {"secretVolumes", Kind::kObjectList, kSecretVolume},
                                           {"configVolumes", Kind::kObjectList, kConfigVolume},
                                           {"kernel", Kind::kObject, kKernel},
                                           {"compression", Kind::kObject, kCompression},
                                           {"lifecycle", Kind::kObject, kLifecycle},
                                           {"readinessProbe", Kind::kObject, kReadinessProbe},
                                           {"disableContainerPortExposed", Kind::kBool}}};

constexpr std::array<Shape, 9> kOther{{{"autoscaleEnabled", Kind::kBool},
                                       {"loadBalancerClass", Kind::kText},
                                       {"loadBalancerIP", Kind::kText},
                                       {"serviceAnnotations", Kind::kTextMap},
                                       {"serviceLabels", Kind::kTextMap},
                                       {"meshExpansionPorts", Kind::kObjectList, kServicePort},
                                       {"cpu", Kind::kObject, kUtilization},
                                       {"memory", Kind::kObject, kUtilization},
                                       {"autoCreateGatewayYaml", Kind::kBool}}};

}  // namespace

std::span<const Shape> TemplateShapes() { return kTemplate; }
std::span<const Shape> OtherShapes() { return kOther; }

}  // namespace tidegate::config
