#include "scheduler/config/fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::config {
namespace {

constexpr std::size_t kShown = 60;          // bytes of a wrong value that a problem repeats
constexpr std::size_t kMapEntries = 1'000;  // labels, annotations, ...

bool IsWord(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool LooksBool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kWords{"true", "false", "yes",
                                                          "no",   "on",    "off"};
  std::string lower;
  for (const char c : text.substr(0, 6)) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text.size() < 6 && std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool LooksNumber(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
  if (text == ".inf" || text == ".Inf" || text == ".nan" || text == ".NaN") return true;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool hex = text.starts_with("0x") || text.starts_with("0o");
  return hex || (error != std::errc::invalid_argument && end == text.data() + text.size());
}

std::string Described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a map";
    case Node::Kind::kScalar: break;
  }
  const std::string shown = Printable(node.text, kShown);
  return node.quoted ? fmt::format("\"{}\"", shown) : shown;
}

bool IsPlain(const Node& node) { return node.kind == Node::Kind::kScalar && !node.quoted; }

}  // namespace

std::string Path::text() const {
  if (parent_ == nullptr) return {};
  std::string text = parent_->text();
  if (list_) return text + fmt::format("[{}]", index_);
  if (!IsWord(key_)) return text + fmt::format("[\"{}\"]", Printable(key_, kShown));
  return text + (text.empty() ? "" : ".") + Printable(key_, kShown);
}

void Value::Complain(std::string message) const {
  context_->problems->Add(at(), path_.text(), std::move(message));
}

void Value::Expect(const std::string& what) const {
  Complain(fmt::format("expected {}, got {}", what, Described(*node_)));
}

std::optional<std::string> Value::Text() const {
  if (node_->kind != Node::Kind::kScalar) {
    Expect("text");
    return std::nullopt;
  }
  if (IsPlain(*node_) && (LooksNumber(node_->text) || LooksBool(node_->text))) {
    const std::string shown = Printable(node_->text, kShown);
    Complain(fmt::format("expected text, got {}; write '{}' in quotes", shown, shown));
    return std::nullopt;
  }
  return node_->text;
}

std::optional<bool> Value::Bool() const {
  if (IsPlain(*node_) && (node_->text == "true" || node_->text == "false")) {
    return node_->text == "true";
  }
  Expect("true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Value::Integer(const IntRange& range) const {
  std::string_view digits = node_->text;
  if (digits.starts_with("+") && !digits.starts_with("+-")) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole =
      IsPlain(*node_) && error == std::errc() && end == digits.data() + digits.size();
  if (whole && number >= range.min && number <= range.max) return number;
  Expect(fmt::format("{} from {} to {}", range.noun, range.min, range.max));
  return std::nullopt;
}

std::optional<Duration> Value::Time(const DurationRange& range) const {
  const std::string expected =
      fmt::format("a duration from {} to {}", FormatDuration(range.min), FormatDuration(range.max));
  if (node_->kind != Node::Kind::kScalar) {
    Expect(expected);
    return std::nullopt;
  }
  const auto parsed = ParseDuration(node_->text);
  if (!parsed) {
    const bool unit_forgotten = LooksNumber(node_->text);
    Complain(fmt::format("expected {}, like 30s or 1m30s, got {}{}", expected, Described(*node_),
                         unit_forgotten ? "; a unit is missing" : ""));
    return std::nullopt;
  }
  if (*parsed < range.min || *parsed > range.max) {
    Expect(expected);
    return std::nullopt;
  }
  return *parsed;
}

std::optional<Quantity> Value::Amount() const {
  if (node_->kind == Node::Kind::kScalar) {
    const auto parsed = ParseQuantity(node_->text);
    if (parsed && parsed->units >= 0 && parsed->nanos >= 0) return *parsed;
  }
  Expect("a quantity of 0 or more, like 2, 200m, 1.5, 256Mi or 2G");
  return std::nullopt;
}

std::optional<double> Value::PositiveAmount() const {
  if (node_->kind == Node::Kind::kScalar) {
    const auto parsed = ParseQuantity(node_->text);
    if (parsed && parsed->value() > 0) return parsed->value();
  }
  Expect("a number above 0, like 200, 1.5, 500m or 2k");
  return std::nullopt;
}

std::optional<IntOrPercent> Value::Budget() const {
  if (node_->kind == Node::Kind::kScalar) {
    if (const auto parsed = ParseIntOrPercent(node_->text)) return *parsed;
  }
  Expect("a count or a percentage, like 1 or 25%");
  return std::nullopt;
}

std::optional<std::size_t> Value::Choice(std::span<const std::string_view> names) const {
  const bool scalar = node_->kind == Node::Kind::kScalar;
  std::string expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (scalar && node_->text == names[i]) return i;
    if (i > 0) expected += i + 1 == names.size() ? " or " : ", ";
    expected += names[i];
  }
  const auto near = scalar ? Nearest(node_->text, names) : std::string_view();
  Complain(fmt::format("expected {}, got {}{}", expected, Described(*node_),
                       near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  return std::nullopt;
}

std::span<const Node> Value::Items(std::size_t most) const {
  if (node_->kind != Node::Kind::kList) {
    Expect("a list");
    return {};
  }
  if (node_->items.size() > most) {
    Complain(fmt::format("expected at most {} items, got {}", most, node_->items.size()));
    return {};
  }
  return node_->items;
}

std::optional<std::map<std::string, std::string>> Value::TextMap() const {
  if (node_->kind != Node::Kind::kMap) {
    Expect("a map of texts");
    return std::nullopt;
  }
  if (node_->items.size() > kMapEntries) {
    Complain(fmt::format("expected at most {} entries, got {}", kMapEntries, node_->items.size()));
    return std::nullopt;
  }
  std::map<std::string, std::string> result;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const std::string& key = node_->keys[i].text;
    if (const auto text = Value(*context_, node_->items[i], Path(path_, key)).Text()) {
      result[key] = *text;
    }
  }
  return result;
}

Fields::Fields(const Value& value) : value_(value) {
  if (value.node().kind != Node::Kind::kMap) value.Expect("a map of fields");
}

std::optional<Value> Fields::Get(std::string_view key) {
  known_.push_back(key);
  const Node& node = value_.node();
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (node.keys[i].text != key) continue;
    if (node.items[i].kind == Node::Kind::kNull) return std::nullopt;
    return Value(value_.context(), node.items[i], Path(value_.path(), node.keys[i].text));
  }
  return std::nullopt;
}

