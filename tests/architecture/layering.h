#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/source_text.h"

namespace tidegate::architecture {

// What the files of one folder (and of folders below it that have no row of their own) may include.
struct LayerRule {
  std::string_view folder;
  // Folders whose headers may be included, besides the folder itself.
  std::vector<std::string_view> may_include;
  // Names of libraries (see LibraryOf) that its .cc files may include.
  std::vector<std::string_view> libraries;
};

struct Include {
  std::string target;  // the path between the brackets or quotes
  bool quoted = false;
  int line = 0;
};

// In order of appearance; includes in comments do not count.
std::vector<Include> IncludesOf(std::string_view text);

// The library that a header outside the tree belongs to: "std" for the standard library, "posix"
// for the operating system, a name of our own for third parties ("boost.json", "yaml-cpp", ...),
// and "" where nobody has named it yet.
std::string_view LibraryOf(std::string_view include_target);

// The row for a file: the one with the longest folder that holds it; nullptr if there is none.
const LayerRule* RuleFor(const std::vector<LayerRule>& table, std::string_view path);

// Includes of folders or libraries that the table does not grant, third-party includes in headers
// (tests may), and includes that are not written from the root.
std::vector<Violation> CheckIncludes(const std::vector<LayerRule>& table, const SourceFile& file);

}  // namespace tidegate::architecture
