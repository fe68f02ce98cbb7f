#include "scheduler/journal/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
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

// Builds the value that the parser's events tell of. Boost's own builder takes doubles as its
// parser reckons them, which may be a unit in the last place off; here they are the nearest to
// their text, so that what was written with as many digits as it takes is read back equal. The
// names of what is called are Boost's.
struct Builder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  using Code = json::error_code;
  using Text = json::string_view;

  Builder() { stack.reset(); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t members, Code&) {
    stack.push_object(members);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t elements, Code&) {
    stack.push_array(elements);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Code&) { return Part(part); }
  bool on_key(Text rest, std::size_t, Code&) {
    stack.push_key(rest);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) { return Part(part); }
  bool on_string(Text rest, std::size_t, Code&) {
    stack.push_string(rest);
    return true;
  }
  bool on_number_part(Text part, Code&) {
    number += std::string_view(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, Text, Code&) {
    number.clear();
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, Text, Code&) {
    number.clear();
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double near, Text rest, Code& error) {
    on_number_part(rest, error);
    std::from_chars(number.data(), number.data() + number.size(), near);  // out of range: as it is
    number.clear();
    stack.push_double(near);
    return true;
  }
  bool on_bool(bool value, Code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(Code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  bool Part(Text part) {
    stack.push_chars(part);
    return true;
  }

  json::value_stack stack;
  std::string number;  // its text so far
};

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
    // How much more is not known: whoever read it stopped there.
    return Fail(ErrorCode::kTooLarge, fmt::format("more than {} bytes of JSON; at most so many "
                                                  "are read",
                                                  limits.bytes_max));
  }
  json::parse_options options;
  options.max_depth = limits.depth_max;
  try {
    json::basic_parser<Builder> parser(options);
    json::error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (error) return Fail(ParseError(text, read, error.message()));
    const std::size_t rest = text.find_first_not_of(" \t\r\n", read);
    if (rest != std::string_view::npos) {
      return Fail(ParseError(text, rest, "more text after the document's end"));
    }
    return parser.handler().stack.release();
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
