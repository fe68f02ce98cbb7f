#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim run: simulates scenarios and shows what happened.
RunCommand AddRun(CLI::App& app);

}  // namespace tidegate::sim
