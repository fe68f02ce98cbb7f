#include "traces/import/json_log.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "traces/import/line_template.h"

namespace tidegate::traces {
namespace {

constexpr int kDeepest = 64;
constexpr const char* kBroken = "it is no complete JSON object";

std::vector<std::string> Names(const std::string& chosen, std::vector<std::string> usual) {
  return chosen.empty() ? std::move(usual) : std::vector{chosen};
}

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool Take(std::string_view& text, char wanted) {
  SkipBlanks(text);
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// A string, whose opening quote is still ahead. False if it does not end.
bool TakeString(std::string_view& text, std::string_view& inside, bool& escaped) {
  if (!Take(text, '"')) return false;
  escaped = false;
  std::size_t at = 0;
  for (;;) {
    const auto* const found =
        static_cast<const char*>(std::memchr(text.data() + at, '"', text.size() - at));
    if (found == nullptr) return false;
    const auto end = static_cast<std::size_t>(found - text.data());
    std::size_t slashes = 0;
    while (slashes < end && text[end - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) {
      inside = text.substr(0, end);
      text.remove_prefix(end + 1);
      break;
    }
    at = end + 1;
  }
  escaped = std::memchr(inside.data(), '\\', inside.size()) != nullptr;
  return true;
}

// An object or array, with all that is in it.
bool SkipNested(std::string_view& text) {
  int depth = 0;
  std::string_view inside;
  bool escaped = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"') {
      if (!TakeString(text, inside, escaped)) return false;
      continue;
    }
    text.remove_prefix(1);
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth == 0) return true;
    if (depth > kDeepest) return false;
  }
  return false;
}

unsigned Hex4(std::string_view text) {
  unsigned code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, code, 16);
  return error == std::errc() && end == text.data() + 4 ? code : 0x10000U;
}

void AppendUtf8(unsigned code, std::string& plain) {
  const auto byte = [&](unsigned value) { plain += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0U | (code >> 6));
  } else {
    byte(0xE0U | (code >> 12));
    byte(0x80U | ((code >> 6) & 0x3FU));
  }
  byte(0x80U | (code & 0x3FU));
}

}  // namespace

void Unescape(std::string_view escaped, std::string& plain) {
  plain.clear();
  while (!escaped.empty()) {
    const std::size_t slash = std::min(escaped.find('\\'), escaped.size());
    plain += escaped.substr(0, slash);
    escaped.remove_prefix(slash);
    if (escaped.size() < 2) {
      plain += escaped;
      return;
    }
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    const std::size_t known = kFrom.find(escaped[1]);
    const unsigned code =
        escaped[1] == 'u' && escaped.size() >= 6 ? Hex4(escaped.substr(2)) : 0x10000U;
    if (known != std::string_view::npos) {
      plain += kTo[known];
      escaped.remove_prefix(2);
    } else if (code < 0xD800 || (code > 0xDFFF && code < 0x10000)) {
      AppendUtf8(code, plain);
      escaped.remove_prefix(6);
    } else {
      plain += escaped.front();
      escaped.remove_prefix(1);
    }
  }
}

void JsonParser::Wanted::Offer(std::string_view name, std::string_view text, bool has_escapes) {
  for (std::size_t i = 0; i < rank; ++i) {
    if (names[i] != name) continue;
    rank = i;
    value = text;
    escaped = has_escapes;
    return;
  }
}

std::string_view JsonParser::Wanted::Plain() {
  if (!escaped) return value;
  Unescape(value, plain);
  return plain;
}

JsonParser::JsonParser(const JsonFields& fields, Duration utc_offset) : time_(utc_offset) {
  time_wanted_.names = Names(fields.time, {"start_time", "@timestamp", "timestamp", "time",
                                           "time_iso8601", "time_local", "msec", "ts", "StartUTC"});
  status_.names = Names(fields.status, {"response_code", "status", "status_code",
                                        "DownstreamStatus", "OriginStatus"});
  path_.names = Names(fields.path, {"path", "uri", "request_uri", "RequestPath", "url"});
  host_.names =
      Names(fields.host, {"authority", "host", "http_host", "RequestHost", "server_name"});
  request_.names = {"request"};
}

// The members of an object whose opening brace has been taken.
const char* JsonParser::Members(std::string_view text) {
  for (Wanted* wanted : {&time_wanted_, &status_, &path_, &host_, &request_}) {
    wanted->rank = wanted->names.size();
    wanted->value = {};
    wanted->escaped = false;
  }
  if (Take(text, '}')) return nullptr;
  for (;;) {
    std::string_view name, value;
    bool escaped = false;
    if (!TakeString(text, name, escaped) || !Take(text, ':')) return kBroken;
    SkipBlanks(text);
    if (text.empty()) return kBroken;
    const bool nested = text.front() == '{' || text.front() == '[';
    escaped = false;
    if (nested) {
      if (!SkipNested(text)) return kBroken;
    } else if (text.front() == '"') {
      if (!TakeString(text, value, escaped)) return kBroken;
    } else {
      value = text.substr(0, text.find_first_of(",}] \t"));
      text.remove_prefix(value.size());
      if (value == "null") value = {};
    }
    if (!value.empty()) {
      for (Wanted* wanted : {&time_wanted_, &status_, &path_, &host_, &request_}) {
        wanted->Offer(name, value, escaped);
      }
    }
    if (Take(text, ',')) continue;
    return Take(text, '}') ? nullptr : kBroken;
  }
}

const char* JsonParser::Parse(std::string_view line, LogLine& out) {
  const std::size_t open = line.find('{');
  if (open == std::string_view::npos) return kBroken;
  if (const char* wrong = Members(line.substr(open + 1))) return wrong;
  out = {};
  if (!time_wanted_.found()) return "it has no time; name its member with --time-field";
  if (!time_.Read(time_wanted_.Plain(), out.at_ms)) return "the time cannot be read";
  if (status_.found() && !ReadStatus(status_.Plain(), out.status)) {
    return "the status is no number of three digits";
  }
  out.path = path_.Plain();
  out.host = host_.Plain();
  out.request = request_.Plain();
  return nullptr;
}

}  // namespace tidegate::traces
