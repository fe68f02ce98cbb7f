#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "policies/base/expected.h"

namespace tidegate::sim {

// Writes a file, or says why it can't. It takes the file's place only once it is whole.
Expected<void> WriteWhole(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace tidegate::sim
