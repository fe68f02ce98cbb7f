#include "scheduler/adapters/process/posix.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tidegate::adapters {

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void OwnedFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int OwnedFd::release() { return std::exchange(fd_, -1); }

Error SystemError(std::string_view what) {
  const int code = errno;
  return {code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInternal,
          fmt::format("cannot {}: {}", what, std::generic_category().message(code))};
}

Expected<void> MakeDirectory(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return Fail(SystemError("create the directory " + part));
    }
    if (end == std::string::npos) return {};
  }
}

std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Expected<void> RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) {
    return Fail(ErrorCode::kInternal, fmt::format("cannot remove {}: {}", path, error.message()));
  }
  return {};
}

Expected<std::string> ReadFileBounded(const std::string& path, std::size_t max_bytes) {
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Fail(SystemError("read " + path));
  std::string text;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(SystemError("read " + path));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > max_bytes) {
      return Fail(ErrorCode::kTooLarge, fmt::format("{} is larger than {} bytes", path, max_bytes));
    }
  }
}

namespace {

Expected<void> WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(SystemError("write " + path));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return Fail(SystemError("sync " + path));
  return {};
}

}  // namespace

Expected<void> WriteFileAtomic(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  {
    const OwnedFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.valid()) return Fail(SystemError("create " + temporary));
    TIDEGATE_TRY_VOID(WriteAll(fd.get(), text, temporary));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return Fail(SystemError("replace " + path));
  const std::string parent = path.substr(0, path.rfind('/'));
  const OwnedFd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) {
    return Fail(SystemError("sync the directory " + parent));
  }
  return {};
}

void TruncateIfLarger(const std::string& path, std::size_t max_bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  if (static_cast<std::size_t>(status.st_size) <= max_bytes) return;
  // Losing this race or failing leaves a larger file, which the next call sees again.
  [[maybe_unused]] const int result = ::truncate(path.c_str(), 0);
}

Expected<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return Fail(SystemError("run " + name));
  }
  const char* variable = std::getenv("PATH");
  const std::string places = std::string(variable == nullptr ? "" : variable) +
                             ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin";
  for (std::size_t begin = 0; begin < places.size();) {
    const std::size_t end = std::min(places.find(':', begin), places.size());
    const std::string path = places.substr(begin, end - begin) + "/" + name;
    if (end > begin && ::access(path.c_str(), X_OK) == 0) return path;
    begin = end + 1;
  }
  return Fail(ErrorCode::kNotFound, fmt::format("there is no program {} that can be run", name));
}

Expected<OwnedFd> LockFile(const std::string& path, Duration patience) {
  OwnedFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return Fail(SystemError("open " + path));
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Fail(SystemError("lock " + path));
    if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(ErrorCode::kConflict, fmt::format("another process holds {}", path));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fd;
}

Expected<ReservedPort> ReservePort(const std::string& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
    return Fail(ErrorCode::kInvalid, fmt::format("'{}' is not an IPv4 address", address));
  }
  ReservedPort reserved;
  reserved.hold = OwnedFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!reserved.hold.valid()) return Fail(SystemError("open a socket"));
  const int on = 1;
  ::setsockopt(reserved.hold.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(reserved.hold.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  socklen_t size = sizeof where;
  auto* generic = reinterpret_cast<sockaddr*>(&where);
  if (::bind(reserved.hold.get(), generic, size) != 0 ||
      ::getsockname(reserved.hold.get(), generic, &size) != 0) {
    return Fail(SystemError("find a free port on " + address));
  }
  reserved.port = ntohs(where.sin_port);
  return reserved;
}

}  // namespace tidegate::adapters
