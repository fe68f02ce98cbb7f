#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/load.h"
#include "tests/testing/manifests.h"

namespace tidegate::config {
namespace {

using testing::DocumentedGateway;
using ::testing::ElementsAre;
using testing::GatewayManifest;
using testing::ProblemsOf;

IstioGateway Only(const std::string& text) {
  Loaded loaded = LoadText(text, "m.yaml", {});
  EXPECT_EQ(loaded.problems.text(), "");
  EXPECT_EQ(loaded.gateways.size(), 1U);
  return loaded.gateways.empty() ? IstioGateway{} : loaded.gateways.front();
}

std::vector<std::string> AcceptedPaths(const IstioGateway& gateway) {
  std::vector<std::string> paths;
  for (const AcceptedField& field : gateway.accepted) paths.push_back(field.path);
  return paths;
}

TEST(IstioGatewayTest, ReadsTheDocumentedManifest) {
  const IstioGateway gateway = Only(DocumentedGateway());
  EXPECT_EQ(gateway.api_version, "istio.alibabacloud.com/v1beta1");
  EXPECT_EQ(ToString(gateway.metadata.id), "istio-system/ingressgateway");
  EXPECT_TRUE(gateway.managed_by_asm);
  EXPECT_EQ(gateway.export_metrics, "c1a2b3");
  EXPECT_EQ(gateway.logs_project, "mesh-log-1");
  EXPECT_EQ(gateway.gateway_type, GatewayType::kIngress);
  EXPECT_EQ(gateway.service_type, ServiceType::kLoadBalancer);
  EXPECT_EQ(gateway.external_traffic_policy, "Local");
  EXPECT_EQ(gateway.dns_policy, "ClusterFirst");
  EXPECT_FALSE(gateway.host_network);
  EXPECT_TRUE(gateway.run_as_root);
  EXPECT_EQ(gateway.replica_count, 1);
  EXPECT_EQ(gateway.rolling_max_surge, (IntOrPercent{100, true}));
  EXPECT_EQ(gateway.rolling_max_unavailable, (IntOrPercent{25, true}));
  ASSERT_EQ(gateway.ports.size(), 2U);
  EXPECT_EQ(gateway.ports[1].name, "https");
  EXPECT_EQ(gateway.ports[1].port, 443);
  EXPECT_EQ(gateway.ports[1].target_port, 443);
  EXPECT_EQ(gateway.resources.requests.at("cpu").Milli(), 200);
  EXPECT_EQ(gateway.resources.requests.at("memory").units, 256 << 20);
  EXPECT_EQ(gateway.resources.limits.at("cpu").units, 2);
  EXPECT_EQ(gateway.resources.limits.at("memory").units, 2'000'000'000);
}

TEST(IstioGatewayTest, ListsFieldsWithoutEffectInTheirOrder) {
  const IstioGateway gateway = Only(DocumentedGateway());
  EXPECT_THAT(
      AcceptedPaths(gateway),
      ElementsAre("spec.gatewayType", "spec.dnsPolicy", "spec.externalTrafficPolicy",
                  "spec.hostNetwork", "spec.resources", "spec.runAsRoot", "spec.serviceType"));
}

TEST(IstioGatewayTest, ReadsBothVersions) {
  std::string text = GatewayManifest("");
  text.replace(text.find("v1beta1"), 7, "v1");
  EXPECT_EQ(Only(text).api_version, "istio.alibabacloud.com/v1");
}

TEST(IstioGatewayTest, ToleratesTheEmptyMapsOfLiveObjects) {
  const IstioGateway gateway = Only(GatewayManifest(R"(  compression: {}
  cpu: {}
  memory: {}
  kernel: {parameters: {}}
  readinessProbe: {}
  resources: {}
  serviceAnnotations: {}
  podLabels: {}
  affinity: {}
  env: []
  sds: {}
  overrides: {}
  clusterIds: []
  lifecycle:
  minReplicas: 2
  maxReplicas: 2
status:
  Status: Running
  GatewayAddress: [203.0.113.7]
)"));
  EXPECT_TRUE(gateway.template_fields.empty());
  EXPECT_THAT(AcceptedPaths(gateway), ElementsAre("spec.minReplicas", "spec.maxReplicas"));
  EXPECT_FALSE(gateway.HasOwnHpa());
}

TEST(IstioGatewayTest, ToleratesWhatTheServerAddsToTheMetadata) {
  std::string text = GatewayManifest("");
  const std::string metadata = R"(metadata:
  name: edge
  uid: 1b2c
  resourceVersion: '12'
  generation: 3
  creationTimestamp: 2026-11-27T00:00:00Z
  managedFields: [{manager: kubectl}]
)";
  const auto at = text.find("metadata:");
  text.replace(at, text.find("spec:") - at, metadata);
  EXPECT_EQ(ToString(Only(text).metadata.id), "default/edge");
}

TEST(IstioGatewayTest, ReadsEveryOtherFieldOfTheType) {
  const IstioGateway gateway = Only(GatewayManifest(R"(  autoscaleEnabled: true
  clusterIds: [c1, c2]
  overrides:
    c1: {replicaCount: 3, rollingMaxSurge: 2}
  loadBalancerClass: alb
  loadBalancerIP: 203.0.113.7
  serviceAnnotations: {a: b}
  serviceLabels: {a: b}
  podAnnotations: {a: b}
  podLabels: {tier: edge}
  sds: {enabled: true}
  env: [{name: A, value: '1'}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  meshExpansionPorts: [{name: x, port: 15012, targetPort: 15012}]
  nodeSelector: {zone: a}
  applicationPorts: '80,443'
  requestedNetworkView: a
  affinity: {podAntiAffinity: {x: [y]}}
  tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 3}]
  secretVolumes: [{name: s, secretName: s, mountPath: /s}]
  configVolumes: [{name: c, configMapName: c, mountPath: /c}]
  cpu: {targetAverageUtilization: 80}
  memory: {targetAverageUtilization: 80}
  kernel: {enabled: true, parameters: {net.core.somaxconn: '65535'}}
  compression: {enabled: true, min_content_length: 30, content_type: [text/html], gzip: {window_bits: 12}}
  lifecycle: {preStop: {exec: {command: [sleep, '10']}}}
  readinessProbe: {failureThreshold: 30, periodSeconds: 2, successThreshold: 1}
  autoCreateGatewayYaml: true
  disableContainerPortExposed: false
)"));
  EXPECT_EQ(gateway.cluster_ids, (std::vector<std::string>{"c1", "c2"}));
  EXPECT_EQ(gateway.pod_labels.at("tier"), "edge");
  EXPECT_EQ(gateway.template_fields.size(), 14U);
  EXPECT_EQ(gateway.accepted.size(), 27U);
}

TEST(IstioGatewayTest, ReadsBudgetsInAllThreeForms) {
  const auto surge = [](const std::string& value) {
    return Only(GatewayManifest("  rollingMaxSurge: " + value + "\n")).rolling_max_surge;
  };
  EXPECT_EQ(surge("\"25%\""), (IntOrPercent{25, true}));
  EXPECT_EQ(surge("25%"), (IntOrPercent{25, true}));
  EXPECT_EQ(surge("\"1\""), (IntOrPercent{1, false}));
  EXPECT_EQ(surge("1"), (IntOrPercent{1, false}));
  EXPECT_EQ(surge("250%"), (IntOrPercent{250, true}));
}

TEST(IstioGatewayTest, AllowsBothBudgetsToBeZero) {
  EXPECT_EQ(ProblemsOf(GatewayManifest("  rollingMaxSurge: 0\n  rollingMaxUnavailable: 0%\n")), "");
}

TEST(IstioGatewayTest, TakesAPortNameAsTargetPort) {
  std::string text = GatewayManifest("");
  text.replace(text.find("port: 80"), 8, "port: 80, targetPort: web-in");
  const IstioGateway gateway = Only(text);
  EXPECT_EQ(gateway.ports[0].target_port, 0);
  EXPECT_EQ(gateway.ports[0].target_port_name, "web-in");
}

struct BadSpec {
  const char* name;
  const char* spec;  // more lines of the spec, from line 6 of the manifest
  const char* problems;
};

class BadGatewayTest : public ::testing::TestWithParam<BadSpec> {};

TEST_P(BadGatewayTest, IsRefusedWithAPlaceAndAReason) {
  EXPECT_EQ(ProblemsOf(GatewayManifest(GetParam().spec)), GetParam().problems);
}

INSTANTIATE_TEST_SUITE_P(
    Spec, BadGatewayTest,
    ::testing::Values(
        BadSpec{"UnknownField", "  foo: 1\n", "m.yaml:6:3: spec.foo: unknown field\n"},
        BadSpec{"MisspeltField", "  replicCount: 1\n",
                "m.yaml:6:3: spec.replicCount: unknown field; did you mean replicaCount?\n"},
        BadSpec{"FieldInOtherCase", "  ReplicaCount: 1\n",
                "m.yaml:6:3: spec.ReplicaCount: unknown field; did you mean replicaCount?\n"},
        BadSpec{"NameOfTheIstioChart", "  autoscaleMin: 1\n",
                "m.yaml:6:3: spec.autoscaleMin: unknown field; did you mean minReplicas?\n"},
        BadSpec{"FieldGivenTwice", "  replicaCount: 1\n  replicaCount: 2\n",
                "m.yaml:7:3: spec.replicaCount: given twice; first in line 6\n"},
        BadSpec{"CountInQuotes", "  replicaCount: '1'\n",
                "m.yaml:6:17: spec.replicaCount: expected a number of replicas from 0 to 100000, "
                "got \"1\"\n"},
        BadSpec{"NegativeCount", "  replicaCount: -1\n",
                "m.yaml:6:17: spec.replicaCount: expected a number of replicas from 0 to 100000, "
                "got -1\n"},
        BadSpec{"CountBeyondTheBound", "  replicaCount: 100001\n",
                "m.yaml:6:17: spec.replicaCount: expected a number of replicas from 0 to 100000, "
                "got 100001\n"},
        BadSpec{"FractionOfAReplica", "  replicaCount: 1.5\n",
                "m.yaml:6:17: spec.replicaCount: expected a number of replicas from 0 to 100000, "
                "got 1.5\n"},
        BadSpec{"ListInsteadOfANumber", "  replicaCount: [1]\n",
                "m.yaml:6:17: spec.replicaCount: expected a number of replicas from 0 to 100000, "
                "got a list\n"},
        BadSpec{"BudgetWithASpace", "  rollingMaxSurge: 25 %\n",
                "m.yaml:6:20: spec.rollingMaxSurge: expected a count or a percentage, like 1 or "
                "25%, got 25 %\n"},
        BadSpec{"NegativeBudget", "  rollingMaxSurge: -1\n",
                "m.yaml:6:20: spec.rollingMaxSurge: expected a count or a percentage, like 1 or "
                "25%, got -1\n"},
        BadSpec{"MoreThanAllUnavailable", "  rollingMaxUnavailable: 101%\n",
                "m.yaml:6:26: spec.rollingMaxUnavailable: expected a count or at most 100%, got "
                "101%\n"},
        BadSpec{"MinAboveMax", "  minReplicas: 5\n  maxReplicas: 2\n",
                "m.yaml:6:16: spec.minReplicas: 5 is more than maxReplicas (2)\n"},
        BadSpec{"UnknownServiceType", "  serviceType: Loadbalancer\n",
                "m.yaml:6:16: spec.serviceType: expected ClusterIP, NodePort or LoadBalancer, got "
                "Loadbalancer; did you mean LoadBalancer?\n"},
        BadSpec{"TextForATruth", "  hostNetwork: 'true'\n",
                "m.yaml:6:16: spec.hostNetwork: expected true or false, got \"true\"\n"},
        BadSpec{"YesForATruth", "  hostNetwork: yes\n",
                "m.yaml:6:16: spec.hostNetwork: expected true or false, got yes\n"},
        BadSpec{"NumberForAText", "  podLabels: {version: 1.10}\n",
                "m.yaml:6:24: spec.podLabels.version: expected text, got 1.10; write '1.10' in "
                "quotes\n"},
        BadSpec{"TruthForAText", "  podLabels: {a.b/c: on}\n",
                "m.yaml:6:22: spec.podLabels[\"a.b/c\"]: expected text, got on; write 'on' in "
                "quotes\n"},
        BadSpec{"WrongUnit", "  resources: {limits: {memory: 2GB}}\n",
                "m.yaml:6:32: spec.resources.limits.memory: expected a quantity of 0 or more, like "
                "2, 200m, 1.5, 256Mi or 2G, got 2GB\n"},
        BadSpec{"RequestAboveLimit", "  resources: {limits: {cpu: 1}, requests: {cpu: 1100m}}\n",
                "m.yaml:6:14: spec.resources: requests.cpu (1.1) is more than limits.cpu (1)\n"},
        BadSpec{"UnknownFieldOfAPassedOnPart", "  compression: {gzip: {windowbits: 3}}\n",
                "m.yaml:6:24: spec.compression.gzip.windowbits: unknown field; did you mean "
                "window_bits?\n"},
        BadSpec{"WrongTypeInAPassedOnPart", "  tolerations: [{tolerationSeconds: long}]\n",
                "m.yaml:6:37: spec.tolerations[0].tolerationSeconds: expected a whole number from "
                "-2147483648 to 2147483647, got long\n"},
        BadSpec{"BadOverride", "  overrides: {c1: {replicaCount: x}}\n",
                "m.yaml:6:34: spec.overrides.c1.replicaCount: expected a number of replicas from 0 "
                "to 100000, got x\n"},
        BadSpec{"MergeKey", "  <<: {replicaCount: 1}\n",
                "m.yaml:6:3: spec[\"<<\"]: merge keys are not supported; write the fields out\n"}),
    [](const auto& test) { return test.param.name; });

std::string WithPorts(const std::string& ports) {
  std::string text = GatewayManifest("");
  const std::string from = "[{name: http, port: 80}]";
  return text.replace(text.find(from), from.size(), ports);
}

TEST(GatewayPortsTest, WantAtLeastOne) {
  EXPECT_EQ(ProblemsOf(WithPorts("[]")), "m.yaml:5:10: spec.ports: expected at least one port\n");
}

TEST(GatewayPortsTest, WantNumbersInRange) {
  EXPECT_EQ(ProblemsOf(WithPorts("[{name: a, port: 70000}, {name: b, port: 0}]")),
            "m.yaml:5:27: spec.ports[0].port: expected a port from 1 to 65535, got 70000\n"
            "m.yaml:5:51: spec.ports[1].port: expected a port from 1 to 65535, got 0\n");
}

TEST(GatewayPortsTest, WantDistinctNamesAndNumbers) {
  EXPECT_EQ(ProblemsOf(WithPorts("[{name: a, port: 1}, {name: a, port: 1}]")),
            "m.yaml:5:31: spec.ports[1]: the name a is that of ports[0] too\n"
            "m.yaml:5:31: spec.ports[1]: port 1 is that of ports[0] too\n");
}

TEST(GatewayPortsTest, MayShareANumberBetweenProtocols) {
  EXPECT_EQ(ProblemsOf(WithPorts("[{name: a, port: 1}, {name: b, port: 1, protocol: UDP}]")), "");
}

TEST(GatewayPortsTest, NeedNamesWhereThereAreSeveral) {
  EXPECT_EQ(ProblemsOf(WithPorts("[{port: 1}, {name: b, port: 2}]")),
            "m.yaml:5:11: spec.ports[0].name: is missing and has no default\n");
}

std::string WithAnnotation(const std::string& key, const std::string& value) {
  std::string text = GatewayManifest("");
  const std::string from = "namespace: istio-system}";
  return text.replace(text.find(from), from.size(),
                      "namespace: a, annotations: {" + key + ": " + value + "}}");
}

TEST(GatewayAnnotationsTest, WantTextAsKubernetesDoes) {
  EXPECT_EQ(ProblemsOf(WithAnnotation("asm.alibabacloud.com/managed-by-asm", "true")),
            "m.yaml:3:89: metadata.annotations[\"asm.alibabacloud.com/managed-by-asm\"]: expected "
            "text, got true; write 'true' in quotes\n");
}

TEST(GatewayAnnotationsTest, WantTrueOrFalseForATruth) {
  EXPECT_EQ(ProblemsOf(WithAnnotation("asm.alibabacloud.com/managed-by-asm", "'yes'")),
            "m.yaml:3:89: metadata.annotations[\"asm.alibabacloud.com/managed-by-asm\"]: expected "
            "false or true, got \"yes\"\n");
}

TEST(GatewayAnnotationsTest, KeepTheLogProjectFromLeavingItsFolder) {
  EXPECT_EQ(ProblemsOf(WithAnnotation("asm.alibabacloud.com/aliyun-logs-project", "../../etc")),
            "m.yaml:3:94: metadata.annotations[\"asm.alibabacloud.com/aliyun-logs-project\"]: "
            "expected a project's name of letters, digits, \"-\", \"_\" and \".\", got "
            "../../etc\n");
}

TEST(GatewayAnnotationsTest, PointOutAProbableSlipWithoutRefusingIt) {
  const IstioGateway gateway = Only(WithAnnotation("asm.alibabacloud.com/export-metric", "c1"));
  ASSERT_EQ(gateway.accepted.size(), 1U);
  EXPECT_EQ(gateway.accepted[0].remark,
            "not known; did you mean asm.alibabacloud.com/export-metrics?");
}

TEST(GatewayPortsTest, WarnOfEachPortThatPromisesTls) {
  const IstioGateway gateway = Only(
      "apiVersion: istio.alibabacloud.com/v1beta1\nkind: IstioGateway\n"
      "metadata: {name: edge, namespace: n}\nspec:\n  replicaCount: 1\n  ports:\n"
      "  - {name: http, port: 80}\n"
      "  - {name: https-main, port: 8443}\n"
      "  - {name: main, port: 443}\n"
      "  - {name: httpsome, port: 81}\n"
      "  - {name: other, port: 9000, appProtocol: TLS}\n"
      "  - {name: https-not, port: 9001, appProtocol: http}\n");
  std::vector<std::string> paths;
  for (const AcceptedField& field : gateway.warnings) {
    paths.push_back(field.path);
    EXPECT_THAT(field.remark, ::testing::HasSubstr("plain HTTP"));
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"spec.ports[1]", "spec.ports[2]", "spec.ports[4]"}));
}

TEST(GatewayMetadataTest, WantsKubernetesNames) {
  std::string text = GatewayManifest("");
  text.replace(text.find("edge"), 4, "Edge_1");
  EXPECT_EQ(ProblemsOf(text),
            "m.yaml:3:18: metadata.name: expected a name of lower-case letters, digits and \"-\", "
            "at most 63 characters, got Edge_1\n");
}

TEST(GatewayMetadataTest, WantsAName) {
  std::string text = GatewayManifest("");
  text.replace(text.find("name: edge, "), 12, "");
  EXPECT_EQ(ProblemsOf(text), "m.yaml:3:11: metadata.name: is missing and has no default\n");
}

}  // namespace
}  // namespace tidegate::config
