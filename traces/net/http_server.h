#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/net/http_message.h"

namespace tidegate::net {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an address, not a name
  std::uint16_t port = 0;          // 0: any free one, see HttpServer::port()
  int threads = 1;
  std::size_t max_connections = 1024;  // more wait in the listen queue
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_body_bytes = 1024 * 1024;
  Duration idle_timeout = std::chrono::seconds(75);  // until the next request's header is complete
  Duration read_timeout = std::chrono::seconds(10);  // first header; each body; each write
  Duration stop_grace = std::chrono::seconds(2);     // for requests in progress when stopping
};

// Answers a request. Called on a thread of the server, so a slow handler delays others; with
// threads > 1 it is called concurrently. An exception becomes a 500 without its text.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// The right to answer one request, once, from any thread and at any time, even after the server is
// gone (then nothing happens). Copies share the right; a second answer is ignored. When the last
// copy goes unused the client gets a 500.
class Responder {
 public:
  void Send(HttpResponse response);
  // Answers `delay` later, by the server's own timer: no thread waits.
  void SendAfter(Duration delay, HttpResponse response);

  struct State;
  explicit Responder(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};
using AsyncHttpHandler = std::function<void(const HttpRequest&, Responder)>;

// An HTTP/1.1 server with its own threads and keep-alive. Thread-safe.
class HttpServer {
 public:
  // Binds, listens and serves. kUnavailable if the address is in use, kInvalid if it is no address.
  static Expected<std::unique_ptr<HttpServer>> Start(HttpServerOptions options,
                                                     HttpHandler handler);
  static Expected<std::unique_ptr<HttpServer>> StartAsync(HttpServerOptions options,
                                                          AsyncHttpHandler handler);

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // stops

  std::uint16_t port() const;
  // "http://127.0.0.1:34567".
  std::string url() const;

  // Refuses new connections, lets requests in progress finish within stop_grace, then joins the
  // threads. Must not be called from a handler. A second call does nothing.
  void Stop();

 private:
  class Core;
  explicit HttpServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace tidegate::net
