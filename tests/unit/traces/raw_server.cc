#include "tests/unit/traces/raw_server.h"

#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policies/base/check.h"

namespace tidegate::net {

namespace {

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

int ConnectTo(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  TIDEGATE_CHECK(connect(descriptor, generic, sizeof(address)) == 0, "the port is served");
  return descriptor;
}

void CloseDescriptor(int descriptor) { close(descriptor); }

RawServer::RawServer(Serve serve) : serve_(std::move(serve)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(listener_, generic, size) == 0 && listen(listener_, 64) == 0 &&
                     getsockname(listener_, generic, &size) == 0;
  TIDEGATE_CHECK(bound, "a loopback port can be bound");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

RawServer::~RawServer() {
  shutdown(listener_, SHUT_RDWR);  // ends a pending accept
  thread_.join();
  close(listener_);
}

void RawServer::Run() {
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    serve_(descriptor, connections_++);
    close(descriptor);
  }
}

std::string ReadRequestHeader(int descriptor) {
  std::string text;
  char c = 0;
  while (!text.ends_with("\r\n\r\n")) {
    if (recv(descriptor, &c, 1, 0) != 1) return "";
    text += c;
  }
  return text;
}

void WriteAll(int descriptor, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto count = send(descriptor, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

}  // namespace tidegate::net
