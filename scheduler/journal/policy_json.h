#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/catalog.h"
#include "scheduler/journal/json_fields.h"

namespace boost::json {
class object;
class value;
}  // namespace boost::json

namespace tidegate::journal {

// Policies' options and memory as JSON, by the descriptions that they give of themselves
// (policies/base/fields.h): lengths of time are seconds, instants RFC 3339.

// "policies" of a scaler: names, or objects with a name and the policy's options; each at most
// once. `targets` are the pool's signals, for options that name them.
std::vector<PolicyOptions> ReadPolicies(JsonFields& scaler,
                                        std::span<const sizing::SignalTarget> targets,
                                        JsonProblems& problems);

// Memory of all policies that have any: {"kpa": {...}}.
boost::json::object PolicyMemoryObject(const std::vector<PolicyMemory>& policies);
// The same read: policies in the order of the catalog.
std::vector<PolicyMemory> ReadPolicyMemory(const boost::json::value& value, const std::string& path,
                                           JsonProblems& problems);

// One policy's memory as text, for records: "" where it has no fields.
std::string PolicyMemoryText(const PolicyMemory& policy);
// The same read, of this version or another: fields that it has besides are passed over, those that
// it lacks are as in a memory that is new. kInvalid where the text is damaged; kNotFound where this
// version has no such policy.
Expected<PolicyMemory> ParsePolicyMemory(std::string_view policy, std::string_view text);

// $defs of decide.schema.json that depend on the catalog: "policies", "policyMemory" and, for each
// policy with fields, "<name>Options" and "<name>Memory".
boost::json::object PolicySchema();

}  // namespace tidegate::journal
