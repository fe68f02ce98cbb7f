// The Indexed Job that is shipped, against the fields that batch/v1 Job and core/v1 have as of
// Kubernetes 1.30 (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/):
// an API server refuses what it doesn't know, and so does this test. Whole levels are listed, so
// that a change of the manifest is checked too; what it has no use for is not looked into.

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/config/fields.h"
#include "scheduler/config/shape.h"
#include "scheduler/config/yaml_tree.h"
#include "sim/runner/shard.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using config::Node;
using config::Shape;
using config::ShapeKind;
using ::testing::HasSubstr;

constexpr Shape kMetadata[] = {{"name", ShapeKind::kText},
                               {"generateName", ShapeKind::kText},
                               {"namespace", ShapeKind::kText},
                               {"labels", ShapeKind::kTextMap},
                               {"annotations", ShapeKind::kTextMap}};

constexpr Shape kExitCodes[] = {{"containerName", ShapeKind::kText},
                                {"operator", ShapeKind::kText},
                                {"values", ShapeKind::kAnyList}};
constexpr Shape kConditions[] = {{"type", ShapeKind::kText}, {"status", ShapeKind::kText}};
constexpr Shape kRules[] = {{"action", ShapeKind::kText},
                            {"onExitCodes", ShapeKind::kObject, kExitCodes},
                            {"onPodConditions", ShapeKind::kObjectList, kConditions}};
constexpr Shape kFailurePolicy[] = {{"rules", ShapeKind::kObjectList, kRules}};

constexpr Shape kSeccomp[] = {{"type", ShapeKind::kText}, {"localhostProfile", ShapeKind::kText}};
constexpr Shape kCapabilities[] = {{"add", ShapeKind::kTextList}, {"drop", ShapeKind::kTextList}};
constexpr Shape kPodSecurity[] = {{"fsGroup", ShapeKind::kInt},
                                  {"fsGroupChangePolicy", ShapeKind::kText},
                                  {"runAsGroup", ShapeKind::kInt},
                                  {"runAsNonRoot", ShapeKind::kBool},
                                  {"runAsUser", ShapeKind::kInt},
                                  {"seLinuxOptions", ShapeKind::kAnyMap},
                                  {"seccompProfile", ShapeKind::kObject, kSeccomp},
                                  {"supplementalGroups", ShapeKind::kAnyList},
                                  {"sysctls", ShapeKind::kAnyList},
                                  {"windowsOptions", ShapeKind::kAnyMap}};
constexpr Shape kContainerSecurity[] = {{"allowPrivilegeEscalation", ShapeKind::kBool},
                                        {"appArmorProfile", ShapeKind::kAnyMap},
                                        {"capabilities", ShapeKind::kObject, kCapabilities},
                                        {"privileged", ShapeKind::kBool},
                                        {"procMount", ShapeKind::kText},
                                        {"readOnlyRootFilesystem", ShapeKind::kBool},
                                        {"runAsGroup", ShapeKind::kInt},
                                        {"runAsNonRoot", ShapeKind::kBool},
                                        {"runAsUser", ShapeKind::kInt},
                                        {"seLinuxOptions", ShapeKind::kAnyMap},
                                        {"seccompProfile", ShapeKind::kObject, kSeccomp},
                                        {"windowsOptions", ShapeKind::kAnyMap}};

constexpr Shape kAmounts[] = {{"cpu", ShapeKind::kAmount},
                              {"memory", ShapeKind::kAmount},
                              {"ephemeral-storage", ShapeKind::kAmount}};
constexpr Shape kResources[] = {{"claims", ShapeKind::kAnyList},
                                {"limits", ShapeKind::kObject, kAmounts},
                                {"requests", ShapeKind::kObject, kAmounts}};
constexpr Shape kEnv[] = {
    {"name", ShapeKind::kText}, {"value", ShapeKind::kText}, {"valueFrom", ShapeKind::kAnyMap}};
constexpr Shape kMounts[] = {{"mountPath", ShapeKind::kText},
                             {"mountPropagation", ShapeKind::kText},
                             {"name", ShapeKind::kText},
                             {"readOnly", ShapeKind::kBool},
                             {"subPath", ShapeKind::kText},
                             {"subPathExpr", ShapeKind::kText},
                             {"recursiveReadOnly", ShapeKind::kText}};
constexpr Shape kContainers[] = {{"args", ShapeKind::kTextList},
                                 {"command", ShapeKind::kTextList},
                                 {"env", ShapeKind::kObjectList, kEnv},
                                 {"envFrom", ShapeKind::kAnyList},
                                 {"image", ShapeKind::kText},
                                 {"imagePullPolicy", ShapeKind::kText},
                                 {"lifecycle", ShapeKind::kAnyMap},
                                 {"livenessProbe", ShapeKind::kAnyMap},
                                 {"name", ShapeKind::kText},
                                 {"ports", ShapeKind::kAnyList},
                                 {"readinessProbe", ShapeKind::kAnyMap},
                                 {"resizePolicy", ShapeKind::kAnyList},
                                 {"resources", ShapeKind::kObject, kResources},
                                 {"securityContext", ShapeKind::kObject, kContainerSecurity},
                                 {"startupProbe", ShapeKind::kAnyMap},
                                 {"terminationMessagePath", ShapeKind::kText},
                                 {"terminationMessagePolicy", ShapeKind::kText},
                                 {"volumeDevices", ShapeKind::kAnyList},
                                 {"volumeMounts", ShapeKind::kObjectList, kMounts},
                                 {"workingDir", ShapeKind::kText}};

