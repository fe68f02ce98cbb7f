#include "scheduler/journal/json_text.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tidegate::journal {
namespace {

namespace json = boost::json;

Error ParseError(std::string_view text, std::size_t offset, const std::string& what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {ErrorCode::kInvalid,
          fmt::format("{}:{}: not JSON: {}", line, before.size() - line_start + 1, what)};
}

void Write(const json::value& value, std::string& out);

void Write(const json::object& object, std::string& out) {
  out += '{';
  const char* separator = "";
  for (const auto& member : object) {
    out += separator;
    out += json::serialize(json::string(member.key()));
    out += ':';
    Write(member.value(), out);
    separator = ",";
  }
  out += '}';
}

void Write(const json::array& array, std::string& out) {
  out += '[';
  const char* separator = "";
  for (const json::value& element : array) {
    out += separator;
    Write(element, out);
    separator = ",";
  }
  out += ']';
}

void Write(double number, std::string& out) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!std::isfinite(number)) {
    out += "null";
  } else if (number == std::trunc(number) && std::abs(number) < kExact) {
    fmt::format_to(std::back_inserter(out), "{:.0f}", number == 0 ? 0.0 : number);
  } else {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
}

void Write(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::object: return Write(value.get_object(), out);
    case json::kind::array: return Write(value.get_array(), out);
    case json::kind::double_: return Write(value.get_double(), out);
    default: out += json::serialize(value);
  }
}

}  // namespace

Expected<json::value> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Fail(ErrorCode::kTooLarge, fmt::format("{} bytes of JSON; at most {} are read",
                                                  text.size(), limits.bytes_max));
  }
  json::parse_options options;
  options.max_depth = limits.depth_max;
  try {
    json::stream_parser parser({}, options);
    json::error_code error;
    const std::size_t read = parser.write_some(text.data(), text.size(), error);
    if (error) return Fail(ParseError(text, read, error.message()));
    const std::size_t rest = text.find_first_not_of(" \t\r\n", read);
    if (rest != std::string_view::npos) {
      return Fail(ParseError(text, rest, "more text after the document's end"));
    }
    parser.finish(error);
    if (error) return Fail(ParseError(text, text.size(), error.message()));
    return parser.release();
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalid, fmt::format("not JSON: {}", error.what()));
  }
}

std::string WriteJson(const json::value& value) {
  std::string out;
  Write(value, out);
  return out;
}

}  // namespace tidegate::journal
