#include "tests/testing/manifests.h"

#include <utility>

#include "policies/base/check.h"

namespace tidegate::testing {

const std::string& DocumentedGateway() {
  static const std::string text = R"(apiVersion: istio.alibabacloud.com/v1beta1
kind: IstioGateway
metadata:
  name: ingressgateway
  namespace: istio-system
  annotations:
    asm.alibabacloud.com/managed-by-asm: 'true'
    asm.alibabacloud.com/export-metrics: 'c1a2b3'            # optional
    asm.alibabacloud.com/aliyun-logs-project: 'mesh-log-1'   # optional
spec:
  gatewayType: ingress
  dnsPolicy: ClusterFirst
  externalTrafficPolicy: Local
  hostNetwork: false
  ports:
    - {name: http, port: 80, protocol: TCP, targetPort: 80}
    - {name: https, port: 443, protocol: TCP, targetPort: 443}
  replicaCount: 1
  resources:
    limits: {cpu: '2', memory: 2G}
    requests: {cpu: 200m, memory: 256Mi}
  rollingMaxSurge: 100%
  rollingMaxUnavailable: 25%
  runAsRoot: true
  serviceType: LoadBalancer
)";
  return text;
}

std::string GatewayManifest(const std::string& spec) {
  return R"(apiVersion: istio.alibabacloud.com/v1beta1
kind: IstioGateway
metadata: {name: edge, namespace: istio-system}
spec:
  ports: [{name: http, port: 80}]
)" + spec;
}

std::string ScalerManifest(const std::string& spec) {
  return R"(apiVersion: tidegate.dev/v1alpha1
kind: GatewayScaler
metadata: {name: edge, namespace: istio-system}
spec:
  scaleTargetRef: {kind: IstioGateway, name: edge}
  maxReplicas: 10
  signals: [{name: requests, preset: haproxy, target: {perReplica: 100}}]
)" + spec;
}

std::string DaemonManifest(const std::string& spec) {
  return R"(apiVersion: tidegate.dev/v1alpha1
kind: TidegateConfig
spec:
  manifests: [pools]
)" + spec;
}

std::string ProblemsOf(const std::string& text) {
  return config::LoadText(text, "m.yaml", {}).problems.text();
}

std::string CompileProblemsOf(const std::string& text) {
  return config::Compile(config::LoadText(text, "m.yaml", {})).problems.text();
}

config::CompiledConfig CompiledText(const std::string& text) {
  config::Compiled compiled = config::Compile(config::LoadText(text, "m.yaml", {}));
  TIDEGATE_CHECK(compiled.problems.empty(), compiled.problems.text());
  return std::move(compiled.config);
}

}  // namespace tidegate::testing
