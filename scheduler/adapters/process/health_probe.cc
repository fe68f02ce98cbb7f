#include "scheduler/adapters/process/health_probe.h"

#include <cerrno>
#include <cstdint>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace tidegate::adapters {
namespace {

constexpr std::string_view kRequest = "GET /healthz HTTP/1.0\r\n\r\n";
constexpr std::string_view kHealthy = " 200 ";
constexpr std::size_t kStatusAt = 8;  // after "HTTP/1.x"

bool WouldBlock() { return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS; }

}  // namespace

HealthProbe::HealthProbe(int port, SteadyTime deadline)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), deadline_(deadline) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (fd_.valid() &&
      ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      !WouldBlock()) {
    fd_.reset();
  }
}

short HealthProbe::wait_events() const { return sent_ ? POLLIN : POLLOUT; }

HealthProbe::Result HealthProbe::Step(SteadyTime now) {
  if (!fd_.valid() || now >= deadline_) return Result::kFailed;
  if (!sent_) {
    const ssize_t n = ::send(fd_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    if (n < 0) return WouldBlock() ? Result::kPending : Result::kFailed;
    if (static_cast<std::size_t>(n) != kRequest.size()) return Result::kFailed;
    sent_ = true;
  }
  return Read();
}

HealthProbe::Result HealthProbe::Read() {
  char buffer[512];
  const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  if (n < 0) return WouldBlock() ? Result::kPending : Result::kFailed;
  answer_.append(buffer, static_cast<std::size_t>(n));
  if (answer_.size() < kStatusAt + kHealthy.size()) {
    return n == 0 ? Result::kFailed : Result::kPending;
  }
  const bool healthy = answer_.compare(kStatusAt, kHealthy.size(), kHealthy) == 0;
  return healthy ? Result::kHealthy : Result::kFailed;
}

}  // namespace tidegate::adapters
