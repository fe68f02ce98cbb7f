#include "traces/net/http_message.h"

#include <algorithm>
#include <utility>

namespace tidegate::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsWithoutCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return !IsControl(c) && std::string_view(" \"(),/:;<=>?@[\\]{}").find(c) == std::string::npos;
  });
}

bool IsFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return !IsControl(c) || c == '\t'; });
}

}  // namespace

const std::string* FindHeader(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (EqualsWithoutCase(header.name, name)) return &header.value;
  }
  return nullptr;
}

HttpResponse MakeResponse(int status, std::string_view content_type, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", std::string(content_type)}},
          .body = std::move(body)};
}

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

bool IsSafeToSend(const HttpRequest& request) {
  const bool target_is_safe =
      !request.target.empty() && std::none_of(request.target.begin(), request.target.end(),
                                              [](char c) { return IsControl(c) || c == ' '; });
  return target_is_safe && IsToken(request.method) &&
         std::all_of(request.headers.begin(), request.headers.end(), [](const Header& header) {
           return IsToken(header.name) && IsFieldValue(header.value);
         });
}

}  // namespace tidegate::net
