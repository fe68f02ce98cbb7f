#pragma once

#include <iosfwd>
#include <string>

namespace tidegate::daemon {

struct StatusOptions {
  std::string server = "http://127.0.0.1:9077";
  bool watch = false;
  bool json = false;
};

// Prints the daemon's pools as a table, or its JSON as it is; with `watch` again each second until
// interrupted. Returns the exit code: 0, 1 where there is no such answer, 2 where --server is
// wrong.
int RunStatus(const StatusOptions& options, std::ostream& out, std::ostream& err);

// The table for a body of GET /api/v1/pools; exposed for tests. Empty where the body is not
// understood.
std::string StatusTable(const std::string& body);

}  // namespace tidegate::daemon
