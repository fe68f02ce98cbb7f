#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace tidegate::daemon {

struct RunOptions {
  std::vector<std::string> config;  // files and folders; one of them holds the TidegateConfig
  bool drain_on_exit = false;       // stop the pools too when told to stop
  std::string log_format;           // "text" or "json"; empty: as configured
  std::string log_level;            // empty: as configured
  // Breaks a promise on purpose, so that a watcher can be shown to notice: "drain-order",
  // "overshoot"; empty: none.
  std::string break_for_test;
};

// The daemon: runs until SIGTERM or SIGINT. Returns the exit code (0 stopped cleanly, 1 failed, 2
// bad configuration).
int RunDaemon(const RunOptions& options, std::ostream& err);

}  // namespace tidegate::daemon
