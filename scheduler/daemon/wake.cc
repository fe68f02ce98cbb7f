#include "scheduler/daemon/wake.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace tidegate::daemon {

Expected<Waker> Waker::Create() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const int signals = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  const int events = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signals >= 0 && events >= 0) return Waker(events, signals);
  return Fail(ErrorCode::kInternal, std::string("signalfd: ") + std::strerror(errno));
}

Waker::~Waker() {
  if (events_ >= 0) ::close(events_);
  if (signals_ >= 0) ::close(signals_);
}

Waker::Waker(Waker&& other) noexcept
    : events_(std::exchange(other.events_, -1)), signals_(std::exchange(other.signals_, -1)) {}

void Waker::Notify() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(events_, &one, sizeof(one));
}

std::optional<Wakeup> Waker::ReadSignal() const {
  signalfd_siginfo info{};
  std::optional<Wakeup> wakeup;
  while (::read(signals_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo != SIGHUP) return Wakeup::kStop;
    wakeup = Wakeup::kReload;
  }
  return wakeup;
}

Wakeup Waker::Wait(Duration at_most) {
  std::array<pollfd, 2> fds{{{signals_, POLLIN, 0}, {events_, POLLIN, 0}}};
  const auto millis = std::clamp<std::int64_t>(at_most.count(), 0, 3'600'000);
  ::poll(fds.data(), fds.size(), static_cast<int>(millis));
  if (const auto wakeup = ReadSignal()) return *wakeup;
  std::uint64_t count = 0;
  if (::read(events_, &count, sizeof(count)) > 0) return Wakeup::kEvent;
  return Wakeup::kTimeout;
}

}  // namespace tidegate::daemon
