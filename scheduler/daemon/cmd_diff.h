#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "scheduler/daemon/counterfactual_names.h"

namespace tidegate::daemon {

struct DiffOptions {
  std::string journal;              // a journal file; the daemon may be writing it
  std::vector<std::string> config;  // files and folders, as `tidegate validate` reads them
  std::vector<std::string> pools;   // NAMESPACE/NAME; empty: those of the journal and the config
  std::string since;                // times; empty: all of the journal
  std::string until;
  CounterfactualNames otherwise{};
  bool json = false;
};

// `tidegate diff`: replays a journal under another configuration (scheduler/decision/replay.h) and
// prints what would have been decided otherwise. Returns 0 where nothing would, 1 where something
// would, 2 where nothing could be compared: a name, a file or the configuration is wrong.
int RunDiff(const DiffOptions& options, std::ostream& out, std::ostream& err);

}  // namespace tidegate::daemon
