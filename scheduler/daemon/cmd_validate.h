#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "policies/base/instant.h"

namespace tidegate::daemon {

struct ValidateOptions {
  std::vector<std::string> paths;
  bool json = false;
  Instant now{};  // of warnings about what is over
};

// Reads manifests as the daemon would and prints every problem, or what the pools resolve to and
// which fields have no effect. Returns the exit code: 2 where anything is wrong.
int RunValidate(const ValidateOptions& options, std::ostream& out, std::ostream& err);

}  // namespace tidegate::daemon
