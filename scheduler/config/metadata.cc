#include "scheduler/config/metadata.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tidegate::config {
namespace {

constexpr std::size_t kLongestName = 63;

// Written by the API server; `kubectl get -o yaml` shows them.
constexpr std::array<std::string_view, 10> kServerFields{
    "uid",           "resourceVersion",  "generation", "creationTimestamp",
    "managedFields", "ownerReferences",  "finalizers", "selfLink",
    "generateName",  "deletionTimestamp"};

void ReadName(Fields& fields, std::string_view key, std::string* out, Location* at) {
  const auto value = key == "name" ? fields.Need(key) : fields.Get(key);
  if (!value) return;
  if (at != nullptr) *at = value->at();
  auto name = value->Text();
  if (name && CheckName(*value, *name)) *out = *std::move(name);
}

void ReadTexts(Fields& fields, std::string_view key, std::map<std::string, std::string>* out) {
  const auto value = fields.Get(key);
  if (!value) return;
  if (auto texts = value->TextMap()) *out = *std::move(texts);
}

}  // namespace

bool CheckName(const Value& value, const std::string& name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool fits =
      !name.empty() && name.size() <= kLongestName && alphanumeric(name.front()) &&
      alphanumeric(name.back()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return c == '-' || alphanumeric(c); });
  if (!fits) {
    value.Expect("a name of lower-case letters, digits and \"-\", at most 63 characters");
  }
  return fits;
}

void ReadMetadata(Fields& document, Metadata* metadata, Location* name_at) {
  metadata->id.ns = "default";
  const auto value = document.Need("metadata");
  if (!value) return;
  Fields fields(*value);
  ReadName(fields, "name", &metadata->id.name, name_at);
  ReadName(fields, "namespace", &metadata->id.ns, nullptr);
  ReadTexts(fields, "labels", &metadata->labels);
  ReadTexts(fields, "annotations", &metadata->annotations);
  for (const std::string_view field : kServerFields) (void)fields.Get(field);
  fields.Finish();
}

}  // namespace tidegate::config
