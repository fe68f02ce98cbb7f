#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/base/expected.h"

namespace tidegate::net {

// An http or https address, taken apart.
struct Url {
  bool tls = false;
  std::string host;  // a name or an address; an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string path;   // begins with '/', or is empty
  std::string query;  // without the '?'
  bool operator==(const Url&) const = default;
};

// "http://host", "https://[::1]:9090/base?x=1". The default port follows the scheme. A user name or
// password in the address is an error (secrets belong in files), and so is a fragment.
Expected<Url> ParseUrl(std::string_view text);

// The inverse of ParseUrl; leaves out a default port.
std::string ToString(const Url& url);

// "host:port" as the Host header wants it: brackets around IPv6, no default port.
std::string Authority(const Url& url);

// Percent-encodes everything but letters, digits and "-._~".
std::string PercentEncode(std::string_view text);

// Name and value pairs as "a=1&b=2", encoded: a query, or a form body.
using Parameters = std::vector<std::pair<std::string, std::string>>;
std::string EncodeParameters(const Parameters& parameters);

// A request target taken apart and decoded.
struct Target {
  std::string path;
  Parameters parameters;
};

// Decodes "/a%20b?x=1&y=a+b". A bad escape is an error (kInvalid).
Expected<Target> ParseTarget(std::string_view target);

// The value of the first parameter of that name, or nullptr.
const std::string* FindParameter(const Parameters& parameters, std::string_view name);

}  // namespace tidegate::net
