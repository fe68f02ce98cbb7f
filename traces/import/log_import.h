#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/byte_stream.h"
#include "traces/format/trace.h"
#include "traces/import/binner.h"
#include "traces/import/filter.h"
#include "traces/import/formats.h"

namespace tidegate::traces {

struct ImportOptions {
  FormatOptions format;  // what is needed of a line follows from the filter
  LineFilter filter;
  BinOptions bins;
  double max_bad = 0.05;  // 0..1: share of lines that may be bad or late before the import fails
  bool strict = false;    // the first bad or late line fails it
};

// A line that was not understood, or came too late.
struct BadLine {
  std::string file;
  std::uint64_t number = 0;  // from 1
  std::string why;
  std::string text;  // its beginning, fit to be shown
};

// What became of the lines.
struct ImportCounts {
  std::uint64_t bytes = 0;     // unpacked
  std::uint64_t lines = 0;     // all but empty ones and comments (#)
  std::uint64_t counted = 0;   // in a bin
  std::uint64_t filtered = 0;  // left out by the filter
  std::uint64_t outside = 0;   // not between start and end
  std::uint64_t late = 0;      // too far behind in time
  std::uint64_t bad = 0;       // not understood
};

// Access logs into a trace. Memory does not grow with the logs: one block of a file, the bins (at
// most BinOptions::max_bins, 8 bytes each), and the first few bad lines.
//
// All lines have one format: the first file's, where it is to be detected.
class LogImporter {
 public:
  static constexpr std::size_t kShownBadLines = 5;
  static constexpr std::size_t kLongestLine = std::size_t{256} * 1024;  // longer ones are bad
  // The share of bad lines is judged from here on, and at the end.
  static constexpr std::uint64_t kLinesToJudge = 10'000;

  // kInvalid for a format that cannot be used.
  static Expected<LogImporter> Create(const ImportOptions& options);

  // Counts the lines of one file. `on_block` is called after each block of it, some hundred KiB.
  // The last line need not end. Errors: those of the stream; kInvalid where the format cannot be
  // told, where too many lines are bad, or one is and `strict` is set; kTooLarge where the times
  // need too many bins.
  Expected<void> Read(ByteStream& stream, const std::function<void()>& on_block);

  // The trace, after all files. kInvalid where no line was counted, too many lines were bad, or the
  // trace would have one bin.
  Expected<Trace> Finish() const;

  const ImportCounts& counts() const { return counts_; }
  const std::vector<BadLine>& bad_lines() const { return bad_lines_; }
  // Of the lines; "" before it is known.
  std::string_view format() const { return parser_ == nullptr ? "" : parser_->name(); }
  // Start of the first bin with a request. Precondition: a line was counted.
  Instant first() const { return bins_.first(); }

 private:
  explicit LogImporter(const ImportOptions& options);
  Expected<void> Detect(std::string_view block);
  Expected<void> Lines(std::string_view block);
  Expected<void> Line(std::string_view line);
  Expected<void> NotCounted(Binner::Outcome outcome, const LogLine& parsed, std::string_view line);
  Expected<void> Note(std::string_view why, std::string_view line);
  Expected<void> JudgeBadLines() const;
  Error Listed(ErrorCode code, std::string what) const;

  ImportOptions options_;
  std::unique_ptr<LineParser> parser_;
  bool filters_;
  bool named_host_ = false;  // some line that the filter left out did
  Binner bins_;
  ImportCounts counts_;
  std::vector<BadLine> bad_lines_;
  std::string file_;
  std::uint64_t number_ = 0;  // of the line at hand, in its file
  std::vector<char> buffer_;
};

}  // namespace tidegate::traces
