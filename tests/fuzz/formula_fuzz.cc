// Any bytes at all: a formula is read or refused within its bounds, and what is read comes to the
// same result whenever it is asked, a finite number where it comes to one.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "policies/sizing/formula.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidegate::sizing::Formula;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto formula = Formula::Parse(text);
  if (!formula) {
    if (formula.error().message.empty()) __builtin_trap();
    return 0;
  }
  if (size > Formula::kLongest || formula->names().size() > Formula::kMostNodes) __builtin_trap();
  // Every other name is nil, in both ways.
  for (std::size_t odd = 0; odd < 2; ++odd) {
    std::vector<std::optional<double>> values(formula->names().size());
    for (std::size_t i = odd; i < values.size(); i += 2) values[i] = 0.5 * static_cast<double>(i);
    const Formula::Result result = formula->Evaluate(values);
    if (result.kind == Formula::Result::Kind::kNumber && !std::isfinite(result.number)) {
      __builtin_trap();
    }
    if (formula->Evaluate(values).number != result.number) __builtin_trap();
  }
  return 0;
}
