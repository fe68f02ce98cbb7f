#pragma once

#include <cstddef>
#include <string_view>

#include "scheduler/config/fields.h"

namespace tidegate::config {

enum class ShapeKind {
  kText,
  kBool,
  kInt,        // int32
  kAmount,     // a quantity
  kIntOrText,  // a port's number or name
  kTextMap,
  kTextList,
  kAnyMap,      // not looked into
  kAnyList,     // not looked into
  kObject,      // a map with the fields below
  kObjectList,  // a list of such maps
};

// What a field that we don't act on has to look like, so that a slip in it is still found.
struct Shape {
  constexpr Shape(std::string_view field, ShapeKind shape) : name(field), kind(shape) {}
  template <std::size_t N>
  constexpr Shape(std::string_view field, ShapeKind shape, const Shape (&below)[N])
      : name(field), kind(shape), fields(below), count(N) {}

  std::string_view name;
  ShapeKind kind;
  const Shape* fields = nullptr;
  std::size_t count = 0;
};

// Complains about everything in the value that doesn't have the shape.
void CheckShape(const Value& value, const Shape& shape);

// An empty map or list, or one of nothing but such: as good as absent.
bool IsEmpty(const Node& node);

}  // namespace tidegate::config
