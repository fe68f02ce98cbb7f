#include "scheduler/journal/policy_json.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "scheduler/journal/json_text.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostPolicies = 16;

// --- names ---------------------------------------------------------------------------------------

struct NameList {
  std::vector<std::string_view>& names;
  template <class T>
  void operator()(const Field& field, const T&) {
    names.push_back(field.name);
  }
};

template <Described T>
std::vector<std::string_view> NamesOfFields(const T& value) {
  std::vector<std::string_view> names;
  NameList list{names};
  T::VisitFields(value, list);
  return names;
}

// --- writing -------------------------------------------------------------------------------------

class Writer {
 public:
  template <Described T>
  static json::object Object(const T& value) {
    json::object object;
    Writer writer(object);
    T::VisitFields(value, writer);
    return object;
  }

  // Fields that are not set are left out.
  template <class T>
  void operator()(const Field& field, const T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value) object_[field.name] = Written(field, *value);
    } else {
      object_[field.name] = Written(field, value);
    }
  }

 private:
  explicit Writer(json::object& object) : object_(object) {}

  template <class T>
  static json::value Written(const Field& field, const T& value) {
    if constexpr (Described<T>) {
      return Object(value);
    } else if constexpr (std::is_same_v<T, Duration>) {
      return Seconds(value);
    } else if constexpr (std::is_same_v<T, Instant>) {
      return json::string(FormatInstant(value));
    } else if constexpr (std::is_enum_v<T>) {
      return json::string(field.choices[static_cast<std::size_t>(value)]);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return json::string(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      if constexpr (std::floating_point<T>) TIDEGATE_CHECK(std::isfinite(value), field.name);
      return value;
    } else {
      json::array array;
      for (const auto& item : value) array.push_back(Written(field, item));
      return array;
    }
  }

  json::object& object_;
};

// --- reading -------------------------------------------------------------------------------------

// What an object may have besides the fields that its type describes, and how times are written.
struct Rules {
  std::string_view name = {};  // one more field ("name" of a policy); empty: none
  bool others = false;         // any, here and in the objects in it: another version's
  // Of people: lengths of time are whole seconds, as in manifests. Memory has them as they are.
  bool whole_seconds = false;
};

bool InWholeSeconds(const Field& field) { return field.name.ends_with("Seconds"); }

class Reader {
 public:
  template <Described T>
  static void Object(const json::value& value, const std::string& path, Rules rules, T& out,
                     JsonProblems& problems) {
    std::vector<std::string_view> names = NamesOfFields(out);
    if (!rules.name.empty()) names.push_back(rules.name);
    const JsonShape shape{"", names, rules.others};
    JsonFields fields(value, path, shape, problems);
    rules.name = {};
    Reader reader(fields, rules, problems);
    T::VisitFields(out, reader);
  }

  template <class T>
  void operator()(const Field& field, T& out) {
    if (field.required) fields_.Require(field.name, field.help);
    if (fields_.Has(field.name)) Read(field, out);
  }

 private:
  Reader(JsonFields& fields, Rules rules, JsonProblems& problems)
      : fields_(fields), rules_(rules), problems_(problems) {}

  template <class T>
  void Read(const Field& field, T& out) {
    const JsonRange range{field.least, field.most};
    if constexpr (Described<T>) {
      Object(*fields_.Find(field.name), fields_.PathOf(field.name), rules_, out, problems_);
    } else if constexpr (std::is_same_v<T, bool>) {
      Set(out, fields_.Flag(field.name));
    } else if constexpr (std::is_same_v<T, double>) {
      Set(out, fields_.Number(field.name, range));
    } else if constexpr (std::integral<T>) {
      Set(out, fields_.Integer(field.name, range));
    } else if constexpr (std::is_same_v<T, std::string>) {
      Set(out, fields_.Text(field.name));
    } else if constexpr (std::is_same_v<T, Duration>) {
      ReadTime(field, range, out);
    } else if constexpr (std::is_same_v<T, Instant>) {
      Set(out, fields_.Time(field.name));
    } else if constexpr (std::is_enum_v<T>) {
      std::vector<const char*> names;
      for (const std::string_view choice : field.choices) names.push_back(choice.data());
      Set(out, fields_.Choice(field.name, names));
    } else if constexpr (requires { out.has_value(); }) {
      Read(field, out.emplace());
    } else {
      ReadList(field, out);
    }
  }

  void ReadTime(const Field& field, JsonRange range, Duration& out) {
    if (!rules_.whole_seconds || !InWholeSeconds(field)) {
      Set(out, fields_.Seconds(field.name, range));
    } else if (const auto seconds = fields_.Integer(field.name, range)) {
      out = std::chrono::seconds(*seconds);
    }
  }

  template <class T>
  void ReadList(const Field& field, std::vector<T>& out) {
    out.clear();
    for (const json::value* item : fields_.Array(field.name, field.most_items)) {
      const std::string path = fmt::format("{}[{}]", fields_.PathOf(field.name), out.size());
      ReadItem(field, *item, path, out.emplace_back());
    }
  }

