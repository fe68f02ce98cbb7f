#include "sim/runner/yaml_file.h"

#include <cstddef>
#include <fstream>
#include <utility>

#include "scheduler/config/load.h"

namespace tidegate::sim {

std::optional<YamlFile> ReadOneDocument(const std::string& path, const std::string& what,
                                        config::Problems& problems) {
  const config::LoadLimits limits;
  std::ifstream in(path, std::ios::binary);
  std::string text(limits.file_bytes + 1, '\0');
  if (!in || !in.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    problems.Add({path, 0, 0, "", in ? "larger than such a file may be" : "can't be read"});
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  YamlFile read{.file = std::make_shared<const std::string>(path), .node = {}};
  config::LoadBudget budget{limits.documents, limits.total_bytes};
  auto documents = config::ParseYaml(text, read.file, limits, budget, problems);
  if (documents.size() == 1) {
    read.node = std::move(documents[0]);
    return read;
  }
  if (problems.empty())
    problems.Add({path, 0, 0, "", "expected one document " + what + " in the file"});
  return std::nullopt;
}

}  // namespace tidegate::sim
