#pragma once

#include <iosfwd>
#include <optional>
#include <string>

namespace tidegate::daemon {

struct ExplainOptions {
  std::string pool;                              // NAMESPACE/NAME
  int last = 1;                                  // how many decisions, 1 .. 1000
  std::string at;                                // the last ones at or before this time; empty: now
  std::string server = "http://127.0.0.1:9077";  // asked, unless
  std::string journal;                           // a journal file is given
  bool json = false;
};

// Prints why a pool has the size it has. Returns the exit code.
int RunExplain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

}  // namespace tidegate::daemon
