#pragma once

#include <optional>

namespace tidegate::telemetry {

// What the kernel says about this process; a value that it does not tell is unset.
struct ProcessStats {
  std::optional<double> start_s;  // seconds since 1970
  std::optional<double> cpu_s;    // user and system
  std::optional<double> resident_bytes;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
};

// Reads /proc/self and /proc/stat.
ProcessStats ReadProcessStats();

}  // namespace tidegate::telemetry
