#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "traces/import/json_log.h"
#include "traces/import/log_line.h"

namespace tidegate::traces {

// Which log format a file has, and what is wanted of its lines.
struct FormatOptions {
  std::string format = "auto";  // a name of LogFormats(), or "auto"
  std::string log_format;       // a server's own; not empty: taken in place of `format`
  JsonFields json;
  Duration utc_offset{0};      // of times without a zone
  bool needs_request = false;  // request lines or paths are looked at
  bool needs_host = false;     // hosts are looked at
};

struct KnownFormat {
  std::string_view name;
  std::string_view what;
};
// The formats that need no more than their name, in the order in which they are tried.
std::span<const KnownFormat> LogFormats();

// A parser for the format that `options` names. kInvalid for an unknown name or a format that
// cannot be used. Precondition: not "auto", or `log_format` is given.
Expected<std::unique_ptr<LineParser>> MakeParser(const FormatOptions& options);

// The parser that understands most of these lines, the first in the list among equals. kInvalid,
// with the first line and what each format says of it, where none understands more than half.
Expected<std::unique_ptr<LineParser>> DetectFormat(std::span<const std::string_view> lines,
                                                   const FormatOptions& options);

// The line without what a container's runtime put before it ("2016-10-06T00:17:09.669794202Z stdout
// F "), and without the line's end.
std::string_view Bare(std::string_view line);

}  // namespace tidegate::traces
