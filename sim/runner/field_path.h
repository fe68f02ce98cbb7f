#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/config/load.h"
#include "scheduler/config/yaml_tree.h"
#include "sim/runner/scenario.h"

namespace tidegate::sim {

// A scenario's document and those of its manifests: what fields are changed in.
struct Sources {
  ScenarioDocument scenario;
  std::vector<config::Document> manifests;
};

// The way to a field of a scenario or of its manifests, as people write it:
//
//   scenario.spec.tick
//   gateway.spec.rollingMaxSurge                              of every IstioGateway
//   scaler[shop/edge].spec.minReplicas                        of one GatewayScaler; shop/ may be
//   left out scaler.spec.signals[requests].target.perReplica           the list's item of that name
//   gateway.spec.ports[0].port                                the list's first item
//   gateway.metadata.annotations["asm.alibabacloud.com/x"]    a key that is no plain word
struct FieldPath {
  enum class Root { kScenario, kGateway, kScaler };
  struct Step {
    std::string text;
    bool item = false;  // of a list, by its number or name; else a field of a map
  };
  std::string text;
  Root root = Root::kScenario;
  std::string object;  // name or namespace/name; empty: all
  std::vector<Step> steps;
};

// kInvalid with what was expected and, where something is near, what was meant.
Expected<FieldPath> ParseFieldPath(std::string_view text);

// Puts the value where the path leads; a field that is not there is added, and whether it may be is
// for the document's reader to say. kInvalid where the path leads to no document, item or map.
Expected<void> SetField(const FieldPath& path, const config::Node& value, Sources& sources);

}  // namespace tidegate::sim
