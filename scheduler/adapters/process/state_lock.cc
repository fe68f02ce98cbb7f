#include "scheduler/adapters/process/state_lock.h"

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tidegate::adapters {
namespace {

// What the file says: "GENERATION PID\n".
struct Taken {
  std::int64_t generation = 0;
  std::int64_t pid = 0;
};

// All zero where the file is empty or says something else.
Taken Read(int file) {
  std::array<char, 64> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  Taken taken;
  if (size <= 0) return taken;
  const char* const end = text.data() + size;
  const auto generation = std::from_chars(text.data(), end, taken.generation);
  if (generation.ec != std::errc() || generation.ptr == end) return {};
  std::from_chars(generation.ptr + 1, end, taken.pid);
  return taken;
}

Expected<void> Write(int file, const Taken& taken, const std::string& path) {
  const std::string text = fmt::format("{} {}\n", taken.generation, taken.pid);
  const ssize_t written = ::pwrite(file, text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file, static_cast<off_t>(text.size())) != 0) {
    return Fail(SystemError("write " + path));
  }
  return {};
}

// Who holds a file that can't be locked, as far as it says.
std::string Holder(const std::string& path) {
  const auto text = ReadFileBounded(path, 64);
  const auto space = text ? text->find(' ') : std::string::npos;
  if (space == std::string::npos) return "another process";
  return fmt::format("process {}", text->substr(space + 1, text->find('\n') - space - 1));
}

}  // namespace

Expected<StateLock> StateLock::Take(const std::string& directory, Duration patience) {
  const std::string path = directory + "/lock";
  auto locked = LockFile(path, patience);
  if (!locked && locked.error().code == ErrorCode::kConflict) {
    return Fail(ErrorCode::kConflict,
                fmt::format("another daemon ({}) keeps the pools of {}; stop it first, or give "
                            "this one a stateDir of its own",
                            Holder(path), directory));
  }
  TIDEGATE_TRY(OwnedFd file, std::move(locked));
  const std::int64_t generation = Read(file.get()).generation + 1;
  TIDEGATE_TRY_VOID(Write(file.get(), {generation, ::getpid()}, path));
  StateLock lock(std::move(file), path, generation);
  TIDEGATE_TRY_VOID(lock.Check());  // it may have been replaced in between
  return lock;
}

Expected<void> StateLock::Check() const {
  struct stat ours {};
  struct stat there {};
  const bool same = ::fstat(file_.get(), &ours) == 0 && ::stat(path_.c_str(), &there) == 0 &&
                    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
  if (!same) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{} is not the file that this daemon locked: another daemon may keep "
                            "the pools",
                            path_));
  }
  const Taken taken = Read(file_.get());
  if (taken.generation != generation_) {
    return Fail(ErrorCode::kConflict,
                fmt::format("another daemon (process {}) has taken {} since", taken.pid, path_));
  }
  return {};
}

}  // namespace tidegate::adapters
