#pragma once

#include <span>
#include <string_view>

#include "policies/sizing/proposal.h"

namespace tidegate {

// A sizing policy by the name that manifests use.
struct PolicyEntry {
  std::string_view name;
  std::string_view description;  // one line, for --help and errors
  sizing::Policy policy = nullptr;
};

// All policies, sorted by name. To add one: a file in policies/sizing and a line in catalog.cc.
std::span<const PolicyEntry> Policies();

// Null where there is none of that name.
const PolicyEntry* FindPolicy(std::string_view name);

}  // namespace tidegate
