#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim league: all policies on many recorded loads.
RunCommand AddLeague(CLI::App& app);

}  // namespace tidegate::sim
