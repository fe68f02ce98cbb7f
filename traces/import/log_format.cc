// Formats of Nginx, Apache and Envoy taken apart.

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "traces/import/line_template.h"

namespace tidegate::traces {
namespace {

using Named = std::pair<std::string_view, LogField>;

constexpr std::array<Named, 11> kNginxFields = {{{"time_local", LogField::kTime},
                                                 {"time_iso8601", LogField::kTime},
                                                 {"msec", LogField::kTime},
                                                 {"request", LogField::kRequest},
                                                 {"request_uri", LogField::kPath},
                                                 {"uri", LogField::kPath},
                                                 {"status", LogField::kStatus},
                                                 {"host", LogField::kHost},
                                                 {"http_host", LogField::kHost},
                                                 {"server_name", LogField::kHost},
                                                 {"server_port", LogField::kPort}}};

LogField FieldOf(std::string_view name, const auto& table) {
  for (const Named& row : table) {
    if (row.first == name) return row.second;
  }
  return LogField::kIgnored;
}

bool IsNameByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Collects the pieces of a format, and the first thing that is wrong with it.
class Builder {
 public:
  void Literal(char c) { literal_ += c; }
  void Literal(std::string_view text) { literal_ += text; }
  void Field(LogField field, std::string_view name) {
    if (literal_.empty() && !format_.pieces.empty()) {
      Wrong(fmt::format("nothing stands between {} and the field before it", name));
    }
    // The first of several that mean the same is taken.
    const bool again = std::any_of(format_.pieces.begin(), format_.pieces.end(),
                                   [&](const FormatPiece& piece) { return piece.field == field; });
    format_.pieces.push_back({std::exchange(literal_, {}), again ? LogField::kIgnored : field});
  }
  void Wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }
  Expected<LogFormat> Finish(std::string_view times) {
    const bool has_time =
        std::any_of(format_.pieces.begin(), format_.pieces.end(),
                    [](const FormatPiece& piece) { return piece.field == LogField::kTime; });
    if (!has_time) Wrong(fmt::format("there is no time in it; expected {}", times));
    if (!wrong_.empty())
      return Fail(ErrorCode::kInvalid, "the log format cannot be used: " + wrong_);
    format_.tail = std::move(literal_);
    return std::move(format_);
  }

