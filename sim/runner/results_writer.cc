#include "sim/runner/results_writer.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tidegate::sim {
namespace {

using std::chrono::steady_clock;

// A disk needs milliseconds, small cells less: several go there together.
constexpr std::chrono::milliseconds kBetweenSyncs{50};

// An open file; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

auto Refused(const std::string& path, const char* what) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("{}: {}: {}", path, what, std::generic_category().message(errno)));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool Lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0; }

// A file's name is in its folder, and that has to reach the disk too.
bool SyncFolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

// Puts a new file with this text in the place of `path` and returns it, locked.
Expected<Descriptor> Replace(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  Descriptor file(open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0 || !Lock(file.get())) return Refused(beside, "can't be written");
  if (!WriteAll(file.get(), text) || fsync(file.get()) != 0)
    return Refused(beside, "can't be written");
  if (rename(beside.c_str(), path.c_str()) != 0 || !SyncFolderOf(path))
    return Refused(path, "can't be replaced");
  return file;
}

// True where the path still leads to this file.
bool IsAt(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// Of the same sweep and part of it: what follows then fits.
std::string Mismatch(const ResultsHeader& found, const ResultsHeader& wanted) {
  if (found.fingerprint != wanted.fingerprint)
    return "holds results of another sweep, or its inputs have changed since";
  if (found.shard != wanted.shard) {
    return fmt::format("holds shard {}/{}, not {}/{}", found.shard.index, found.shard.count,
                       wanted.shard.index, wanted.shard.count);
  }
  return "";
}

}  // namespace

struct ResultsWriter::State {
  std::string path;
  ResultsHeader header;
  std::vector<SweepCell> found;
  std::size_t damaged = 0;
  Descriptor file;
  std::mutex mutex;
  steady_clock::time_point next_sync = steady_clock::now();
};

ResultsWriter::ResultsWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResultsWriter::~ResultsWriter() {
  if (state_->file.get() >= 0) fdatasync(state_->file.get());
}

const std::vector<SweepCell>& ResultsWriter::found() const { return state_->found; }
std::size_t ResultsWriter::damaged() const { return state_->damaged; }

Expected<std::unique_ptr<ResultsWriter>> ResultsWriter::Open(const std::string& path,
                                                             const ResultsHeader& header) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->header = header;
  state->file = Descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (state->file.get() < 0) return Refused(path, "can't be opened");
  if (!Lock(state->file.get()) || !IsAt(state->file.get(), path))
    return Fail(ErrorCode::kConflict, fmt::format("{}: another tidesim is writing it", path));
  TIDEGATE_TRY(const std::string text, ReadResultsText(path));
  // A kill while the file began leaves a part of the header.
  if (HeaderLine(header).starts_with(text) && text != HeaderLine(header)) {
    TIDEGATE_TRY(state->file, Replace(path, HeaderLine(header)));
    return std::unique_ptr<ResultsWriter>(new ResultsWriter(std::move(state)));
  }
  auto results = ParseResults(text);
  const std::string mismatch =
      results ? Mismatch(results->header, header) : results.error().message;
  if (!mismatch.empty()) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("{}: {}; remove it, or choose another file with --results", path, mismatch));
  }
  state->found = std::move(results->cells);
  state->damaged = results->damaged.size();
  if (state->damaged > 0) {
    TIDEGATE_TRY(state->file, Replace(path, FormatResults(header, state->found)));
  }
  return std::unique_ptr<ResultsWriter>(new ResultsWriter(std::move(state)));
}

Expected<void> ResultsWriter::Append(const SweepCell& cell) {
  const std::string line = CellLine(cell);
  const int fd = state_->file.get();
  bool sync = false;
  {
    const std::lock_guard lock(state_->mutex);
    const off_t before = lseek(fd, 0, SEEK_END);
    if (before < 0 || !WriteAll(fd, line)) {
      const int error = errno;
      // A part of a line would make the next one unreadable.
      if (before >= 0 && ftruncate(fd, before) != 0) return Refused(state_->path, "can't be cut");
      errno = error;
      return Refused(state_->path, "can't be written");
    }
    const auto now = steady_clock::now();
    sync = now >= state_->next_sync;
    if (sync) state_->next_sync = now + kBetweenSyncs;
  }
  // Outside the lock: others may write meanwhile.
  if (sync && fdatasync(fd) != 0) return Refused(state_->path, "can't be written");
  return {};
}

Expected<void> ResultsWriter::Finish(std::vector<SweepCell> cells) {
  TIDEGATE_TRY(state_->file,
               Replace(state_->path, FormatResults(state_->header, std::move(cells))));
  return {};
}

Expected<void> WriteWhole(const std::string& path, const std::string& text) {
  TIDEGATE_TRY(const Descriptor written, Replace(path, text));
  return {};
}

}  // namespace tidegate::sim
