#include "sim/runner/environment.h"

#include <cstdlib>

namespace tidegate::sim {

std::optional<std::string> EnvironmentVariable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace tidegate::sim
