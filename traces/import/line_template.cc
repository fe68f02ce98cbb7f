#include "traces/import/line_template.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "policies/base/check.h"

namespace tidegate::traces {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Where `end` begins in `text`, which stands between quotes if `quoted`; npos: nowhere.
std::size_t FindEnd(std::string_view text, std::string_view end, bool quoted) {
  const char* const first = text.data();
  const char* at = first;
  std::size_t left = text.size();
  while (left >= end.size()) {
    const auto* const found = static_cast<const char*>(std::memchr(at, end.front(), left));
    if (found == nullptr) return std::string_view::npos;
    const auto offset = static_cast<std::size_t>(found - first);
    bool escaped = false;
    if (quoted) {
      for (std::size_t i = offset; i > 0 && first[i - 1] == '\\'; --i) escaped = !escaped;
    }
    if (!escaped && text.substr(offset, end.size()) == end) return offset;
    at = found + 1;
    left = text.size() - offset - 1;
  }
  return std::string_view::npos;
}

}  // namespace

bool ReadStatus(std::string_view text, int& status) {
  if (text.size() == 3 && IsDigit(text[0]) && IsDigit(text[1]) && IsDigit(text[2])) {
    status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return true;
  }
  status = 0;
  return text == "-" || text == "0" || text == "-1";
}

TemplateParser::TemplateParser(LogFormat format, TemplateOptions options)
    : options_(std::move(options)), time_(options_.utc_offset) {
  const auto needed = [&](LogField field) {
    if (field == LogField::kHost) return options_.needs_host;
    if (field == LogField::kRequest || field == LogField::kPath) return options_.needs_request;
    return field != LogField::kIgnored && field != LogField::kPort;
  };
  std::vector<FormatPiece>& pieces = format.pieces;
  TIDEGATE_CHECK(!pieces.empty(), "a format has a field");
  begin_ = pieces.front().literal;
  std::size_t count = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string& end = i + 1 < pieces.size() ? pieces[i + 1].literal : format.tail;
    const bool quoted = pieces[i].literal.ends_with('"') && end.starts_with('"');
    steps_.push_back({pieces[i].field, end, quoted});
    if (needed(pieces[i].field)) count = i + 1;
  }
  TIDEGATE_CHECK(count > 0, "a format has a time");
  steps_.resize(count);
  // A quoted field that is the last one needed ends at its quote, whatever is behind it.
  if (steps_.back().quoted) steps_.back().end = "\"";
}

const char* TemplateParser::Take(LogField field, std::string_view text, LogLine& out) {
  switch (field) {
    case LogField::kTime: return time_.Read(text, out.at_ms) ? nullptr : "the time cannot be read";
    case LogField::kStatus:
      return ReadStatus(text, out.status) ? nullptr : "the status is no number of three digits";
    case LogField::kPort:
      return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit)
                 ? nullptr
                 : "the port is no number";
    case LogField::kRequest: out.request = text; return nullptr;
    case LogField::kPath: out.path = text; return nullptr;
    case LogField::kHost: out.host = text == "-" ? std::string_view() : text; return nullptr;
    case LogField::kIgnored: break;
  }
  return nullptr;
}

const char* TemplateParser::Parse(std::string_view line, LogLine& out) {
  if (!line.starts_with(begin_)) return "it does not begin as the format does";
  line.remove_prefix(begin_.size());
  out = {};
  for (const Step& step : steps_) {
    const bool last = &step == &steps_.back();
    std::size_t end = line.size();
    if (!step.end.empty()) end = FindEnd(line, step.end, step.quoted);
    if (end == std::string_view::npos) {
      // What is behind the last field that we need may have been cut off with its end.
      if (!last || step.quoted) return "it has fewer fields than the format";
      end = line.size();
    }
    if (const char* wrong = Take(step.field, line.substr(0, end), out)) return wrong;
    line.remove_prefix(std::min(end + step.end.size(), line.size()));
  }
  return nullptr;
}

}  // namespace tidegate::traces
