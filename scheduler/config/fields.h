#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"
#include "policies/base/int_or_percent.h"
#include "scheduler/config/problem.h"
#include "scheduler/config/quantity.h"
#include "scheduler/config/yaml_tree.h"

namespace tidegate::config {

// Where problems of one file go.
struct Context {
  std::shared_ptr<const std::string> file;
  Problems* problems = nullptr;
};

// The way to a value inside a document, as a chain of stack objects: text is made only for
// problems. A child must not outlive its parent.
class Path {
 public:
  Path() = default;
  Path(const Path& parent, std::string_view key) : parent_(&parent), key_(key) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index), list_(true) {}
  // "spec.ports[1].port"; keys that are no plain words as ["key"].
  std::string text() const;

 private:
  const Path* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool list_ = false;
};

// A whole number's bounds and what it is called in problems: "a port" gives "expected a port from 1
// to 65535".
struct IntRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
  const char* noun = "a whole number";
};
struct DurationRange {
  Duration min{0};
  Duration max{0};
};

// One value of a document. Each reader returns nothing after a complaint. Text must be text: a
// number or true without quotes is refused, as Kubernetes refuses it.
class Value {
 public:
  Value(const Context& context, const Node& node, Path path)
      : context_(&context), node_(&node), path_(path) {}

  const Context& context() const { return *context_; }
  const Node& node() const { return *node_; }
  const Path& path() const { return path_; }
  Location at() const { return {context_->file, node_->line, node_->column}; }
  void Complain(std::string message) const;
  // "expected <what>, got <what is there>".
  void Expect(const std::string& what) const;

  std::optional<std::string> Text() const;
  std::optional<bool> Bool() const;
  std::optional<std::int64_t> Integer(const IntRange& range) const;
  std::optional<Duration> Time(const DurationRange& range) const;
  std::optional<Quantity> Amount() const;        // >= 0
  std::optional<double> PositiveAmount() const;  // > 0
  std::optional<IntOrPercent> Budget() const;
  std::optional<std::size_t> Choice(std::span<const std::string_view> names) const;
  // Empty after a complaint: no list, or more than `most` items.
  std::span<const Node> Items(std::size_t most) const;
  std::optional<std::map<std::string, std::string>> TextMap() const;

 private:
  const Context* context_;
  const Node* node_;
  Path path_;
};

// A map whose fields are known. Fields that are absent or null leave the variable as it is.
class Fields {
 public:
  // Complains where the value is no map, and then has no fields.
  explicit Fields(const Value& value);
  explicit Fields(Value&&) = delete;  // children's paths refer to it
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  const Value& value() const { return value_; }
  // Declares a field as known.
  std::optional<Value> Get(std::string_view key);
  // The same, with a complaint where it is absent.
  std::optional<Value> Need(std::string_view key);

  void Text(std::string_view key, std::string* out);
  void Bool(std::string_view key, bool* out);
  void Int(std::string_view key, const IntRange& range, std::int32_t* out);
  void OptionalInt(std::string_view key, const IntRange& range, std::optional<std::int32_t>* out);
  void Seconds(std::string_view key, const IntRange& range, Duration* out);
  void Time(std::string_view key, const DurationRange& range, Duration* out);
  // An enumeration whose values are 0, 1, ... in the order of `names`.
  template <class Enum>
  void Choice(std::string_view key, std::span<const std::string_view> names, Enum* out) {
    if (const auto index = ChoiceIndex(key, names)) *out = static_cast<Enum>(*index);
  }
  // A name that people write for a field that is called otherwise here.
  void Hint(std::string_view wrong, std::string_view right);
  // Complains about fields that nobody asked for. Call it last.
  void Finish();

 private:
  std::optional<std::size_t> ChoiceIndex(std::string_view key,
                                         std::span<const std::string_view> names);

  const Value& value_;
  std::vector<std::string_view> known_;
  std::vector<std::pair<std::string_view, std::string_view>> hints_;
};

}  // namespace tidegate::config
