#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

namespace tidegate {

// What a reader, a schema and a person need to know of one field of a value that is described once
// and read from YAML and JSON, written, hashed and checkpointed from that description.
struct Field {
  std::string_view name;  // as in manifests and JSON: "stableWindowSeconds"
  std::string_view help;  // one line, for schemas and --help
  double least = 0;       // of numbers and of a length of time in seconds; inclusive
  double most = 0;
  std::span<const std::string_view> choices{};  // of an enumeration with values 0, 1, ...
  bool required = false;
  std::size_t most_items = 64;  // of a list
};

// Values that name their fields. A struct becomes one with
//
//   template <class Self, class Visitor>
//   static void VisitFields(Self& self, Visitor& visit) {
//     visit(Field{"stableWindowSeconds", "window of the stable rate", 6, 3600},
//     self.stable_window);
//     ...
//   }
//
// Fields may be bool, std::int32_t (Replicas), std::int64_t, double (finite), std::string (at most
// 8 KiB), Duration (a whole number of seconds where the name ends in "Seconds", else like "250ms"),
// Instant, an enumeration with choices, std::optional and std::vector of these, and other
// described values.
struct NoVisitor {
  template <class T>
  void operator()(const Field&, T&) {}
};
template <class T>
concept Described = requires(T& value, NoVisitor& visitor) {
  T::VisitFields(value, visitor);
};

// A value without fields.
struct NoFields {
  template <class Self, class Visitor>
  static void VisitFields(Self&, Visitor&) {}
  bool operator==(const NoFields&) const = default;
};

}  // namespace tidegate
