#pragma once

#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/byte_stream.h"
#include "traces/format/trace.h"

namespace tidegate::traces {

constexpr Duration kMaxTraceBin{10'000'000'000'000};  // the longest bin of a file, some 300 years

// Trace files in every form that we know: CSV (csv.h) and our own binary form (trace_file.proto),
// each as it is or packed by gzip or zstd. Which one a file has is told by its content, never by
// its name.

// Reads a trace, and how it was made if `comment` is not null: the comment lines before a CSV's
// header without their "# ", or a binary file's comment. kNotFound if the file cannot be opened,
// kInvalid with all problems of a CSV (ParseTraceCsv) or the first one of a binary file, kTooLarge
// past 256 MiB of unpacked text or kMaxTraceBins bins.
Expected<Trace> ReadTrace(const std::string& file, std::string* comment = nullptr);
// The same from a stream.
Expected<Trace> ReadTrace(ByteStream& stream, std::string* comment = nullptr);

// The binary form. Precondition: at least two bins; counts within a trace's bounds. A comment is
// cut to 64 KiB.
std::string PackTrace(const Trace& trace, std::string_view comment);

// The text or bytes that a file of this name should hold: binary for ".tgtrace", packed CSV for
// ".csv.zst" and ".csv.gz", CSV otherwise.
std::string FormatTraceFor(std::string_view file, const Trace& trace, std::string_view comment);

}  // namespace tidegate::traces
