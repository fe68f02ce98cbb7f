#include "traces/import/log_line.h"

#include <algorithm>

namespace tidegate::traces {
namespace {

// "GET /x HTTP/1.1" -> "/x". A path may hold blanks where a server logs them as they came.
std::string_view TargetOf(std::string_view request) {
  const std::size_t begin = request.find(' ');
  if (begin == std::string_view::npos) return {};
  request.remove_prefix(begin + 1);
  const std::size_t end = request.rfind(' ');
  return end == std::string_view::npos ? request : request.substr(0, end);
}

// Length of "scheme://" at the front, or 0.
std::size_t SchemeOf(std::string_view target) {
  if (target.empty() || target.front() == '/') return 0;
  const std::size_t at = target.find("://");
  return at == std::string_view::npos || at > 10 ? 0 : at + 3;
}

std::string_view Target(const LogLine& line) {
  return line.path.empty() ? TargetOf(line.request) : line.path;
}

}  // namespace

std::string_view PathOf(const LogLine& line) {
  std::string_view target = Target(line);
  const std::size_t scheme = SchemeOf(target);
  if (scheme == 0) return target;
  target.remove_prefix(scheme);
  const std::size_t slash = target.find('/');
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

std::string_view HostOf(const LogLine& line) {
  if (!line.host.empty()) return line.host;
  std::string_view target = Target(line);
  const std::size_t scheme = SchemeOf(target);
  if (scheme == 0) return {};
  target.remove_prefix(scheme);
  return target.substr(0, target.find('/'));
}

}  // namespace tidegate::traces
