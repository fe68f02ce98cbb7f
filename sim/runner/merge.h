#pragma once

#include <string>
#include <vector>

#include "sim/runner/command.h"

namespace tidegate::sim {

struct MergeOptions {
  std::vector<std::string> files;  // results of shards
  std::string results;             // where the merged results go; empty: nowhere
  bool json = false;
};

// Puts the results of one sweep's shards together. Where every cell is there exactly once it prints
// what the sweep in one process would print, byte for byte, and writes the same file; else it lists
// the cells that are missing or there twice. Returns the exit status.
int RunMerge(const MergeOptions& options, Streams streams);

}  // namespace tidegate::sim
