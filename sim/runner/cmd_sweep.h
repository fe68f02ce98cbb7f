#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim sweep: tries many values of fields.
RunCommand AddSweep(CLI::App& app);
// tidesim merge: puts the shards of a sweep together.
RunCommand AddMerge(CLI::App& app);

}  // namespace tidegate::sim
