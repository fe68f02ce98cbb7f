#include "scheduler/telemetry/redact.h"

#include <algorithm>
#include <array>

namespace tidegate::telemetry {
namespace {

constexpr std::string_view kMask = "[redacted]";
constexpr std::array<std::string_view, 6> kSecretKeys = {"token",         "password",   "secret",
                                                         "authorization", "credential", "api_key"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Where `word` (lower case) stands in `text`, whatever the case; npos if nowhere from `from` on.
std::size_t FindWord(std::string_view text, std::string_view word, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const auto at =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(),
                  word.end(), [](char a, char b) { return Lower(a) == b; });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

bool IsSecretKey(std::string_view key) {
  if (key.size() >= 5 && key.substr(key.size() - 5) == "_file") return false;
  return std::any_of(kSecretKeys.begin(), kSecretKeys.end(), [&](std::string_view word) {
    return FindWord(key, word, 0) != std::string_view::npos;
  });
}

// Masks what follows each `scheme` up to the next blank, comma or quote.
void MaskAfter(std::string_view scheme, std::string& text) {
  for (std::size_t at = FindWord(text, scheme, 0); at != std::string::npos;
       at = FindWord(text, scheme, at + scheme.size())) {
    const std::size_t begin = at + scheme.size();
    const std::size_t end = std::min(text.find_first_of(" \t\r\n,;\"'", begin), text.size());
    // A short word after "basic" is prose; no credentials are that short.
    if (end - begin >= 8) text.replace(begin, end - begin, kMask);
  }
}

// "scheme://user:password@host" keeps the scheme and the host.
void MaskUserInfo(std::string& text) {
  constexpr std::string_view kSeparator = "://";
  for (std::size_t at = text.find(kSeparator); at != std::string::npos;
       at = text.find(kSeparator, at + kSeparator.size())) {
    const std::size_t begin = at + kSeparator.size();
    const std::size_t end = std::min(text.find_first_of("/?# \t\r\n\"'", begin), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign >= begin && sign < end) {
      text.replace(begin, sign - begin, kMask);
    }
  }
}

}  // namespace

std::string Redact(std::string_view key, std::string_view value) {
  if (IsSecretKey(key)) return std::string(kMask);
  std::string text(value);
  MaskUserInfo(text);
  MaskAfter("bearer ", text);
  MaskAfter("basic ", text);
  return text;
}

}  // namespace tidegate::telemetry
