#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate::traces {

// One request as an access log tells it. Views point into the line, or into the parser's own memory
// until its next line.
struct LogLine {
  std::int64_t at_ms = 0;    // UTC milliseconds since 1970
  int status = 0;            // 0: none was sent, or the log has none
  std::string_view request;  // "GET /x HTTP/1.1"; empty where only the path is logged
  std::string_view path;     // with its query; empty where the request line is logged
  std::string_view host;     // empty: not logged
};

// Reads the lines of one log format. May remember what makes the next line cheaper, never what
// changes its meaning.
class LineParser {
 public:
  virtual ~LineParser() = default;
  // Null if the line was understood, else what is wrong with it ("the status is no number").
  virtual const char* Parse(std::string_view line, LogLine& out) = 0;
  // "combined", "haproxy", ...
  virtual std::string_view name() const = 0;
};

// The path that was asked for: of `path`, or else of `request`, without scheme and host where the
// request was in absolute form. Empty if there is none.
std::string_view PathOf(const LogLine& line);
// The host: `host`, or else the one of a request in absolute form. Empty if there is none.
std::string_view HostOf(const LogLine& line);

}  // namespace tidegate::traces
