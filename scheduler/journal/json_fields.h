#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/instant.h"

namespace boost::json {
class array;
class object;
class value;
}  // namespace boost::json

namespace tidegate::journal {

// What is wrong with a document, in its order: "$.scaler.maxReplicas: expected ..., got ...".
class JsonProblems {
 public:
  // One that a person would read; the rest are counted only.
  static constexpr std::size_t kMost = 100;

  void Add(const std::string& path, const std::string& what);
  std::vector<std::string> Take();
  bool empty() const { return problems_.empty(); }

 private:
  std::vector<std::string> problems_;
  std::size_t left_out_ = 0;
};

// A kind of object in a document, and the fields that it may have.
struct JsonShape {
  std::string_view name;
  std::span<const std::string_view> fields;
  bool others = false;  // any others are passed over; else each is a problem
};

// Bounds of a number, both inclusive.
struct JsonRange {
  double least = 0;
  double most = 0;
};

// Reads the fields of one object. Every getter returns nothing where the field is absent or wrong,
// and notes what is wrong; unknown fields are noted at construction, with the field that was
// probably meant, unless the shape allows others. The value and the problems must outlive the
// reader.
class JsonFields {
 public:
  JsonFields(const boost::json::value& value, std::string path, const JsonShape& shape,
             JsonProblems& problems);

  // Null where the field is absent (or the value is no object at all).
  const boost::json::value* Find(std::string_view name);
  bool Has(std::string_view name) { return Find(name) != nullptr; }
  void Require(std::string_view name, std::string_view expected);

  std::optional<double> Number(std::string_view name, JsonRange range);
  std::optional<std::int64_t> Integer(std::string_view name, JsonRange range);
  // Seconds, rounded to milliseconds.
  std::optional<Duration> Seconds(std::string_view name, JsonRange range);
  // Seconds since 1970 or RFC 3339.
  std::optional<Instant> Time(std::string_view name);
  // At most 1024 bytes.
  std::optional<std::string> Text(std::string_view name);
  std::optional<bool> Flag(std::string_view name);
  // The index of one of `choices`.
  std::optional<std::size_t> Choice(std::string_view name, std::span<const char* const> choices);
  // The elements of an array of at most `most`.
  std::vector<const boost::json::value*> Array(std::string_view name, std::size_t most);

  std::string PathOf(std::string_view name) const;
  void Problem(std::string_view name, const std::string& what);

 private:
  void Wrong(std::string_view name, const std::string& expected);

  const boost::json::object* object_ = nullptr;
  std::string path_;
  const JsonShape& shape_;
  JsonProblems& problems_;
};

// "a number", "an object", ... or a short value itself: what an error says it got.
std::string Shown(const boost::json::value& value);

}  // namespace tidegate::journal
