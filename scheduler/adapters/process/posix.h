#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"

namespace tidegate::adapters {

using SteadyTime = std::chrono::steady_clock::time_point;

// Owns a file descriptor.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset();
  int release();

 private:
  int fd_ = -1;
};

// "cannot WHAT: No such file or directory", from errno.
Error SystemError(std::string_view what);

// The directory and its missing parents, mode 0700.
Expected<void> MakeDirectory(const std::string& path);
// Names in a directory, sorted, without "." and "..". Nothing there: empty.
std::vector<std::string> ListDirectory(const std::string& path);
// The directory with all that is in it; a missing one is no error.
Expected<void> RemoveTree(const std::string& path);
// kNotFound where there is none, kTooLarge past `max_bytes`.
Expected<std::string> ReadFileBounded(const std::string& path, std::size_t max_bytes);
// After a crash at any instant the file is the old or the new one, whole. Mode 0600.
Expected<void> WriteFileAtomic(const std::string& path, std::string_view text);
// Empties a file that has grown past `max_bytes`; safe where it is written with O_APPEND.
void TruncateIfLarger(const std::string& path, std::size_t max_bytes);
// The program's path: itself if it has a '/', else the first match in PATH and the sbin folders,
// which a user's PATH may lack. kNotFound where there is none.
Expected<std::string> FindProgram(const std::string& name);
// Holds an exclusive lock on the file until the descriptor is closed. kConflict if another process
// holds it for longer than `patience`.
Expected<OwnedFd> LockFile(const std::string& path, Duration patience);

// A loopback TCP port that is ours until the descriptor is closed: bound with SO_REUSEPORT and not
// listening, so that a process of the same user that also sets SO_REUSEPORT (HAProxy does) may
// listen on it, while the kernel gives it to nobody else.
struct ReservedPort {
  int port = 0;
  OwnedFd hold;
};
Expected<ReservedPort> ReservePort(const std::string& address);

}  // namespace tidegate::adapters
