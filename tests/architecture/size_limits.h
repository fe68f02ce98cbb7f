#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/source_text.h"

namespace tidegate::architecture {

constexpr int kMaxFileLines = 500;
constexpr int kMaxFunctionLines = 60;

struct Function {
  std::string head;  // what stands before its brace, on one line
  int first_line = 0;
  int lines = 0;  // from the first line of the head to the closing brace
};

// Functions with a body, found by matching braces: exact for code that compiles and is formatted as
// ours, wrong at worst by the lines of a member initialiser list. Lambdas count within the function
// that holds them.
std::vector<Function> FunctionsOf(std::string_view text);

// Files and functions that are too long.
std::vector<Violation> CheckSizes(const SourceFile& file);

}  // namespace tidegate::architecture
