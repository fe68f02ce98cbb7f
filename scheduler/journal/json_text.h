#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policies/base/expected.h"

namespace boost::json {
class value;
}  // namespace boost::json

namespace tidegate::journal {

struct JsonLimits {
  std::size_t bytes_max = std::size_t{64} << 20;
  std::size_t depth_max = 16;
};

// Parses one JSON document; a double is the one nearest to its text. Errors say line and column.
Expected<boost::json::value> ParseJson(std::string_view text, const JsonLimits& limits);

// One line of JSON, fields in the order in which they were added. Doubles are written with as few
// digits as read back equal, whole ones without an exponent; NaN and infinities become null.
std::string WriteJson(const boost::json::value& value);

}  // namespace tidegate::journal
