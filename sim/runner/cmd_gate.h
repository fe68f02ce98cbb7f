#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim gate: may a configuration go live?
RunCommand AddGate(CLI::App& app);

}  // namespace tidegate::sim
