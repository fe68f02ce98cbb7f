#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/daemon/counterfactual_names.h"

namespace tidegate::daemon {

struct ExplainOptions {
  std::string pool;                              // NAMESPACE/NAME
  int last = 1;                                  // how many decisions, 1 .. 1000
  std::string at;                                // the last ones at or before this time; empty: now
  std::string server = "http://127.0.0.1:9077";  // asked, unless
  std::string journal;                           // a journal file is given
  bool json = false;
  // What is to be otherwise; needs a journal file and the configuration that it was written under.
  CounterfactualNames otherwise{};
  std::vector<std::string> config{};
};

// Prints why a pool has the size it has, or would have. Returns the exit code: 0, 1 where that
// can't be had, 2 where an option is wrong or names a file that is no journal or no configuration.
int RunExplain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

}  // namespace tidegate::daemon
