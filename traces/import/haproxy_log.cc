#include "traces/import/haproxy_log.h"

#include <algorithm>
#include <cstring>

#include "traces/import/line_template.h"

namespace tidegate::traces {
namespace {

// The text behind the '[' of the accept date; empty: there is none. A syslog header has brackets of
// its own, around a process number.
std::string_view FromDate(std::string_view line) {
  while (!line.empty()) {
    const auto* const open = static_cast<const char*>(std::memchr(line.data(), '[', line.size()));
    if (open == nullptr) return {};
    line.remove_prefix(static_cast<std::size_t>(open - line.data()) + 1);
    if (line.size() > 20 && line[2] == '/' && line[6] == '/') return line;
  }
  return {};
}

// The text up to the next blank, which is taken away with it.
std::string_view Word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

}  // namespace

const char* HaproxyParser::Parse(std::string_view line, LogLine& out) {
  line = FromDate(line);
  const std::size_t close = line.find(']');
  if (close == std::string_view::npos) return "it has no accept date in brackets";
  out = {};
  if (!time_.Read(line.substr(0, close), out.at_ms)) return "the accept date cannot be read";
  line.remove_prefix(close + 1);
  if (!line.starts_with(' ')) return "the accept date is not followed by a frontend";
  line.remove_prefix(1);
  Word(line);  // frontend
  Word(line);  // backend/server
  const std::string_view timers = Word(line);
  const auto slashes = std::count(timers.begin(), timers.end(), '/');
  if (slashes == 2) return "it is a line of the TCP log; expected one of the HTTP log";
  if (slashes != 4) return "it has no five timers behind the server";
  if (!ReadStatus(Word(line), out.status)) return "the status is no number of three digits";
  const std::size_t quote = line.find('"');
  if (quote == std::string_view::npos) return "it has no request in quotes";
  line.remove_prefix(quote + 1);
  out.request = line.substr(0, line.find('"'));  // a long request is cut off, with its quote
  return nullptr;
}

}  // namespace tidegate::traces
