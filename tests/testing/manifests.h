#pragma once

#include <string>
#include <vector>

#include "scheduler/config/compile.h"
#include "scheduler/config/load.h"

namespace tidegate::testing {

// The manifest of a managed gateway with all fields that its documentation uses.
const std::string& DocumentedGateway();

// A gateway "edge" in "istio-system" with one HTTP port; `spec` holds more lines of its spec, each
// indented by two spaces.
std::string GatewayManifest(const std::string& spec);
// A scaler of "edge" for at most 10 replicas; `spec` as above.
std::string ScalerManifest(const std::string& spec);
// A daemon's configuration; `spec` as above.
std::string DaemonManifest(const std::string& spec);

// The problems with a text that is called "m.yaml", one a line.
std::string ProblemsOf(const std::string& text);
// Those of Compile.
std::string CompileProblemsOf(const std::string& text);
// What a text compiles to; fails the test where it has problems.
config::CompiledConfig CompiledText(const std::string& text);

}  // namespace tidegate::testing
