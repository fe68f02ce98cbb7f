#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim compare: several scenarios side by side, with differences and their intervals.
RunCommand AddCompare(CLI::App& app);

}  // namespace tidegate::sim
