#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace tidegate::net {

// A server for what HttpServer never does: it accepts loopback connections one after the other and
// hands each to a function on its own thread. Used to cut responses short, to close kept
// connections, and to speak TLS.
class RawServer {
 public:
  using Serve = std::function<void(int descriptor, int connection_number)>;
  explicit RawServer(Serve serve);
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void Run();

  Serve serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// Reads up to the end of one request's header; "" if the client closed.
std::string ReadRequestHeader(int descriptor);
// A descriptor connected to a loopback port.
int ConnectTo(std::uint16_t port);
void CloseDescriptor(int descriptor);
void WriteAll(int descriptor, const std::string& text);

}  // namespace tidegate::net