 private:
  LogFormat format_;
  std::string literal_;
  std::string wrong_;
};

// "%{...}t": the ones that say seconds, milliseconds or microseconds since 1970.
LogField ApacheTime(std::string_view argument, Builder& builder) {
  for (const std::string_view prefix : {"begin:", "end:"}) {
    if (argument.starts_with(prefix)) argument.remove_prefix(prefix.size());
  }
  if (argument == "sec" || argument == "msec" || argument == "usec") return LogField::kTime;
  builder.Wrong(
      fmt::format("%{{{}}}t is a time that we cannot read; expected %t, %{{sec}}t, "
                  "%{{msec}}t or %{{usec}}t",
                  Printable(argument, 40)));
  return LogField::kIgnored;
}

bool IsHostHeader(std::string_view name) {
  return name.size() == 4 && std::equal(name.begin(), name.end(), "host", [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

LogField ApacheField(char letter, std::string_view argument, Builder& builder) {
  switch (letter) {
    case 'r': return LogField::kRequest;
    case 's': return LogField::kStatus;
    case 'U': return LogField::kPath;
    case 'v':
    case 'V': return LogField::kHost;
    case 'p': return LogField::kPort;
    case 'i': return IsHostHeader(argument) ? LogField::kHost : LogField::kIgnored;
    case 't': return ApacheTime(argument, builder);
    default: return LogField::kIgnored;
  }
}

// One directive behind its '%'; returns what is left of the text.
std::string_view ApacheDirective(std::string_view text, Builder& builder) {
  const std::string_view whole = text;
  // "%>s", "%400,501{User-agent}i", "%!200r"
  const std::size_t modifiers = std::min(text.find_first_not_of("<>!,0123456789"), text.size());
  text.remove_prefix(modifiers);
  std::string_view argument;
  if (text.starts_with('{')) {
    const std::size_t close = std::min(text.find('}'), text.size() - 1);
    argument = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  }
  if (text.starts_with('^') && text.size() >= 3) text.remove_prefix(2);  // "%^FB"
  if (text.empty()) {
    builder.Wrong("it ends inside a directive");
    return text;
  }
  const char letter = text.front();
  text.remove_prefix(1);
  const std::string name = "%" + Printable(whole.substr(0, whole.size() - text.size()), 40);
  if (letter == 't' && argument.empty()) {  // %t writes the brackets itself
    builder.Literal('[');
    builder.Field(LogField::kTime, name);
    builder.Literal(']');
  } else {
    builder.Field(ApacheField(letter, argument, builder), name);
  }
  return text;
}

LogField EnvoyField(std::string_view name, Builder& builder) {
  const std::size_t open = name.find('(');
  const std::string_view command = name.substr(0, open);
  std::string_view argument = open == std::string_view::npos ? "" : name.substr(open + 1);
  argument = argument.substr(0, argument.rfind(')'));
  if (command == "START_TIME") {
    const bool read = argument.empty() || argument.starts_with("%s") ||
                      argument.starts_with("%Y-%m-%dT%H:%M:%S") ||
                      argument.starts_with("%Y-%m-%d %H:%M:%S");
    if (!read) {
      builder.Wrong(
          fmt::format("START_TIME({}) is a time that we cannot read; expected the "
                      "default, %s or %Y-%m-%dT%H:%M:%S",
                      Printable(argument, 40)));
    }
    return LogField::kTime;
  }
  if (command == "RESPONSE_CODE") return LogField::kStatus;
  if (command != "REQ") return LogField::kIgnored;
  if (argument.find(":PATH") != std::string_view::npos) return LogField::kPath;
  return argument == ":AUTHORITY" || IsHostHeader(argument) ? LogField::kHost : LogField::kIgnored;
}

}  // namespace

Expected<LogFormat> ParseNginxFormat(std::string_view text) {
  Builder builder;
  while (!text.empty()) {
    if (text.front() != '$') {
      builder.Literal(text.front());
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const bool braces = text.starts_with('{');
    if (braces) text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && IsNameByte(text[end])) ++end;
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(end);
    if (name.empty() || (braces && !text.starts_with('}'))) builder.Wrong("a $ without a name");
    if (braces && !text.empty()) text.remove_prefix(1);
    builder.Field(FieldOf(name, kNginxFields), fmt::format("${}", name));
  }
  return builder.Finish("$time_local, $time_iso8601 or $msec");
}

Expected<LogFormat> ParseApacheFormat(std::string_view text) {
  Builder builder;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    const char next = text.empty() ? '\0' : text.front();
    if (c == '\\' && (next == '"' || next == '\\' || next == 't')) {  // as in httpd.conf
      builder.Literal(next == 't' ? '\t' : next);
      text.remove_prefix(1);
    } else if (c == '%' && next == '%') {
      builder.Literal('%');
      text.remove_prefix(1);
    } else if (c == '%') {
      text = ApacheDirective(text, builder);
    } else {
      builder.Literal(c);
    }
  }
  return builder.Finish("%t, %{sec}t, %{msec}t or %{usec}t");
}

Expected<LogFormat> ParseEnvoyFormat(std::string_view text) {
  Builder builder;
  if (text.ends_with("\\n")) text.remove_suffix(2);
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '%') {
      builder.Literal(c);
      continue;
    }
    if (text.starts_with('%')) {
      builder.Literal('%');
      text.remove_prefix(1);
      continue;
    }
    std::size_t end = 0;
    for (int depth = 0; end < text.size() && (text[end] != '%' || depth > 0); ++end) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    }
    if (end == text.size()) builder.Wrong("a % without its end");
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    builder.Field(EnvoyField(name, builder), fmt::format("%{}%", Printable(name, 40)));
  }
  return builder.Finish("%START_TIME%");
}

Expected<LogFormat> ParseLogFormat(std::string_view text) {
  if (text.find("%START_TIME") != std::string_view::npos) return ParseEnvoyFormat(text);
  if (text.find('$') != std::string_view::npos) return ParseNginxFormat(text);
  if (text.find('%') != std::string_view::npos) return ParseApacheFormat(text);
  return Fail(ErrorCode::kInvalid,
              "the log format cannot be used: there is no field in it; expected Nginx's $names, "
              "Apache's %letters or Envoy's %NAMES%");
}

}  // namespace tidegate::traces
