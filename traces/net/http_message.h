#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::net {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// In the order in which they are sent. Names compare without case; a name may appear more than
// once.
using Headers = std::vector<Header>;

// The value of the first header of that name, or nullptr.
const std::string* FindHeader(const Headers& headers, std::string_view name);

// One request. Content-Length, Host and Connection are ours: a client sets them, and they need not
// be given.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, as on the request line
  Headers headers;
  std::string body;
};

// One response. A server sets Content-Length and Connection by itself.
struct HttpResponse {
  int status = 200;  // 200..599 where a handler makes one
  Headers headers;
  std::string body;
};

// A response with a body of the given media type.
HttpResponse MakeResponse(int status, std::string_view content_type, std::string body);

// True for methods that may be sent twice without doing anything twice (RFC 9110 9.2.2).
bool IsIdempotent(std::string_view method);

// False if a header name or value, the method or the target has a control character or a blank
// where it would end the field and begin another one.
bool IsSafeToSend(const HttpRequest& request);

}  // namespace tidegate::net