  template <class T>
  void ReadItem(const Field& field, const json::value& item, const std::string& path, T& out) {
    if constexpr (Described<T>) {
      Object(item, path, rules_, out, problems_);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const json::string* text = item.if_string();
      if (text == nullptr) problems_.Add(path, "expected a text, got " + Shown(item));
      if (text != nullptr) out = std::string(*text);
    } else {
      static_assert(std::is_arithmetic_v<T>, "lists hold described values, texts and numbers");
      json::error_code failed;
      const double number = item.to_number<double>(failed);
      if (failed || !(number >= field.least && number <= field.most)) {
        problems_.Add(path, fmt::format("expected a number from {} to {}, got {}", field.least,
                                        field.most, Shown(item)));
      } else {
        out = static_cast<T>(number);
      }
    }
  }

  template <class T, class U>
  static void Set(T& to, const std::optional<U>& from) {
    if (from) to = static_cast<T>(*from);
  }

  JsonFields& fields_;
  Rules rules_;  // of objects in it
  JsonProblems& problems_;
};

// --- schema --------------------------------------------------------------------------------------

class Schema {
 public:
  template <Described T>
  static json::object Object(const T& value, std::string_view description, bool whole_seconds) {
    Schema schema(whole_seconds);
    T::VisitFields(value, schema);
    return {{"type", "object"},
            {"description", description},
            {"properties", std::move(schema.properties_)},
            {"required", std::move(schema.required_)},
            {"additionalProperties", false}};
  }

  template <class T>
  void operator()(const Field& field, const T& value) {
    json::object property = Type(field, value);
    property["description"] = field.help;
    properties_[field.name] = std::move(property);
    if (field.required) required_.emplace_back(field.name);
  }

 private:
  explicit Schema(bool whole_seconds) : whole_seconds_(whole_seconds) {}

  template <class T>
  json::object Type(const Field& field, const T& value) const {
    if constexpr (Described<T>) {
      return Object(value, field.help, whole_seconds_);
    } else if constexpr (std::is_same_v<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return {{"type", "string"}, {"maxLength", 1024}};
    } else if constexpr (std::is_same_v<T, Instant>) {
      return {{"oneOf", json::array{{{"type", "number"}, {"minimum", 0}}, {{"type", "string"}}}}};
    } else if constexpr (std::is_enum_v<T>) {
      json::array names;
      for (const std::string_view choice : field.choices) names.emplace_back(choice);
      return {{"enum", std::move(names)}};
    } else if constexpr (std::is_same_v<T, Duration> || std::floating_point<T>) {
      const bool whole = std::is_same_v<T, Duration> && whole_seconds_ && InWholeSeconds(field);
      return {{"type", whole ? "integer" : "number"},
              {"minimum", field.least},
              {"maximum", field.most}};
    } else if constexpr (std::integral<T>) {
      return {{"type", "integer"}, {"minimum", field.least}, {"maximum", field.most}};
    } else if constexpr (requires { value.has_value(); }) {
      return Type(field, typename T::value_type{});
    } else {
      return {{"type", "array"},
              {"items", Type(field, typename T::value_type{})},
              {"maxItems", field.most_items}};
    }
  }

  bool whole_seconds_;
  json::object properties_;
  json::array required_;
};

// --- policies ------------------------------------------------------------------------------------

const PolicyEntry* ReadName(const json::value& value, const std::string& path,
                            JsonProblems& problems) {
  const json::string* name = value.if_string();
  const PolicyEntry* entry = name != nullptr ? FindPolicy(*name) : nullptr;
  if (entry == nullptr) {
    std::string names;
    for (const PolicyEntry& known : Policies()) {
      names += (names.empty() ? "" : ", ") + std::string(known.name);
    }
    problems.Add(path, fmt::format("expected one of {}, got {}", names, Shown(value)));
  }
  return entry;
}

std::optional<PolicyOptions> ReadPolicy(const json::value& value, const std::string& path,
                                        std::span<const sizing::SignalTarget> targets,
                                        JsonProblems& problems) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    const PolicyEntry* entry = ReadName(value, path, problems);
    if (entry == nullptr) return std::nullopt;
    return entry->options;
  }
  const json::value* name = object->if_contains("name");
  if (name == nullptr) {
    problems.Add(path + ".name", "expected the policy's name");
    return std::nullopt;
  }
  const PolicyEntry* entry = ReadName(*name, path + ".name", problems);
  if (entry == nullptr) return std::nullopt;
  PolicyOptions options = entry->options;
  const bool fine = problems.empty();
  std::visit(
      [&](auto& own) {
        Reader::Object(value, path, {.name = "name", .whole_seconds = true}, own, problems);
      },
      options);
  if (!fine || !problems.empty()) return options;  // perhaps because of those
  for (const sizing::OptionProblem& problem : entry->check(options, targets)) {
    problems.Add(path + "." + problem.field, problem.message);
  }
  return options;
}

// Of a policy's options or memory.
template <class... T>
bool HasFields(const std::variant<T...>& value) {
  return std::visit([](const auto& own) { return !NamesOfFields(own).empty(); }, value);
}