std::optional<Value> Fields::Need(std::string_view key) {
  auto value = Get(key);
  if (!value && value_.node().kind == Node::Kind::kMap) {
    value_.context().problems->Add(value_.at(), Path(value_.path(), key).text(),
                                   "is missing and has no default");
  }
  return value;
}

void Fields::Text(std::string_view key, std::string* out) {
  if (const auto value = Get(key)) {
    if (auto text = value->Text()) *out = *std::move(text);
  }
}

void Fields::Bool(std::string_view key, bool* out) {
  if (const auto value = Get(key)) *out = value->Bool().value_or(*out);
}

void Fields::Int(std::string_view key, const IntRange& range, std::int32_t* out) {
  if (const auto value = Get(key)) {
    if (const auto number = value->Integer(range)) *out = static_cast<std::int32_t>(*number);
  }
}

void Fields::OptionalInt(std::string_view key, const IntRange& range,
                         std::optional<std::int32_t>* out) {
  if (const auto value = Get(key)) {
    if (const auto number = value->Integer(range)) *out = static_cast<std::int32_t>(*number);
  }
}

void Fields::Seconds(std::string_view key, const IntRange& range, Duration* out) {
  if (const auto value = Get(key)) {
    if (const auto number = value->Integer(range)) *out = std::chrono::seconds(*number);
  }
}

void Fields::Time(std::string_view key, const DurationRange& range, Duration* out) {
  if (const auto value = Get(key)) *out = value->Time(range).value_or(*out);
}

std::optional<std::size_t> Fields::ChoiceIndex(std::string_view key,
                                               std::span<const std::string_view> names) {
  const auto value = Get(key);
  return value ? value->Choice(names) : std::nullopt;
}

void Fields::Hint(std::string_view wrong, std::string_view right) {
  hints_.emplace_back(wrong, right);
}

void Fields::Finish() {
  const Node& node = value_.node();
  for (const Node::Key& key : node.keys) {
    if (key.text == "<<") continue;  // reported when the document was read
    if (std::find(known_.begin(), known_.end(), key.text) != known_.end()) continue;
    std::string_view near = Nearest(key.text, known_);
    for (const auto& hint : hints_) {
      if (hint.first == key.text) near = hint.second;
    }
    value_.context().problems->Add(
        {value_.context().file, key.line, key.column}, Path(value_.path(), key.text).text(),
        near.empty() ? "unknown field" : fmt::format("unknown field; did you mean {}?", near));
  }
}

}  // namespace tidegate::config
