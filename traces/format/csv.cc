#include "traces/format/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

constexpr std::size_t kMaxProblems = 20;
constexpr double kLongestSeconds = 1e10;
constexpr std::string_view kHeader = "t_seconds,requests";

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(value)) return std::nullopt;
  return value;
}

// Text of a file as it can be shown in a message.
std::string Shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 40)) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    result += printable ? c : '?';
  }
  return text.size() > 40 ? result + "..." : result;
}

class Parser {
 public:
  explicit Parser(std::string_view file) : file_(file) {}

  void Line(std::string_view line) {
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) return;
    if (!header_seen_) return Header(line);
    if (rows_ < kMaxTraceBins) Row(line);
    ++rows_;
  }

  Expected<Trace> Finish() {
    if (rows_ > kMaxTraceBins) {
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("{}: the trace has {} rows; at most {} are read", file_, rows_,
                              kMaxTraceBins));
    }
    if (!header_seen_) Problem(1, fmt::format("the header is missing; expected \"{}\"", kHeader));
    if (header_seen_ && rows_ < 2) {
      Problem(1, fmt::format("the trace has {} rows; expected at least 2", rows_));
    }
    if (problem_count_ == 0) return std::move(trace_);
    if (problem_count_ > kMaxProblems) {
      problems_ += fmt::format("\n{}: and {} more problems", file_, problem_count_ - kMaxProblems);
    }
    return Fail(ErrorCode::kInvalid, std::move(problems_));
  }

 private:
  void Problem(std::size_t column, const std::string& what) {
    if (++problem_count_ > kMaxProblems) return;
    if (!problems_.empty()) problems_ += '\n';
    problems_ +=
        fmt::format("{}:{}:{}: {}", file_, std::max<std::size_t>(number_, 1), column, what);
  }

  void Header(std::string_view line) {
    header_seen_ = true;
    if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // a byte order mark
    if (line == kHeader) return;
    Problem(1, fmt::format("\"{}\" is not the header; expected \"{}\"", Shown(line), kHeader));
  }

  void Row(std::string_view line) {
    const auto comma = line.find(',');
    if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos) {
      return Problem(
          1, fmt::format("\"{}\" is not a row; expected two numbers with one comma", Shown(line)));
    }
    Time(line.substr(0, comma));
    const auto text = line.substr(comma + 1);
    const auto requests = ParseNumber(text);
    if (!requests || *requests < 0 || *requests > kMaxRequestsPerBin) {
      Problem(comma + 2, fmt::format("\"{}\" is not a count of requests; expected a number from 0 "
                                     "to 1e12",
                                     Shown(text)));
    }
    trace_.requests.push_back(requests.value_or(0));
  }

  void Time(std::string_view text) {
    const auto seconds = ParseNumber(text);
    if (!seconds || *seconds < 0 || *seconds > kLongestSeconds) {
      return Problem(1,
                     fmt::format("\"{}\" is not a time; expected seconds since the trace's start",
                                 Shown(text)));
    }
    const Duration at = FromSeconds(*seconds);
    if (std::abs(Seconds(at) - *seconds) > 1e-7 * std::max(1.0, *seconds)) {
      return Problem(1, fmt::format("{} is finer than a millisecond; expected whole milliseconds",
                                    Shown(text)));
    }
    if (rows_ == 1) {
      if (at <= Duration(0)) {
        return Problem(
            1, fmt::format("the second bin starts at {} s; expected a time above 0", Shown(text)));
      }
      trace_.bin = at;
    }
    const Duration expected = trace_.bin * static_cast<Duration::rep>(rows_);
    if (at == expected) return;
    Problem(1,
            fmt::format("the bin starts at {} s; expected {} s, since bins are equal and none is "
                        "left out",
                        Shown(text), Seconds(expected)));
  }

  std::string_view file_;
  std::size_t number_ = 0;
  bool header_seen_ = false;
  std::size_t rows_ = 0;
  Trace trace_;
  std::string problems_;
  std::size_t problem_count_ = 0;
};

}  // namespace

Expected<Trace> ParseTraceCsv(std::string_view text, std::string_view file) {
  Parser parser(file);
  while (!text.empty()) {
    const auto end = text.find('\n');
    parser.Line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parser.Finish();
}

std::string FormatTraceCsv(const Trace& trace, std::string_view comment) {
  TIDEGATE_CHECK(trace.requests.size() >= 2, "a trace has at least two bins");
  std::string text;
  while (!comment.empty()) {
    const auto end = comment.find('\n');
    text += fmt::format("# {}\n", comment.substr(0, end));
    comment.remove_prefix(end == std::string_view::npos ? comment.size() : end + 1);
  }
  text += fmt::format("{}\n", kHeader);
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    const auto at = trace.bin.count() * static_cast<Duration::rep>(i);
    text += at % 1000 == 0 ? fmt::format("{}", at / 1000)
                           : fmt::format("{}.{:03}", at / 1000, at % 1000);
    text += fmt::format(",{}\n", trace.requests[i]);
  }
  return text;
}

}  // namespace tidegate::traces