json::object MemoryFields(const PolicyMemory& policy) {
  return std::visit([](const auto& own) { return Writer::Object(own); }, policy);
}

void ReadMemoryFields(const json::value& value, const std::string& path, Rules rules,
                      PolicyMemory& policy, JsonProblems& problems) {
  std::visit([&](auto& own) { Reader::Object(value, path, rules, own, problems); }, policy);
}

json::object Reference(std::string_view definition) {
  return {{"$ref", fmt::format("#/$defs/{}", definition)}};
}

}  // namespace

std::vector<PolicyOptions> ReadPolicies(JsonFields& scaler,
                                        std::span<const sizing::SignalTarget> targets,
                                        JsonProblems& problems) {
  std::vector<PolicyOptions> policies;
  std::size_t index = 0;
  for (const json::value* item : scaler.Array("policies", kMostPolicies)) {
    const std::string path = fmt::format("{}[{}]", scaler.PathOf("policies"), index++);
    auto policy = ReadPolicy(*item, path, targets, problems);
    if (!policy) continue;
    if (std::ranges::find(policies, policy->index(), &PolicyOptions::index) != policies.end()) {
      problems.Add(path, fmt::format("the policy {} is listed twice", PolicyOf(*policy).name));
      continue;
    }
    policies.push_back(*std::move(policy));
  }
  return policies;
}

json::object PolicyMemoryObject(const std::vector<PolicyMemory>& policies) {
  json::object object;
  for (const PolicyMemory& policy : policies) {
    if (HasFields(policy)) object[OwnerOf(policy).name] = MemoryFields(policy);
  }
  return object;
}

std::vector<PolicyMemory> ReadPolicyMemory(const json::value& value, const std::string& path,
                                           JsonProblems& problems) {
  std::vector<std::string_view> names;
  for (const PolicyEntry& entry : Policies()) {
    if (HasFields(entry.memory)) names.push_back(entry.name);
  }
  const JsonShape shape{"policyMemory", names};
  JsonFields fields(value, path, shape, problems);
  std::vector<PolicyMemory> policies;
  for (const std::string_view name : names) {
    const json::value* memory = fields.Find(name);
    if (memory == nullptr) continue;
    policies.push_back(FindPolicy(name)->memory);
    ReadMemoryFields(*memory, fields.PathOf(name), {}, policies.back(), problems);
  }
  return policies;
}

std::string PolicyMemoryText(const PolicyMemory& policy) {
  return HasFields(policy) ? json::serialize(MemoryFields(policy)) : std::string();
}

Expected<PolicyMemory> ParsePolicyMemory(std::string_view policy, std::string_view text) {
  const PolicyEntry* entry = FindPolicy(policy);
  if (entry == nullptr) {
    return Fail(ErrorCode::kNotFound, fmt::format("no policy is called {}", policy));
  }
  TIDEGATE_TRY(const json::value value, ParseJson(text, JsonLimits{}));
  PolicyMemory memory = entry->memory;
  JsonProblems problems;
  ReadMemoryFields(value, std::string(policy), {.others = true}, memory, problems);
  if (!problems.empty()) return Fail(ErrorCode::kInvalid, problems.Take().front());
  return memory;
}

json::object PolicySchema() {
  json::object definitions;
  json::array names;
  json::array kinds;
  json::object memories;
  for (const PolicyEntry& entry : Policies()) {
    names.emplace_back(entry.name);
    if (HasFields(entry.options)) {
      const std::string name = std::string(entry.name) + "Options";
      json::object options =
          std::visit([&](const auto& own) { return Schema::Object(own, entry.description, true); },
                     entry.options);
      options["properties"].as_object()["name"] = {{"const", entry.name}};
      options["required"].as_array().emplace_back("name");
      definitions[name] = std::move(options);
      kinds.push_back(Reference(name));
    }
    if (HasFields(entry.memory)) {
      const std::string name = std::string(entry.name) + "Memory";
      definitions[name] = std::visit(
          [&](const auto& own) {
            return Schema::Object(own, fmt::format("What {} remembers.", entry.name), false);
          },
          entry.memory);
      memories[entry.name] = Reference(name);
    }
  }
  kinds.insert(kinds.begin(), json::object{{"enum", names}});
  kinds.push_back({{"type", "object"},
                   {"properties", {{"name", {{"enum", names}}}}},
                   {"required", {"name"}},
                   {"additionalProperties", false}});
  definitions["policies"] = {{"type", "array"},
                             {"description",
                              "Sizing policies; the largest proposal counts. Left out: tide where "
                              "capacity has workers, service time and latency objective and there "
                              "is no behavior, else target. decide keeps no history of "
                              "minutes: forecast is target here."},
                             {"items", {{"anyOf", std::move(kinds)}}},
                             {"maxItems", kMostPolicies}};
  definitions["policyMemory"] = {{"type", "object"},
                                 {"description", "What the policies remember."},
                                 {"properties", std::move(memories)},
                                 {"required", json::array{}},
                                 {"additionalProperties", false}};
  return definitions;
}

}  // namespace tidegate::journal