constexpr Shape kClaim[] = {{"claimName", ShapeKind::kText}, {"readOnly", ShapeKind::kBool}};
constexpr Shape kVolumes[] = {
    {"name", ShapeKind::kText},        {"configMap", ShapeKind::kAnyMap},
    {"csi", ShapeKind::kAnyMap},       {"emptyDir", ShapeKind::kAnyMap},
    {"ephemeral", ShapeKind::kAnyMap}, {"hostPath", ShapeKind::kAnyMap},
    {"nfs", ShapeKind::kAnyMap},       {"persistentVolumeClaim", ShapeKind::kObject, kClaim},
    {"projected", ShapeKind::kAnyMap}, {"secret", ShapeKind::kAnyMap}};
constexpr Shape kPodSpec[] = {{"activeDeadlineSeconds", ShapeKind::kInt},
                              {"affinity", ShapeKind::kAnyMap},
                              {"automountServiceAccountToken", ShapeKind::kBool},
                              {"containers", ShapeKind::kObjectList, kContainers},
                              {"enableServiceLinks", ShapeKind::kBool},
                              {"imagePullSecrets", ShapeKind::kAnyList},
                              {"initContainers", ShapeKind::kAnyList},
                              {"nodeSelector", ShapeKind::kTextMap},
                              {"priorityClassName", ShapeKind::kText},
                              {"restartPolicy", ShapeKind::kText},
                              {"schedulerName", ShapeKind::kText},
                              {"securityContext", ShapeKind::kObject, kPodSecurity},
                              {"serviceAccountName", ShapeKind::kText},
                              {"terminationGracePeriodSeconds", ShapeKind::kInt},
                              {"tolerations", ShapeKind::kAnyList},
                              {"topologySpreadConstraints", ShapeKind::kAnyList},
                              {"volumes", ShapeKind::kObjectList, kVolumes}};
constexpr Shape kTemplate[] = {{"metadata", ShapeKind::kObject, kMetadata},
                               {"spec", ShapeKind::kObject, kPodSpec}};
constexpr Shape kJobSpec[] = {{"activeDeadlineSeconds", ShapeKind::kInt},
                              {"backoffLimit", ShapeKind::kInt},
                              {"backoffLimitPerIndex", ShapeKind::kInt},
                              {"completionMode", ShapeKind::kText},
                              {"completions", ShapeKind::kInt},
                              {"managedBy", ShapeKind::kText},
                              {"manualSelector", ShapeKind::kBool},
                              {"maxFailedIndexes", ShapeKind::kInt},
                              {"parallelism", ShapeKind::kInt},
                              {"podFailurePolicy", ShapeKind::kObject, kFailurePolicy},
                              {"podReplacementPolicy", ShapeKind::kText},
                              {"selector", ShapeKind::kAnyMap},
                              {"successPolicy", ShapeKind::kAnyMap},
                              {"suspend", ShapeKind::kBool},
                              {"template", ShapeKind::kObject, kTemplate},
                              {"ttlSecondsAfterFinished", ShapeKind::kInt}};
constexpr Shape kJob[] = {{"apiVersion", ShapeKind::kText},
                          {"kind", ShapeKind::kText},
                          {"metadata", ShapeKind::kObject, kMetadata},
                          {"spec", ShapeKind::kObject, kJobSpec}};
constexpr Shape kRoot = {"", ShapeKind::kObject, kJob};

const Node kNothing;

// "spec.template.spec.containers[0].name"; an empty node where there is nothing.
const Node& At(const Node& node, std::string_view path) {
  if (path.empty()) return node;
  const std::size_t end = std::min(path.find_first_of(".[", 1), path.size());
  const std::string_view step = path.substr(0, end);
  std::string_view rest = path.substr(end);
  if (rest.starts_with('.')) rest.remove_prefix(1);
  if (step.starts_with('[')) {
    const auto index = static_cast<std::size_t>(step[1] - '0');
    return index < node.items.size() ? At(node.items[index], rest) : kNothing;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i].text == step) return At(node.items[i], rest);
  }
  return kNothing;
}

struct Required {
  const char* path;
  std::vector<std::string_view> values;  // allowed; empty: any that is not empty
};

