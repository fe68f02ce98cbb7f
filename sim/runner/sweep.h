#pragma once

#include <optional>
#include <string>

#include "sim/runner/command.h"
#include "sim/runner/shard.h"

namespace tidegate::sim {

struct SweepOptions {
  std::string file;            // of kind Sweep
  std::string results;         // empty: NAME.results, NAME.I-of-N.results for a shard
  std::optional<Shard> shard;  // unset: what the environment says
  int threads = 0;             // 0: one for each processor
  bool json = false;
};

// Runs the cells of a sweep, or of one shard of it, that the results file does not hold yet, and
// prints the result, or for a shard what to do next. Each cell is in the file as soon as it is done
// and comes out the same on any number of threads. Returns the exit status.
int RunSweep(const SweepOptions& options, const Variables& variables, Streams streams);

}  // namespace tidegate::sim
