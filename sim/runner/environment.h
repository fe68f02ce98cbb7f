#pragma once

#include <optional>
#include <string>

namespace tidegate::sim {

// A variable of this process's environment; unset where there is none.
std::optional<std::string> EnvironmentVariable(const char* name);

}  // namespace tidegate::sim
