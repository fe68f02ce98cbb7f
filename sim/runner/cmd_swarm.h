#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim swarm: lives through seeded faults and checks every rule.
RunCommand AddSwarm(CLI::App& app);

}  // namespace tidegate::sim
