#include "scheduler/adapters/process/access_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/adapters/process/posix.h"

namespace tidegate::adapters {
namespace {

constexpr std::size_t kMaxMove = 4 * 1024 * 1024;
constexpr std::size_t kMaxNote = 64;

Expected<std::string> ReadAt(int fd, std::size_t offset, std::size_t size,
                             const std::string& path) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n =
        ::pread(fd, text.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(SystemError("read " + path));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  text.resize(have);
  return text;
}

Expected<void> Append(const std::string& path, std::string_view text) {
  const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return Fail(SystemError("open " + path));
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(SystemError("write " + path));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

AccessLog::AccessLog(std::string source, std::string target)
    : source_(std::move(source)), target_(std::move(target)) {}

Expected<void> AccessLog::Finish() {
  for (std::size_t before = moved_ + 1; before != moved_;) {
    before = moved_;
    TIDEGATE_TRY_VOID(MoveUpTo(true));
  }
  return {};
}

Expected<void> AccessLog::MoveUpTo(bool everything) {
  if (!std::exchange(known_, true)) {
    const auto note = ReadFileBounded(source_ + ".moved", kMaxNote);
    if (note) std::from_chars(note->data(), note->data() + note->size(), moved_);
  }
  const OwnedFd fd(::open(source_.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return errno == ENOENT ? Expected<void>() : Fail(SystemError("open " + source_));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size <= moved_) return {};
  TIDEGATE_TRY(std::string text,
               ReadAt(fd.get(), moved_, std::min(size - moved_, kMaxMove), source_));
  const std::size_t end = text.rfind('\n');
  if (end != std::string::npos) {
    text.resize(end + 1);
  } else if (!everything && text.size() < kMaxMove) {
    return {};  // a line is being written
  }
  const std::size_t taken = text.size();
  if (taken == 0) return {};
  if (text.back() != '\n') text += '\n';
  TIDEGATE_TRY_VOID(Append(target_, text));
  TIDEGATE_TRY_VOID(Note(moved_ + taken));
  // Where the file system can't, the space is given back when the replica is removed.
  ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(moved_));
  return {};
}

Expected<void> AccessLog::Note(std::size_t moved) {
  moved_ = moved;
  const std::string text = std::to_string(moved);
  const std::string path = source_ + ".moved";
  // Not synced: it need only survive a crash of the daemon, not one of the machine.
  const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid() || ::pwrite(fd.get(), text.data(), text.size(), 0) < 0) {
    return Fail(SystemError("write " + path));
  }
  return {};
}

}  // namespace tidegate::adapters
