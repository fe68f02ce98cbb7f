#pragma once

#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

// The CSV form of a trace:
//
//   # anything                    comment lines may stand anywhere, empty lines too
//   t_seconds,requests            the header is required
//   0,157                         start of the bin, from 0 in equal steps of whole milliseconds;
//   1,158.5                       requests in the bin: a finite number from 0 to 1e12
//
// Lines end in LF or CRLF. There are no quotes and no blanks around the numbers. The bin is the
// step between the first two rows, so a trace has at least two.

// Checks all of the text and reports up to 20 problems at once (kInvalid), a line each, as
// "file:line:column: what is wrong; what was expected". kTooLarge past kMaxTraceBins rows.
// `file` is used in messages only.
Expected<Trace> ParseTraceCsv(std::string_view text, std::string_view file);

// The text that ParseTraceCsv reads back as the same trace. `comment` may have several lines.
// Precondition: at least two bins.
std::string FormatTraceCsv(const Trace& trace, std::string_view comment);

}  // namespace tidegate::traces