// What must be there, and the values that an API server takes.
const std::vector<Required> kRequired = {
    {"apiVersion", {"batch/v1"}},
    {"kind", {"Job"}},
    {"metadata.name", {}},
    {"spec.completionMode", {"Indexed"}},
    {"spec.completions", {}},
    {"spec.parallelism", {}},
    {"spec.podFailurePolicy.rules[0].action", {"FailJob", "FailIndex", "Ignore", "Count"}},
    {"spec.podFailurePolicy.rules[1].action", {"FailJob", "FailIndex", "Ignore", "Count"}},
    {"spec.podFailurePolicy.rules[1].onExitCodes.operator", {"In", "NotIn"}},
    {"spec.podFailurePolicy.rules[1].onExitCodes.values[0]", {"2"}},
    // A failure policy is refused with any other.
    {"spec.template.spec.restartPolicy", {"Never"}},
    {"spec.template.spec.containers[0].name", {}},
    {"spec.template.spec.containers[0].image", {}},
    {"spec.template.spec.containers[0].command[0]", {"tidesim"}},
    {"spec.template.spec.containers[0].command[1]", {"sweep"}}};

// Everything that an API server, or tidesim in the pods, would refuse.
std::string ProblemsOf(const std::string& text) {
  config::Problems problems;
  const auto file = std::make_shared<const std::string>("indexed_job.yaml");
  const config::LoadLimits limits;
  config::LoadBudget budget{limits.documents, limits.total_bytes};
  const auto documents = config::ParseYaml(text, file, limits, budget, problems);
  if (documents.size() != 1) return problems.text() + "no single document\n";
  const Node& job = documents[0];
  const config::Context context{file, &problems};
  config::CheckShape(config::Value(context, job, config::Path()), kRoot);
  std::string found = problems.text();
  for (const Required& required : kRequired) {
    const std::string& value = At(job, required.path).text;
    const bool good = required.values.empty()
                          ? !value.empty()
                          : std::ranges::find(required.values, value) != required.values.end();
    if (!good) found += std::string(required.path) + ": not as required\n";
  }
  const std::string& completions = At(job, "spec.completions").text;
  const Node& container = At(job, "spec.template.spec.containers[0]");
  if (At(job, "spec.parallelism").text != completions) found += "parallelism is another number\n";
  const std::string& blamed =
      At(job, "spec.podFailurePolicy.rules[1].onExitCodes.containerName").text;
  if (blamed != At(container, "name").text) found += "the failure policy names no container\n";
  std::set<std::string> volumes;
  for (const Node& volume : At(job, "spec.template.spec.volumes").items)
    volumes.insert(At(volume, "name").text);
  for (const Node& mount : At(container, "volumeMounts").items) {
    if (!volumes.contains(At(mount, "name").text)) found += "a mount of no volume\n";
  }
  const std::string& shards = At(container, "env[0].value").text;
  if (At(container, "env[0].name").text != "TIDESIM_SHARDS" || shards != completions)
    found += "TIDESIM_SHARDS is not the number of completions\n";
  return found;
}

std::string Shipped() {
  return testing::ReadFile(TIDEGATE_SOURCE_DIR "/sim/cluster/indexed_job.yaml");
}

TEST(ClusterManifestTest, KubernetesAndTidesimTakeTheIndexedJob) {
  EXPECT_EQ(ProblemsOf(Shipped()), "");
}

TEST(ClusterManifestTest, EachFlawOfAJobIsFound) {
  const std::vector<std::vector<std::string>> flaws = {
      {"completionMode: Indexed", "completionMode: NonIndexed", "completionMode: not as required"},
      {"completionMode:", "completionMod:", "did you mean completionMode?"},
      {"completions: 8", "completions: \"8\"", "spec.completions"},
      {"completions: 8", "completions: 9", "TIDESIM_SHARDS is not"},
      {"value: \"8\"", "value: 8", "env[0].value: expected text"},
      {"parallelism: 8", "parallelism: 4", "parallelism is another"},
      {"restartPolicy: Never", "restartPolicy: Always", "restartPolicy: not as required"},
      {"containerName: tidesim", "containerName: other", "names no container"},
      {"runAsNonRoot: true", "runAsNonRoot: \"yes\"", "runAsNonRoot"},
      {"memory: 512Mi", "memory: 512Mib", "memory"},
      {"mountPath: /sweep", "mountpath: /sweep", "did you mean mountPath?"},
      {"claimName: tidesim", "claim: tidesim", "unknown field"},
      {"- name: sweep\n          persistent", "- name: other\n          persistent", "no volume"},
      {"apiVersion: batch/v1", "apiVersion: batch/v2", "apiVersion: not as required"}};
  for (const auto& flaw : flaws) {
    std::string bad = Shipped();
    const std::size_t at = bad.find(flaw[0]);
    ASSERT_NE(at, std::string::npos) << flaw[0];
    bad.replace(at, flaw[0].size(), flaw[1]);
    EXPECT_THAT(ProblemsOf(bad), HasSubstr(flaw[2])) << flaw[1];
  }
}

TEST(ClusterManifestTest, PodsOfTheJobShareTheSweepOut) {
  for (std::size_t index = 0; index < 8; ++index) {
    const auto shard = ShardFrom([&](const char* name) -> std::optional<std::string> {
      if (std::string_view(name) == "JOB_COMPLETION_INDEX") return std::to_string(index);
      if (std::string_view(name) == "TIDESIM_SHARDS") return "8";
      return std::nullopt;
    });
    ASSERT_TRUE(shard);
    EXPECT_EQ(*shard, (Shard{index, 8}));
  }
}

}  // namespace
}  // namespace tidegate::sim
