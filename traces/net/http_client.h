#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/net/credentials.h"
#include "traces/net/http_message.h"
#include "traces/net/tls_context.h"
#include "traces/net/url.h"

namespace tidegate::net {

struct HttpClientOptions {
  TlsOptions tls;  // used by https URLs only
  Credentials credentials;
  Headers headers;          // sent with every request
  std::string unix_socket;  // if not empty, connect here; the URL still gives Host and base path
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = 64 * 1024 * 1024;  // as received, and once unpacked
  Duration max_idle = std::chrono::seconds(60);   // an older kept connection is not reused
  bool accept_gzip = true;                        // ask for gzip and unpack it
  std::string user_agent = "tidegate";
};

struct HttpClientCounts {
  std::uint64_t requests = 0;
  std::uint64_t connections = 0;  // opened
  std::uint64_t reconnects = 0;   // requests sent again since a kept connection had been closed
};

// A blocking HTTP/1.1 client for one base URL. It keeps one connection open between requests. Not
// thread-safe; one request at a time. Redirects are returned, not followed.
class HttpClient {
 public:
  // Reads the TLS files, opens nothing yet. kInvalid if the options contradict each other or a file
  // cannot be used.
  static Expected<HttpClient> Create(const Url& base, HttpClientOptions options);

  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Sends `request` to the base URL's path followed by its target ("/api/v1/query?..."). The
  // deadline covers all of it: name resolution, connecting, TLS, writing and reading. If a kept
  // connection turns out to have been closed, an idempotent request is sent once more on a new one.
  //
  // Any complete response is a success, whatever its status. Errors: kUnavailable (cannot resolve
  // or connect, connection lost, body cut short), kTimeout, kTooLarge, kDenied (the server's
  // certificate was refused; a secret file cannot be read), kInvalid (the answer is not HTTP; the
  // request has characters that must not be sent).
  Expected<HttpResponse> Send(const HttpRequest& request, Duration deadline);

  HttpClientCounts counts() const;
  const Url& base() const;

 private:
  class Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::net
