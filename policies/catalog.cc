#include "policies/catalog.h"

#include "policies/sizing/target.h"

namespace tidegate {
namespace {

constexpr PolicyEntry kPolicies[] = {
    {"target", "replicas = ceil(value / target per replica); the largest of all signals",
     &sizing::TrackTarget},
};

}  // namespace

std::span<const PolicyEntry> Policies() { return kPolicies; }

const PolicyEntry* FindPolicy(std::string_view name) {
  for (const PolicyEntry& entry : kPolicies) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace tidegate
