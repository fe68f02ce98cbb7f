#pragma once

#include <string_view>
#include <vector>

#include "tests/architecture/source_text.h"

namespace tidegate::architecture {

enum class NameForm {
  kWord,    // the identifier anywhere
  kCall,    // the identifier called as a free function: time(...), not clock.time(...)
  kPrefix,  // identifiers that begin with it
  kSuffix,  // identifiers that end with it
};

struct BannedName {
  std::string_view name;
  NameForm form = NameForm::kWord;
};

// A set of names, where they are banned, where they are allowed all the same, and why.
struct BanRule {
  std::string_view reason;
  std::vector<BannedName> names;
  std::vector<std::string_view> folders;
  // Folders or files without extension ("scheduler/adapters/system_clock").
  std::vector<std::string_view> except;
};

// Uses of banned names in the code of one file; comments and literals do not count. One violation
// per name and line.
std::vector<Violation> CheckNames(const std::vector<BanRule>& rules, const SourceFile& file);

// True where the identifier at [offset, offset + size) of `code` is used in `form`.
bool IsUse(std::string_view code, std::size_t offset, const BannedName& name);

}  // namespace tidegate::architecture
