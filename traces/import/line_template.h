#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "traces/import/log_line.h"
#include "traces/import/log_time.h"

namespace tidegate::traces {

// What a field of a line is to us.
enum class LogField { kIgnored, kTime, kRequest, kPath, kStatus, kHost, kPort };

// A log format as literal text between fields.
struct FormatPiece {
  std::string literal;  // before the field
  LogField field = LogField::kIgnored;
};
struct LogFormat {
  std::vector<FormatPiece> pieces;
  std::string tail;  // after the last field
};

// Take apart a format as it stands in a server's configuration. kInvalid, with what is wrong, for a
// format without a time that we can read, or with nothing between two fields.
//
//   '$remote_addr - $remote_user [$time_local] "$request" $status ...'     Nginx's log_format
//   '%h %l %u %t \"%r\" %>s %b'                                            Apache's LogFormat
//   '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" ...'          Envoy's text format
Expected<LogFormat> ParseNginxFormat(std::string_view text);
Expected<LogFormat> ParseApacheFormat(std::string_view text);
Expected<LogFormat> ParseEnvoyFormat(std::string_view text);
// Any of the three: Envoy's has %START_TIME, Nginx's has $, Apache's has %.
Expected<LogFormat> ParseLogFormat(std::string_view text);

struct TemplateOptions {
  std::string name;           // of the format
  Duration utc_offset{0};     // of times without a zone
  bool needs_host = false;    // else a host is passed over, and what comes after it too
  bool needs_request = true;  // likewise
};

// Reads the lines that such a format writes. A line is read up to the last field that is needed, so
// what follows may be cut off. A field between quotes ends at the first quote that no backslash
// stands before; any other field ends where the literal text behind it begins.
class TemplateParser : public LineParser {
 public:
  TemplateParser(LogFormat format, TemplateOptions options);
  const char* Parse(std::string_view line, LogLine& out) override;
  std::string_view name() const override { return options_.name; }

 private:
  struct Step {
    LogField field;
    std::string end;  // literal text behind the field; empty: the end of the line
    bool quoted;
  };
  const char* Take(LogField field, std::string_view text, LogLine& out);

  TemplateOptions options_;
  std::string begin_;  // literal text before the first field
  std::vector<Step> steps_;
  LogTime time_;
};

// The status that a log has: three digits; 0 for "-", "000", "0" and negative numbers, which stand
// for none. False for anything else.
bool ReadStatus(std::string_view text, int& status);

}  // namespace tidegate::traces
