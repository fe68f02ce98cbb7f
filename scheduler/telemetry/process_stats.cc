#include "scheduler/telemetry/process_stats.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace tidegate::telemetry {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The fields of /proc/self/stat after the command's name, which is in parentheses and may hold
// anything. Element 0 is field 3 of proc(5).
std::vector<double> StatFields() {
  const std::string text = ReadFile("/proc/self/stat");
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos || close + 3 >= text.size()) return {};
  std::istringstream in(text.substr(close + 3));  // skips the state's letter
  return {std::istream_iterator<double>(in), std::istream_iterator<double>()};
}

std::optional<double> BootTime() {
  std::istringstream in(ReadFile("/proc/stat"));
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("btime ", 0) == 0) return std::strtod(line.c_str() + 6, nullptr);
  }
  return std::nullopt;
}

std::optional<double> OpenFds() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = 0;
  for (const auto end = std::filesystem::directory_iterator(); entries != end && !error;
       entries.increment(error)) {
    ++count;
  }
  return std::max(count - 1, 0.0);  // less the one that reads the list
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Offsets in proc(5), less the four fields that StatFields() leaves out or counts from 1.
  constexpr std::size_t kUserTime = 14 - 4;
  constexpr std::size_t kSystemTime = 15 - 4;
  constexpr std::size_t kStartTime = 22 - 4;
  constexpr std::size_t kResidentPages = 24 - 4;
  const std::vector<double> fields = StatFields();
  if (fields.size() > kResidentPages && ticks > 0) {
    stats.cpu_s = (fields[kUserTime] + fields[kSystemTime]) / ticks;
    stats.resident_bytes = fields[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE));
    if (const auto boot = BootTime()) stats.start_s = *boot + fields[kStartTime] / ticks;
  }
  stats.open_fds = OpenFds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<double>(limit.rlim_cur);
  return stats;
}

}  // namespace tidegate::telemetry
