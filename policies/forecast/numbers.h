#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "policies/base/fields.h"

// Described values (policies/base/fields.h) have doubles and lists; what forecasts remember is kept
// in floats and arrays, for their size. These describe the latter as the former.
namespace tidegate::forecast {

// Bounds for fields of what is remembered.
inline constexpr double kMostLog = 1e3;     // of logarithms
inline constexpr double kMostCount = 1e4;   // of forecasts and bins
inline constexpr double kMostBin = 1e9;     // minutes since 1970
inline constexpr double kMostValue = 1e38;  // of a signal: a float's

inline constexpr Field Log(std::string_view name, std::string_view help) {
  return {name, help, -kMostLog, kMostLog};
}

template <class Visitor, class Number>
void VisitNumber(Visitor& visit, const Field& field, Number& number) {
  auto copy = static_cast<double>(number);
  visit(field, copy);
  if constexpr (!std::is_const_v<Number>) number = static_cast<Number>(copy);
}

// Numbers as a list of doubles, described values as a list of them. A list of another length is not
// taken over.
template <class Visitor, class Array>
void VisitArray(Visitor& visit, const Field& field, Array& array) {
  using Item = typename Array::value_type;
  using Shown = std::conditional_t<std::is_arithmetic_v<Item>, double, Item>;
  std::vector<Shown> copy(array.begin(), array.end());
  visit(field, copy);
  if constexpr (!std::is_const_v<Array>) {
    if (copy.size() != array.size()) return;
    for (std::size_t i = 0; i < copy.size(); ++i) array[i] = static_cast<Item>(copy[i]);
  }
}

}  // namespace tidegate::forecast
