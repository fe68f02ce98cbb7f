#include "traces/import/filter.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "policies/base/suggest.h"

namespace tidegate::traces {
namespace {

bool EqualWithoutCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// "a.example:8080" -> "a.example"; an IPv6 address stays in its brackets.
std::string_view WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon == std::string_view::npos) return host;
  if (bracket != std::string_view::npos && bracket > colon) return host;
  return host.substr(0, colon);
}

bool IsHost(std::string_view wanted, std::string_view logged) {
  return EqualWithoutCase(wanted, logged) || EqualWithoutCase(wanted, WithoutPort(logged));
}

bool ReadCode(std::string_view text, unsigned& code) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  return error == std::errc() && end == text.data() + text.size() && code < kStatuses;
}

// One part as a first and a last status.
bool ReadPart(std::string_view part, unsigned& first, unsigned& last) {
  if (part.size() == 3 && (part.ends_with("xx") || part.ends_with("XX"))) {
    if (!ReadCode(part.substr(0, 1), first) || first == 0) return false;
    first *= 100;
    last = first + 99;
    return true;
  }
  const std::size_t dash = part.find('-');
  if (!ReadCode(part.substr(0, dash), first)) return false;
  last = first;
  return dash == std::string_view::npos || ReadCode(part.substr(dash + 1), last);
}

}  // namespace

bool LineFilter::Matches(const LogLine& line) const {
  if (statuses.any() && !statuses[static_cast<std::size_t>(line.status)]) return false;
  if (!path_prefixes.empty()) {
    const std::string_view path = PathOf(line);
    const bool one = std::any_of(path_prefixes.begin(), path_prefixes.end(),
                                 [&](const std::string& p) { return path.starts_with(p); });
    if (!one) return false;
  }
  if (hosts.empty()) return true;
  const std::string_view host = HostOf(line);
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& wanted) { return IsHost(wanted, host); });
}

Expected<std::bitset<kStatuses>> ParseStatuses(std::string_view text) {
  std::bitset<kStatuses> statuses;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    unsigned first = 0, last = 0;
    if (!ReadPart(part, first, last) || first > last) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("\"{}\" is no status; expected 2xx, 404, 500-599, or several with "
                              "commas between",
                              Printable(part, 40)));
    }
    for (unsigned code = first; code <= last; ++code) statuses.set(code);
    if (comma == std::string_view::npos) return statuses;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace tidegate::traces
