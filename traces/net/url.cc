#include "traces/net/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace tidegate::net {
namespace {

constexpr std::size_t kLongestUrl = 8192;

tl::unexpected<Error> BadUrl(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalid,
              fmt::format("\"{}\" is not a URL that can be used: {}; expected one like "
                          "http://127.0.0.1:9090 or https://[::1]/base",
                          text.substr(0, 200), why));
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    result += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return result;
}

// "host", "host:port", "[v6]", "[v6]:port" into `url`; false if it is none of them.
bool ParseAuthority(std::string_view text, Url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    url.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    const auto hex_or_colon = [](char c) { return HexDigit(c) || c == ':' || c == '.'; };
    if (!std::all_of(url.host.begin(), url.host.end(), hex_or_colon)) return false;
    if (!port.empty() && port[0] != ':') return false;
  } else {
    const auto colon = text.find(':');
    url.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (!std::all_of(url.host.begin(), url.host.end(), IsUnreserved)) return false;
  }
  if (url.host.empty()) return false;
  if (port.empty()) return true;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  return error == std::errc() && end == port.data() + port.size() && url.port != 0;
}

}  // namespace

Expected<Url> ParseUrl(std::string_view text) {
  if (text.size() > kLongestUrl) return BadUrl(text, "it is too long");
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    url.port = 443;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return BadUrl(text, "it does not begin with http:// or https://");
  }
  if (std::any_of(rest.begin(), rest.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
    return BadUrl(text, "it has a blank or a control character");
  }
  if (rest.find('#') != std::string_view::npos) return BadUrl(text, "it has a fragment");
  const auto authority_end = rest.find_first_of("/?");
  const auto authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos) {
    // The text is left out of the message: it may hold a password.
    return Fail(ErrorCode::kInvalid,
                "a URL must not hold a user name or password; give them in files");
  }
  if (!ParseAuthority(authority, url)) return BadUrl(text, "its host or port is wrong");
  if (authority_end == std::string_view::npos) return url;
  rest.remove_prefix(authority_end);
  const auto question = rest.find('?');
  url.path = rest.substr(0, question);
  if (question != std::string_view::npos) url.query = rest.substr(question + 1);
  return url;
}

std::string Authority(const Url& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  std::string text = v6 ? fmt::format("[{}]", url.host) : url.host;
  if (url.port != (url.tls ? 443 : 80)) text += fmt::format(":{}", url.port);
  return text;
}

std::string ToString(const Url& url) {
  return fmt::format("{}://{}{}{}{}", url.tls ? "https" : "http", Authority(url), url.path,
                     url.query.empty() ? "" : "?", url.query);
}

std::string PercentEncode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::string EncodeParameters(const Parameters& parameters) {
  std::string result;
  for (const auto& [name, value] : parameters) {
    if (!result.empty()) result += '&';
    result += PercentEncode(name) + "=" + PercentEncode(value);
  }
  return result;
}

Expected<Target> ParseTarget(std::string_view target) {
  const auto bad = [&] {
    return Fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" has a bad %-escape", target.substr(0, 200)));
  };
  Target result;
  const auto question = target.find('?');
  const auto path = Decode(target.substr(0, question), false);
  if (!path) return bad();
  result.path = *path;
  if (question == std::string_view::npos) return result;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = Decode(pair.substr(0, equals), true);
    const auto value = Decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return bad();
    result.parameters.emplace_back(*name, *value);
  }
  return result;
}

const std::string* FindParameter(const Parameters& parameters, std::string_view name) {
  for (const auto& parameter : parameters) {
    if (parameter.first == name) return &parameter.second;
  }
  return nullptr;
}

}  // namespace tidegate::net
