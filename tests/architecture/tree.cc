#include "tests/architecture/tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include <fmt/format.h>

namespace tidegate::architecture {
namespace {

bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool HasWord(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const bool begins = at == 0 || !IsWordByte(line[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == line.size() || !IsWordByte(line[end]))) return true;
  }
  return false;
}

// The first reminder on a line, or "". Spelled in pieces, so that this file does not find itself.
std::string MarkerIn(std::string_view line) {
  static const std::array<std::string, 4> kMarkers = {
      std::string("TO") + "DO", std::string("FIX") + "ME", std::string("X") + "XX",
      std::string("HA") + "CK"};
  for (const std::string& marker : kMarkers) {
    if (HasWord(line, marker)) return marker;
  }
  return "";
}

// Empty, or what is wrong with a source that the build at hand does not have.
std::string CheckUnbuilt(std::string_view path) {
  const bool bench = FolderOf(path) == "tests/bench" && path.ends_with("_bench.cc");
  const bool fuzz = FolderOf(path) == "tests/fuzz" && path.ends_with("_fuzz.cc");
  return bench || fuzz ? "" : "belongs to no target: it is neither compiled nor tested";
}

}  // namespace

std::vector<Violation> CheckTopLevel(const std::vector<SourceFile>& tree,
                                     const std::vector<std::string_view>& folders) {
  std::set<std::string_view> present;
  std::set<std::string_view> documented;
  for (const SourceFile& file : tree) {
    const std::string_view path = file.path;
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos || path.front() == '.') continue;
    present.insert(path.substr(0, slash));
    if (path.substr(slash) == "/README.md") documented.insert(path.substr(0, slash));
  }
  std::vector<Violation> violations;
  for (const std::string_view folder : present) {
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      violations.push_back({std::string(folder), 0, "not a top-level folder of the design"});
    }
  }
  for (const std::string_view folder : folders) {
    if (!documented.contains(folder)) {
      violations.push_back({fmt::format("{}/README.md", folder), 0, "missing"});
    }
  }
  return violations;
}

std::vector<Violation> CheckEverySourceIsBuilt(const std::vector<SourceFile>& tree,
                                               const std::vector<std::string>& compiled) {
  std::vector<Violation> violations;
  for (const SourceFile& file : tree) {
    if (!IsSource(file.path)) continue;
    if (std::binary_search(compiled.begin(), compiled.end(), file.path)) continue;
    std::string message = CheckUnbuilt(file.path);
    if (!message.empty()) violations.push_back({file.path, 0, std::move(message)});
  }
  return violations;
}

std::vector<Violation> CheckMarkers(const SourceFile& file) {
  std::vector<Violation> violations;
  int number = 0;
  for (const std::string_view line : Lines(file.text)) {
    ++number;
    const std::string marker = MarkerIn(line);
    if (marker.empty()) continue;
    violations.push_back({file.path, number, fmt::format("{}: do it or leave it", marker)});
  }
  return violations;
}

std::vector<Violation> CheckGuards(const SourceFile& file) {
  if (!IsHeader(file.path)) return {};
  const std::string code = StripComments(file.text, Literals::kBlank);
  const std::size_t first = code.find_first_not_of(" \n");
  if (std::string_view(code).substr(std::min(first, code.size())).starts_with("#pragma once")) {
    return {};
  }
  return {{file.path, 1, "a header begins with #pragma once"}};
}

}  // namespace tidegate::architecture
