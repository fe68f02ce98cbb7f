#pragma once

#include <string_view>

namespace tidegate {

// Prints the broken invariant with its place and aborts. Called through TIDEGATE_CHECK only.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);

}  // namespace tidegate

// An invariant of our own code, held in every build type: a daemon that would break a budget must
// stop before it does. Never for input from outside; that is an Error.
#define TIDEGATE_CHECK(condition, message)                                \
  do {                                                                    \
    if (!(condition)) {                                                   \
      ::tidegate::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
    }                                                                     \
  } while (false)
