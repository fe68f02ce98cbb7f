#pragma once

#include <memory>
#include <optional>
#include <string>

#include "scheduler/config/problem.h"
#include "scheduler/config/yaml_tree.h"

namespace tidegate::sim {

struct YamlFile {
  std::shared_ptr<const std::string> file;  // its name, for problems
  config::Node node;
};

// The only document of a file; `what` it should be goes into problems: "of kind Scenario". Bounded
// as manifests are. Nothing after a problem.
std::optional<YamlFile> ReadOneDocument(const std::string& path, const std::string& what,
                                        config::Problems& problems);

}  // namespace tidegate::sim
