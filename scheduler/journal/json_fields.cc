#include "scheduler/journal/json_fields.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "policies/base/check.h"
#include "policies/base/suggest.h"
#include "scheduler/journal/json_text.h"

namespace tidegate::journal {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestText = 1024;

std::string Suggestion(std::string_view name, const JsonShape& shape) {
  const std::string_view near = Nearest(name, shape.fields);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

bool IsNumber(const json::value& value) { return value.is_number(); }

}  // namespace

void JsonProblems::Add(const std::string& path, const std::string& what) {
  if (problems_.size() < kMost) {
    problems_.push_back(path + ": " + what);
  } else {
    ++left_out_;
  }
}

std::vector<std::string> JsonProblems::Take() {
  if (left_out_ > 0) problems_.push_back(fmt::format("and {} more", left_out_));
  left_out_ = 0;
  return std::exchange(problems_, {});
}

std::string Shown(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  const std::string text = WriteJson(value);
  return text.size() <= 40 ? text : "a text of " + std::to_string(text.size() - 2) + " bytes";
}

JsonFields::JsonFields(const json::value& value, std::string path, const JsonShape& shape,
                       JsonProblems& problems)
    : object_(value.if_object()), path_(std::move(path)), shape_(shape), problems_(problems) {
  if (object_ == nullptr) {
    problems_.Add(path_, "expected an object, got " + Shown(value));
    return;
  }
  if (shape_.others) return;
  for (const auto& member : *object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(shape_.fields.begin(), shape_.fields.end(), name) != shape_.fields.end()) {
      continue;
    }
    problems_.Add(PathOf(name.substr(0, 64)), "unknown field" + Suggestion(name, shape_));
  }
}

const json::value* JsonFields::Find(std::string_view name) {
  TIDEGATE_CHECK(std::find(shape_.fields.begin(), shape_.fields.end(), name) != shape_.fields.end(),
                 name);
  return object_ == nullptr ? nullptr : object_->if_contains({name.data(), name.size()});
}

void JsonFields::Require(std::string_view name, std::string_view expected) {
  if (object_ != nullptr && !Has(name)) {
    problems_.Add(PathOf(name), fmt::format("expected {}, got nothing", expected));
  }
}

std::string JsonFields::PathOf(std::string_view name) const {
  return fmt::format("{}.{}", path_, name);
}

void JsonFields::Problem(std::string_view name, const std::string& what) {
  problems_.Add(PathOf(name), what);
}

void JsonFields::Wrong(std::string_view name, const std::string& expected) {
  problems_.Add(PathOf(name), fmt::format("expected {}, got {}", expected, Shown(*Find(name))));
}

std::optional<double> JsonFields::Number(std::string_view name, JsonRange range) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (IsNumber(*value)) {
    const double number = value->to_number<double>();
    if (number >= range.least && number <= range.most) return number;
  }
  Wrong(name, fmt::format("a number from {} to {}", range.least, range.most));
  return std::nullopt;
}

std::optional<std::int64_t> JsonFields::Integer(std::string_view name, JsonRange range) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (IsNumber(*value)) {
    const double number = value->to_number<double>();
    const bool whole = number == std::trunc(number);
    if (whole && number >= range.least && number <= range.most) {
      return static_cast<std::int64_t>(number);
    }
  }
  Wrong(name, fmt::format("a whole number from {} to {}", range.least, range.most));
  return std::nullopt;
}

std::optional<Duration> JsonFields::Seconds(std::string_view name, JsonRange range) {
  const auto seconds = Number(name, range);
  if (!seconds) return std::nullopt;
  return FromSeconds(*seconds);
}

std::optional<Instant> JsonFields::Time(std::string_view name) {
  constexpr double kLatest = 253402300800.0;  // the year 10000
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (IsNumber(*value)) {
    const double seconds = value->to_number<double>();
    if (seconds >= 0 && seconds < kLatest) return Instant(FromSeconds(seconds));
  } else if (const json::string* text = value->if_string()) {
    if (auto at = ParseInstant({text->data(), text->size()})) return *at;
  }
  Wrong(name, "seconds since 1970 or a time like 2026-11-27T00:00:00Z");
  return std::nullopt;
}

std::optional<std::string> JsonFields::Text(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text != nullptr && text->size() <= kLongestText) return std::string(*text);
  Wrong(name, fmt::format("a text of at most {} bytes", kLongestText));
  return std::nullopt;
}

std::optional<bool> JsonFields::Flag(std::string_view name) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  Wrong(name, "true or false");
  return std::nullopt;
}

std::optional<std::size_t> JsonFields::Choice(std::string_view name,
                                              std::span<const char* const> choices) {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const json::string* text = value->if_string();
    if (text != nullptr && *text == choices[i]) return i;
    expected += std::string(i == 0 ? "" : ", ") + choices[i];
  }
  Wrong(name, "one of " + expected);
  return std::nullopt;
}

std::vector<const json::value*> JsonFields::Array(std::string_view name, std::size_t most) {
  std::vector<const json::value*> elements;
  const json::value* value = Find(name);
  if (value == nullptr) return elements;
  const json::array* array = value->if_array();
  if (array == nullptr) {
    Wrong(name, "an array");
  } else if (array->size() > most) {
    Problem(name, fmt::format("expected at most {} elements, got {}", most, array->size()));
  } else {
    for (const json::value& element : *array) elements.push_back(&element);
  }
  return elements;
}

}  // namespace tidegate::journal
